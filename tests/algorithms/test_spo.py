"""SPO's quadratic penalty on the ratio: worked values and its optimum (algorithms A.11)."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.algorithms.helpers import build, gradient, sample_of_ratio

CASES = [(1.0, 1.0, 1.0), (1.2, 1.0, 1.1), (1.4, 1.0, 1.0), (1.5, 1.0, 0.875), (0.8, -1.0, -0.9), (0.5, -1.0, -1.125)]


def objective(ratio: torch.Tensor, advantage: torch.Tensor, clip_range: float = 0.2) -> torch.Tensor:
    surrogate, penalty = build("spo", clip_range=clip_range).objective(sample_of_ratio(ratio, advantage))
    value: torch.Tensor = surrogate - penalty
    return value


@pytest.mark.parametrize(("ratio", "advantage", "expected"), CASES)
def test_objective_has_the_worked_values(ratio: float, advantage: float, expected: float) -> None:
    assert objective(torch.tensor([[ratio]]), torch.tensor([[advantage]])).item() == pytest.approx(expected, rel=1e-5)


@given(
    advantage=st.floats(-5, 5).filter(lambda a: abs(a) > 1e-2),
    clip_range=st.floats(0.05, 0.8),
    ratio=st.floats(0.01, 6),
)
def test_the_optimum_is_at_the_clip_boundary(advantage: float, clip_range: float, ratio: float) -> None:
    best = torch.tensor([[1 + clip_range * (1 if advantage > 0 else -1)]], requires_grad=True)
    weight = torch.tensor([[advantage]])
    top = objective(best, weight, clip_range)
    assert gradient(top, best).item() == pytest.approx(0, abs=1e-4 * abs(advantage) / clip_range)
    assert top.item() == pytest.approx(advantage + abs(advantage) * clip_range / 2, rel=1e-4, abs=1e-5)
    assert objective(torch.tensor([[ratio]]), weight, clip_range).item() <= top.item() + 1e-4 * abs(advantage)


def test_a_wide_range_is_the_linear_surrogate() -> None:
    ratio, advantage = torch.tensor([[0.5, 1.0, 3.0]]), torch.tensor([[-2.0, 1.0, 3.0]])
    surrogate, penalty = build("spo", clip_range=10.0).objective(sample_of_ratio(ratio, advantage))
    torch.testing.assert_close(surrogate, ratio * advantage)
    assert penalty.max() <= 3 * 4 / 20 + 1e-6
