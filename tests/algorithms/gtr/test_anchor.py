"""Anchors: which snapshots are kept, how they are weighted, and the invariances of a mixture (gtr.md 3)."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gtr_bench.algorithms.gtr.anchor import recency_weights, require_closed_form
from gtr_bench.errors import RequestError
from gtr_bench.learn.distributions import Categorical, DiagonalGaussian, Distribution, MultiCategorical
from tests.algorithms.helpers import build, prepare

STATES, ACTIONS = 6, 3
ACTION = torch.randint(0, ACTIONS, (2, STATES), generator=torch.Generator().manual_seed(1))
ADVANTAGE = torch.randn(2, STATES, generator=torch.Generator().manual_seed(2))


def policies(count: int) -> list[Distribution]:
    """Different policies of two members."""
    generator = torch.Generator().manual_seed(0)
    return [Categorical.from_logits(torch.randn(2, STATES, ACTIONS, generator=generator)) for _ in range(count)]


def columns(history: list[Distribution], **parameters: Any) -> dict[str, torch.Tensor]:
    algorithm = build("gtr", parameters, parameters)
    return prepare(algorithm, *history, action=ACTION, advantage=ADVANTAGE)


def test_the_last_k_policies_are_kept_newest_first() -> None:
    history = policies(5)
    kept = columns(history, anchors=3)["anchor"]
    assert kept.shape == (2, STATES, 3, ACTIONS)
    for place, policy in enumerate(reversed(history[2:])):
        torch.testing.assert_close(kept[:, :, place], policy.packed)


def test_a_snapshot_is_taken_every_interval_and_the_behaviour_need_not_be_one() -> None:
    history = policies(6)
    kept = columns(history, anchors=2, anchor_interval=2)["anchor"]
    torch.testing.assert_close(kept[:, :, 0], history[4].packed)
    torch.testing.assert_close(kept[:, :, 1], history[2].packed)


def test_before_k_snapshots_the_weights_are_renormalised_over_those_there_are() -> None:
    weights = columns(policies(2), anchors=4, anchor_decay=0.5)["anchor_weight"]
    torch.testing.assert_close(weights, torch.tensor([2 / 3, 1 / 3]).expand(2, STATES, 2))


@given(count=st.integers(1, 64), decay=st.floats(0.01, 0.99))
def test_recency_weights_decay_by_a_constant_and_sum_to_one(count: int, decay: float) -> None:
    weights = recency_weights(count, decay, torch.zeros(1, dtype=torch.float64))
    assert weights.sum().item() == pytest.approx(1)
    torch.testing.assert_close(weights[0, 1:], weights[0, :-1] * decay)


def test_recency_weights_of_members_with_their_own_decay() -> None:
    weights = recency_weights(2, torch.tensor([[0.5], [1.0]]), torch.zeros(1))
    torch.testing.assert_close(weights, torch.tensor([[2 / 3, 1 / 3], [0.5, 0.5]]))


def test_uniform_and_return_weights() -> None:
    uniform = columns(policies(4), anchor_weighting="uniform")["anchor_weight"]
    torch.testing.assert_close(uniform, torch.full((2, STATES, 4), 0.25))

    parameters = {"anchor_weighting": "return", "anchor_temperature": 10.0, "anchors": 2}
    algorithm = build("gtr", parameters, parameters)
    nan = float("nan")
    first, second = policies(2)
    prepare(algorithm, first, action=ACTION, advantage=ADVANTAGE, training_return=torch.tensor([100.0, nan]))
    found = prepare(algorithm, second, action=ACTION, advantage=ADVANTAGE, training_return=torch.tensor([110.0, 5.0]))
    expected = torch.stack([torch.tensor([1.0, 0.0]).softmax(0), torch.tensor([0.5, 0.5])])
    torch.testing.assert_close(found["anchor_weight"], expected.unsqueeze(1).expand(2, STATES, 2))


def test_a_policy_without_a_finished_episode_counts_as_the_mean_of_the_others() -> None:
    parameters = {"anchor_weighting": "return", "anchors": 2}
    algorithm = build("gtr", parameters, parameters)
    first, second = policies(2)
    prepare(algorithm, first, action=ACTION, advantage=ADVANTAGE, training_return=torch.tensor([7.0, 7.0]))
    found = prepare(
        algorithm, second, action=ACTION, advantage=ADVANTAGE, training_return=torch.full((2,), float("nan"))
    )
    torch.testing.assert_close(found["anchor_weight"], torch.full((2, STATES, 2), 0.5))


def test_the_initial_anchor_never_moves_and_the_average_follows_by_its_rate() -> None:
    history = policies(3)
    torch.testing.assert_close(columns(history, anchor="initial")["anchor"][:, :, 0], history[0].packed)
    first, second, third = (policy.packed for policy in history)
    average = 0.8 * (0.8 * first + 0.2 * second) + 0.2 * third
    found = columns(history, anchor="ema", anchor_decay=0.8)["anchor"]
    assert found.shape[2] == 1
    torch.testing.assert_close(found[:, :, 0], average)


def test_snapshots_are_copies() -> None:
    """The network's parameters are one buffer that training overwrites."""
    for kind in ("mixture", "initial", "ema"):
        algorithm = build("gtr", {"anchor": kind}, {"anchor": kind})
        buffer = policies(1)[0].packed.reshape(2, -1).clone()
        first = Categorical(buffer.view(2, STATES, ACTIONS).clone())
        prepare(algorithm, first, action=ACTION, advantage=ADVANTAGE, parameters=buffer)
        kept = algorithm.anchors.state()["snapshots"][0].clone()
        buffer.add_(1)
        assert torch.equal(algorithm.anchors.state()["snapshots"][0], kept), kind


