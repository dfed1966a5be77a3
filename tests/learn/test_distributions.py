"""Distributions equal torch.distributions; Hellinger distances have the worked values (algorithms 0.2)."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import distributions as reference

from gtr_bench.environments.spaces import ActionSpace
from gtr_bench.learn.distributions import (
    Categorical,
    DiagonalGaussian,
    Distribution,
    MultiCategorical,
    noise_of,
    policy_size,
    unpack,
)

SHAPE = (2, 5)
SIZES = (2, 4)
KINDS = ["discrete", "multi_discrete", "continuous"]
SPACES = {
    "discrete": ActionSpace("discrete", (3,)),
    "multi_discrete": ActionSpace("multi_discrete", SIZES),
    "continuous": ActionSpace("continuous", (3,)),
}


def make(kind: str, seed: int) -> tuple[Distribution, list[Any]]:
    """Ours, and torch's independent parts of it."""
    generator = torch.Generator().manual_seed(seed)
    space = SPACES[kind]
    output = torch.randn(*SHAPE, policy_size(space), generator=generator)
    log_std = 0.5 * torch.randn(2, 1, 3, generator=generator)
    ours = unpack(space, output, log_std)
    if kind == "continuous":
        return ours, [reference.Independent(reference.Normal(output, log_std.exp().expand_as(output)), 1)]
    return ours, [reference.Categorical(logits=part) for part in output.split(space.sizes, -1)]


def actions_of(kind: str) -> torch.Tensor:
    generator = torch.Generator().manual_seed(9)
    if kind == "continuous":
        return torch.randn(*SHAPE, 3, generator=generator)
    moves = torch.stack([torch.randint(0, size, SHAPE, generator=generator) for size in SPACES[kind].sizes], -1)
    return moves.squeeze(-1) if kind == "discrete" else moves


