"""PPO with a KL penalty: closed form, its curvature, the controller (algorithms A.3)."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from gtr_bench.algorithms.ppo_kl import adapted_coefficient
from gtr_bench.learn.distributions import Categorical
from tests.algorithms.helpers import build, categorical, gradient, sample_of

ACTION, ADVANTAGE = torch.zeros(1, 1, dtype=torch.int64), torch.ones(1, 1)


def test_penalty_is_beta_times_the_kl_from_old_to_new() -> None:
    old, new = categorical(0.5, 0.5), categorical(0.9, 0.1)
    surrogate, penalty = build("ppo_kl", beta=3.0).objective(sample_of(new, old, ACTION, ADVANTAGE, {}))
    assert surrogate.item() == pytest.approx(1.8)
    assert penalty.item() == pytest.approx(3 * 0.510826, rel=1e-5)


def test_beta_zero_is_the_linear_surrogate() -> None:
    sample = sample_of(categorical(0.9, 0.1), categorical(0.5, 0.5), ACTION, ADVANTAGE, {})
    surrogate, penalty = build("ppo_kl", beta=0.0).objective(sample)
    assert penalty.item() == 0
    assert torch.equal(surrogate, sample.ratio * ADVANTAGE)


def test_penalty_starts_flat_and_its_curvature_is_the_fisher_matrix() -> None:
    probabilities = torch.tensor([0.2, 0.3, 0.5])
    old = Categorical(probabilities.log().view(1, 1, 3))
    algorithm = build("ppo_kl")

    def penalty(logits: torch.Tensor) -> torch.Tensor:
        policy = Categorical.from_logits(logits.view(1, 1, 3))
        value: torch.Tensor = algorithm.objective(sample_of(policy, old, ACTION, ADVANTAGE, {}))[1].sum()
        return value

    # a hair beside the old policy, where rounding cannot clamp the KL and its derivatives at 0
    logits = (probabilities.log() + torch.tensor([0.01, -0.01, 0.0])).requires_grad_()
    fisher = probabilities.diag() - probabilities.outer(probabilities)
    torch.testing.assert_close(
        gradient(penalty(logits), logits), fisher @ torch.tensor([0.01, -0.01, 0.0]), atol=1e-4, rtol=0
    )
    curvature = torch.autograd.functional.hessian(penalty, logits)
    torch.testing.assert_close(curvature, fisher, atol=5e-3, rtol=0)


@pytest.mark.parametrize(("divergence", "factor"), [(0.02, 2.0), (0.006, 0.5), (0.012, 1.0)])
def test_controller_doubles_halves_or_keeps(divergence: float, factor: float) -> None:
    found = adapted_coefficient(torch.tensor([[1.0]]), torch.tensor([[divergence]]), 0.01)
    assert found.item() == factor


def test_each_member_adapts_to_its_own_divergence_and_the_state_keeps_it() -> None:
    rows: list[dict[str, Any]] = [{"adaptive": True, "beta": 1.0}, {"adaptive": True, "beta": 4.0}]
    algorithm = build("ppo_kl", *rows)
    old = Categorical(torch.tensor([[[0.5, 0.5]]] * 2).log())
    new = Categorical(torch.tensor([[[0.9, 0.1]], [[0.5, 0.5]]]).log())
    action = torch.zeros(2, 1, dtype=torch.int64)
    sample = sample_of(new, old, action, torch.ones(2, 1), {})
    algorithm.after_iteration(sample)
    assert algorithm.diagnose(sample)["penalty_coefficient"].tolist() == [2.0, 2.0]

    copy = build("ppo_kl", *rows)
    copy.load_state(algorithm.state())
    assert torch.equal(copy.objective(sample)[1], algorithm.objective(sample)[1])


def test_fixed_beta_stays() -> None:
    algorithm = build("ppo_kl", beta=0.3)
    sample = sample_of(categorical(0.9, 0.1), categorical(0.5, 0.5), ACTION, ADVANTAGE, {})
    algorithm.after_iteration(sample)
    assert algorithm.diagnose(sample)["penalty_coefficient"].item() == pytest.approx(0.3)


@pytest.mark.parametrize(("probability", "factor"), [(0.5, 1e-4), (0.99, 1e4)])
def test_controller_stays_within_reach_of_its_first_value(probability: float, factor: float) -> None:
    algorithm = build("ppo_kl", beta=2.0, adaptive=True)
    sample = sample_of(categorical(probability, 1 - probability), categorical(0.5, 0.5), ACTION, ADVANTAGE, {})
    for _ in range(200):
        algorithm.after_iteration(sample)
    assert algorithm.state()["beta"].item() == pytest.approx(2.0 * factor)
