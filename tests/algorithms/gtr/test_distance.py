"""Distances: worked values, a common scale near zero, and the per-sample form by Monte Carlo (gtr.md 1 and 7)."""

from __future__ import annotations

import math

import pytest
import torch

from gtr_bench.algorithms.gtr.distance import CLOSED_FORMS, log_ratio
from gtr_bench.learn.distributions import Categorical, DiagonalGaussian, Distribution
from tests.algorithms.helpers import categorical, gradient

# halves of the squared distances from (.5, .5) to (.6, .4), algorithms A.16; jeffreys is the mean of the two KLs
HALVES = {"forward_kl": 0.0204110, "reverse_kl": 0.0201355, "jeffreys": 0.02027325, "hellinger": 0.0202554}


@pytest.mark.parametrize(("name", "half"), HALVES.items())
def test_categorical_distances_have_the_worked_values(name: str, half: float) -> None:
    squared = CLOSED_FORMS[name](categorical(0.5, 0.5), categorical(0.6, 0.4))
    assert squared.item() / 2 == pytest.approx(half, rel=2e-5)


def test_forward_kl_runs_from_the_anchor_to_the_policy() -> None:
    squared = CLOSED_FORMS["forward_kl"](categorical(0.5, 0.5), categorical(0.9, 0.1))
    assert squared.item() == pytest.approx(2 * 0.510826, rel=1e-5)
    first, second = (DiagonalGaussian(torch.tensor([[[mean]]]), torch.zeros(1)) for mean in (0.0, 1.0))
    assert CLOSED_FORMS["forward_kl"](first, second).item() == pytest.approx(1.0)


def pair(kind: str, move: float) -> tuple[Distribution, Distribution]:
    if kind == "categorical":
        logits = torch.tensor([[[0.3, -0.2, 1.0]]], dtype=torch.float64)
        return Categorical.from_logits(logits), Categorical.from_logits(logits + move * torch.tensor([1.0, -1.0, 0.5]))
    mean, log_std = torch.zeros(1, 1, 2, dtype=torch.float64), torch.tensor([0.2, -0.5], dtype=torch.float64)
    return DiagonalGaussian(mean, log_std), DiagonalGaussian(mean + move, log_std - move / 2)


@pytest.mark.parametrize("kind", ["categorical", "gaussian"])
@pytest.mark.parametrize("name", list(CLOSED_FORMS))
def test_all_distances_agree_for_a_small_move(kind: str, name: str) -> None:
    anchor, policy = pair(kind, 1e-3)
    reference = 2 * anchor.kl(policy).item()
    assert CLOSED_FORMS[name](anchor, policy).item() == pytest.approx(reference, rel=5e-3)


@pytest.mark.parametrize("kind", ["categorical", "gaussian"])
@pytest.mark.parametrize("name", list(CLOSED_FORMS))
def test_distance_to_itself_is_zero_with_a_finite_gradient(kind: str, name: str) -> None:
    anchor, _ = pair(kind, 0.0)
    packed = anchor.packed.clone().requires_grad_()
    squared = CLOSED_FORMS[name](anchor, anchor.like(packed))
    assert squared.item() == pytest.approx(0, abs=1e-12)
    assert gradient(squared, packed).isfinite().all()


def test_hellinger_is_bounded_by_eight() -> None:
    squared = CLOSED_FORMS["hellinger"](categorical(1.0, 0.0), categorical(0.0, 1.0))
    assert squared.item() == pytest.approx(8.0)


@pytest.mark.parametrize(("move", "tolerance"), [(0.2, 0.3), (0.05, 0.075), (0.01, 0.015)])
def test_the_per_sample_form_tends_to_the_kl(move: float, tolerance: float) -> None:
    """`E[(log ratio)^2] / 2` over actions of the anchor; the bias is of third order in the move."""
    generator = torch.Generator().manual_seed(3)
    size = 400_000
    anchor, policy = pair("gaussian", move)
    action = anchor.sample(DiagonalGaussian.noise((1, size, 2), generator).double())
    halves = 0.5 * log_ratio(policy.log_prob(action), anchor.log_prob(action))
    error = 3 * halves.std().item() / math.sqrt(size)
    kl = anchor.kl(policy).item()
    assert abs(halves.mean().item() - kl) <= error + tolerance * kl
    assert error < 0.02 * kl