@pytest.mark.parametrize("kind", KINDS)
def test_log_prob_entropy_and_kl_are_torchs(kind: str) -> None:
    (p, p_parts), (q, q_parts) = make(kind, 1), make(kind, 2)
    action = actions_of(kind)
    by_part = [action[..., i] for i in range(len(p_parts))] if kind == "multi_discrete" else [action]
    expected = sum(part.log_prob(a) for part, a in zip(p_parts, by_part, strict=True))
    torch.testing.assert_close(p.log_prob(action), expected)
    torch.testing.assert_close(p.entropy(), sum(part.entropy() for part in p_parts))
    kl = sum(reference.kl_divergence(a, b) for a, b in zip(p_parts, q_parts, strict=True))
    torch.testing.assert_close(p.kl(q), kl)
    torch.testing.assert_close(p.kl(p), torch.zeros(SHAPE), atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_packed_values_rebuild_the_distribution(kind: str) -> None:
    p, _ = make(kind, 1)
    again = p.like(p.packed)
    assert type(again) is type(p)
    assert torch.equal(again.log_prob(actions_of(kind)), p.log_prob(actions_of(kind)))
    assert torch.equal(again.entropy(), p.entropy())
    many = p.like(torch.stack([p.packed, make(kind, 2)[0].packed], 2))
    assert many.kl(p.unsqueeze()).shape == (*SHAPE, 2)
    torch.testing.assert_close(many.kl(p.unsqueeze())[..., 1], make(kind, 2)[0].kl(p))


@pytest.mark.parametrize("kind", ["discrete", "multi_discrete"])
def test_sample_frequencies_are_the_probabilities(kind: str) -> None:
    space, draws = SPACES[kind], 200_000
    p = unpack(space, torch.tensor([[[0.5, -1.0, 1.0, 0.2, 0.1, -2.0][: policy_size(space)]]]), torch.empty(0))
    noise = noise_of(space)((1, draws, policy_size(space)), torch.Generator().manual_seed(0))
    drawn = p.like(p.packed.expand(1, draws, -1)).sample(noise).view(draws, -1)
    for place, (part, size) in enumerate(zip(p.packed.flatten().split(space.sizes), space.sizes, strict=True)):
        found = drawn[:, place].bincount(minlength=size) / draws
        probability = part.exp()
        assert ((found - probability).abs() <= 4.5 * (probability * (1 - probability) / draws).sqrt()).all()


def test_gaussian_samples_have_the_mean_and_width() -> None:
    draws = 200_000
    p = DiagonalGaussian(torch.tensor([1.0, -2.0]).expand(1, draws, 2), torch.tensor([0.3, -1.0]))
    drawn = p.sample(DiagonalGaussian.noise((1, draws, 2), torch.Generator().manual_seed(0)))[0]
    widths = p.log_std.exp()
    assert ((drawn.mean(0) - p.mean[0, 0]).abs() <= 4.5 * widths / math.sqrt(draws)).all()
    torch.testing.assert_close(drawn.std(0), widths, rtol=1e-2, atol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_mode_is_the_most_probable_action(kind: str) -> None:
    p, _ = make(kind, 1)
    assert (p.log_prob(p.mode()) >= p.log_prob(actions_of(kind))).all()


def gaussian(mean: float, std: float) -> DiagonalGaussian:
    return DiagonalGaussian(torch.tensor([[mean]]), torch.tensor([[std]]).log())


def test_worked_divergences() -> None:
    assert gaussian(0, 1).kl(gaussian(1, 2)).item() == pytest.approx(0.4431471806, rel=1e-6)
    assert 1 - gaussian(0, 1).affinity(gaussian(1, 1)).item() == pytest.approx(0.1175030974, rel=1e-6)
    assert gaussian(0, 1).hellinger(gaussian(1, 1)).item() == pytest.approx(math.sqrt(0.1175030974), rel=1e-6)
    half, tilted = Categorical(torch.tensor([0.5, 0.5]).log()), Categorical(torch.tensor([0.9, 0.1]).log())
    assert half.kl(tilted).item() == pytest.approx(0.510826, rel=1e-6)
    assert gaussian(0, 1).kl(gaussian(1, 1)).item() == pytest.approx(0.5)


def test_affinity_of_independent_parts_is_the_product() -> None:
    (p, p_parts), (q, q_parts) = make("multi_discrete", 1), make("multi_discrete", 2)
    product = torch.ones(SHAPE)
    for a, b in zip(p_parts, q_parts, strict=True):
        product = product * (a.probs * b.probs).sqrt().sum(-1)
    torch.testing.assert_close(p.affinity(q), product)


def test_affinity_of_gaussians_is_the_integral() -> None:
    grid = torch.linspace(-30, 30, 200_001, dtype=torch.float64).view(-1, 1)
    p = DiagonalGaussian(torch.tensor([[0.3]]).double(), torch.tensor([[-0.5]]).double())
    q = DiagonalGaussian(torch.tensor([[-1.0]]).double(), torch.tensor([[0.7]]).double())
    integral = (0.5 * (p.log_prob(grid) + q.log_prob(grid))).exp().sum() * (grid[1] - grid[0])
    assert p.affinity(q).item() == pytest.approx(integral.item(), rel=1e-6)


LOGITS = st.lists(st.floats(-1e4, 1e4, width=32), min_size=3, max_size=3)


@given(first=LOGITS, second=LOGITS)
def test_categorical_divergences_are_bounded_and_finite(first: list[float], second: list[float]) -> None:
    p, q = (Categorical.from_logits(torch.tensor([values])) for values in (first, second))
    assert 0 <= p.kl(q).item() < math.inf
    assert 0 <= p.affinity(q).item() <= 1 + 1e-6
    assert 0 <= p.hellinger(q).item() <= 1
    assert 0 <= p.entropy().item() <= math.log(3) + 1e-6


@given(*[st.floats(-5, 5)] * 3, *[st.floats(-3, 2)] * 3)
def test_hellinger_is_a_metric(a: float, b: float, c: float, u: float, v: float, w: float) -> None:
    p, q, r = (
        DiagonalGaussian(torch.tensor([[mean]]).double(), torch.tensor([[log_std]]).double())
        for mean, log_std in ((a, u), (b, v), (c, w))
    )
    assert p.hellinger(q).item() == pytest.approx(q.hellinger(p).item(), abs=1e-9)
    assert p.hellinger(r).item() <= p.hellinger(q).item() + q.hellinger(r).item() + 1e-7


def test_certain_policies_have_finite_divergences() -> None:
    certain = MultiCategorical(torch.tensor([[1.0, 0.0, 1.0, 0.0]]).log(), (2, 2))
    other = MultiCategorical(torch.tensor([[0.0, 1.0, 1.0, 0.0]]).log(), (2, 2))
    assert certain.kl(certain).item() == 0
    assert certain.kl(other).isfinite().all()
    assert certain.hellinger(other).item() == pytest.approx(1, abs=1e-6)
