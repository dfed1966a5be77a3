"""PPO's clipped surrogate: worked values and where its gradient vanishes (algorithms A.2)."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gtr_bench.algorithms.ppo import clipped_surrogate
from tests.algorithms.helpers import build, gradient, sample_of_ratio

CASES = [(1.5, 1.0, 1.2), (0.5, 1.0, 0.5), (1.5, -1.0, -1.5), (0.5, -1.0, -0.8), (1.1, 2.0, 2.2)]


@pytest.mark.parametrize(("ratio", "advantage", "expected"), CASES)
def test_objective_has_the_worked_values(ratio: float, advantage: float, expected: float) -> None:
    surrogate, penalty = build("ppo", clip_range=0.2).objective(
        sample_of_ratio(torch.tensor([[ratio]]), torch.tensor([[advantage]]))
    )
    assert surrogate.item() == pytest.approx(expected, rel=1e-6)
    assert penalty is None


@given(
    ratio=st.floats(0.05, 5).filter(lambda r: abs(r - 0.8) > 1e-3 and abs(r - 1.2) > 1e-3),
    advantage=st.floats(-5, 5).filter(lambda a: abs(a) > 1e-3),
)
def test_gradient_is_zero_exactly_where_the_ratio_has_left_on_the_profitable_side(
    ratio: float, advantage: float
) -> None:
    r = torch.tensor([[ratio]], requires_grad=True)
    slope = gradient(clipped_surrogate(r, torch.tensor([[advantage]]), 0.2), r).item()
    left = (advantage > 0 and ratio > 1.2) or (advantage < 0 and ratio < 0.8)
    assert slope == pytest.approx(0.0 if left else advantage, rel=1e-6)


def test_a_wide_clip_range_is_the_linear_surrogate() -> None:
    ratio, advantage = torch.tensor([[0.1, 1.0, 9.0]]), torch.tensor([[-2.0, 1.0, 3.0]])
    assert torch.equal(clipped_surrogate(ratio, advantage, 1e9), ratio * advantage)


def test_each_member_has_its_own_clip_range() -> None:
    stacked = build("ppo", {"clip_range": 0.1}, {"clip_range": 0.4})
    ratio, advantage = torch.full((2, 3), 1.3), torch.ones(2, 3)
    surrogate, _ = stacked.objective(sample_of_ratio(ratio, advantage))
    torch.testing.assert_close(surrogate, torch.tensor([[1.1] * 3, [1.3] * 3]))