def test_the_policies_of_a_mixture_policy_sum_to_one() -> None:
    found = columns(policies(4), anchor="mixture_policy", anchor_decay=0.6)
    assert found["anchor"].shape == (2, STATES, 1, ACTIONS)
    assert found["anchor_weight"].shape == (2, STATES, 1)
    torch.testing.assert_close(found["anchor"].exp().sum(3), torch.ones(2, STATES, 1))
    weights = recency_weights(4, 0.6, torch.zeros(1))[0]
    expected = sum((w * p.packed.exp() for w, p in zip(weights, reversed(policies(4)), strict=True)), torch.zeros(1))
    torch.testing.assert_close(found["anchor"].exp()[:, :, 0], expected)


def test_the_mixture_policy_of_log_probabilities_is_that_of_the_policies() -> None:
    closed = columns(policies(3), anchor="mixture_policy")["anchor"]
    sampled = columns(policies(3), anchor="mixture_policy", distance="log_ratio")["anchor_log_prob"]
    torch.testing.assert_close(sampled, closed[:, :, 0].gather(2, ACTION.unsqueeze(2)))


def test_log_probabilities_of_anchors_for_vectors_of_actions() -> None:
    """Continuous and multi-discrete actions have one more axis."""
    generator = torch.Generator().manual_seed(5)
    gaussians = [
        DiagonalGaussian(torch.randn(2, STATES, 3, generator=generator), torch.zeros(2, 1, 3)) for _ in range(2)
    ]
    sizes = (2, 3)
    multi = [MultiCategorical.from_logits(torch.randn(2, STATES, 5, generator=generator), sizes) for _ in range(2)]
    moves = torch.stack([torch.randint(0, size, (2, STATES), generator=generator) for size in sizes], 2)
    cases: list[tuple[Any, torch.Tensor]] = [
        (gaussians, torch.randn(2, STATES, 3, generator=generator)),
        (multi, moves),
    ]
    for history, action in cases:
        algorithm = build("gtr", *[{"distance": "log_ratio"}] * 2)
        found = prepare(algorithm, *history, action=action, advantage=ADVANTAGE)["anchor_log_prob"]
        assert found.shape == (2, STATES, 2)
        for place, policy in enumerate(reversed(history)):
            torch.testing.assert_close(found[:, :, place], policy.log_prob(action))


def test_a_mixture_of_gaussian_or_several_choices_needs_the_per_sample_distance() -> None:
    with pytest.raises(RequestError, match="for a single discrete action only") as caught:
        require_closed_form("mixture_policy", "forward_kl", one_choice=False)
    assert caught.value.hint == 'set `distance = "log_ratio"` beside it'
    require_closed_form("mixture_policy", "log_ratio", one_choice=False)
    require_closed_form("mixture_policy", "forward_kl", one_choice=True)


@pytest.mark.parametrize("kind", ["mixture", "mixture_policy", "ema", "initial"])
def test_a_copy_of_the_state_continues_alike(kind: str) -> None:
    history = policies(6)
    first, second = (build("gtr", *[{"anchor": kind, "anchors": 3, "anchor_interval": 2}] * 2) for _ in range(2))
    prepare(first, *history[:3], action=ACTION, advantage=ADVANTAGE)
    second.load_state(first.state())
    left, right = (prepare(each, *history[3:], action=ACTION, advantage=ADVANTAGE) for each in (first, second))
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in left)
