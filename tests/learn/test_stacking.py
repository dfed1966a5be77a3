"""Parameters of several jobs: equal ones stay plain, scalars that differ become tensors, others are refused."""

from __future__ import annotations

import pytest
import torch

from gtr_bench.algorithms.ppo import PPOParameters
from gtr_bench.learn.stacking import column, stack_parameters

CPU = torch.device("cpu")


def test_scalars_that_differ_are_stacked_and_the_others_stay_plain() -> None:
    found = stack_parameters(PPOParameters, [{"clip_range": 0.1}, {"clip_range": 0.3}], CPU)
    torch.testing.assert_close(found.clip_range, torch.tensor([[0.1], [0.3]]))
    assert found.learning_rate == 2.5e-4
    assert found.num_envs == 8


def test_structural_differences_are_refused() -> None:
    with pytest.raises(ValueError, match="`epochs` is structural"):
        stack_parameters(PPOParameters, [{"epochs": 1}, {"epochs": 2}], CPU)


@pytest.mark.parametrize("value", [0.5, torch.tensor([[0.5], [0.5]])])
def test_a_column_is_one_number_per_member(value: float | torch.Tensor) -> None:
    assert column(value, 2).tolist() == [[0.5], [0.5]]
