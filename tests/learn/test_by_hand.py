"""Losses whose derivatives are written down have the bits of those that automatic differentiation derives."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from gtr_bench.algorithms.base import Losses
from gtr_bench.algorithms.gtr.algorithm import GTR
from gtr_bench.algorithms.ppo import PPO
from gtr_bench.learn import update as update_module
from gtr_bench.learn.learner import Learner
from gtr_bench.learn.update import Update
from tests.learn.helpers import make_definition
from tests.learn.test_update import begun, experience_of, update_of


def a_step_later(learner: Learner, trajectory: Any) -> Any:
    """The rollout's experience, under a policy some way from those that were anchors and behaviour."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):  # anchors differ
        experience = experience_of(learner, trajectory)
        learner.model.data.add_(0.2 * torch.randn(learner.model.data.shape, generator=generator))
    return experience.with_normalised_advantages()


def loss_and_gradient(learner: Learner, batch: Any) -> tuple[Losses, Tensor]:
    found = learner.algorithm.loss(update_of(learner), batch)
    return found, learner.model.gradient(found.total.sum())


@pytest.mark.parametrize("samples", [128, 43])
@pytest.mark.parametrize("environment", ["gym:CartPole-v1", "gym:Acrobot-v1"])
@pytest.mark.parametrize(
    ("algorithm", "own", "changes"),
    [
        ("ppo", [{}], {}),
        ("ppo", [{"clip_range": 0.1}, {"clip_range": 0.3}], {"value_loss": "mse", "value_coefficient": 0.7}),
        ("ppo", [{"entropy_coefficient": 0.01}, {"entropy_coefficient": 0.3}], {}),
        ("oracle", [{}], {"entropy_coefficient": 0.01}),
        ("gtr", [{}], {"entropy_coefficient": 0.01}),
        ("gtr", [{"sigma": 0.1, "beta": 3.0}, {"sigma": 0.7, "beta": 0.3}], {"anchors": 2}),
        ("gtr", [{}], {"anchor": "mixture_policy"}),
    ],
)
def test_loss_and_gradient_have_the_bits_of_automatic_differentiation(
    algorithm: str,
    own: list[dict[str, Any]],
    changes: dict[str, Any],
    environment: str,
    samples: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    definitions = [
        make_definition(algorithm, environment, seed=seed, **changes, **each) for seed, each in enumerate(own)
    ]
    _, learner, trajectory = begun(*definitions)
    batch = a_step_later(learner, trajectory).part(0, samples)
    policy, value = learner.model.evaluate(batch.observations)
    assert update_of(learner).loss_by_hand(policy, value, batch) is not None
    found, gradient = loss_and_gradient(learner, batch)
    monkeypatch.setattr(update_module, "loss_by_hand", lambda *_: None)
    expected, derived = loss_and_gradient(learner, batch)
    for mine, same in zip(found, expected, strict=True):
        assert mine is not None
        assert same is not None
        assert torch.equal(mine, same)
    assert torch.equal(gradient, derived)
    assert gradient.any(1).all()


@pytest.mark.parametrize(
    ("algorithm", "environment", "changes"),
    [
        ("ppo", "gym:Pendulum-v1", {}),
        ("ppo", "gym:CartPole-v1", {"value_clip_range": 0.2}),
        ("spo", "gym:CartPole-v1", {}),
        ("ppo_kl", "gym:CartPole-v1", {}),
        ("gtr", "gym:CartPole-v1", {"kernel": "cauchy"}),
        ("gtr", "gym:CartPole-v1", {"form": "gated_surrogate"}),
        ("gtr", "gym:CartPole-v1", {"distance": "reverse_kl"}),
        ("gtr", "gym:CartPole-v1", {"surrogate": "linear"}),
        ("gtr", "gym:CartPole-v1", {"shape": 3.0}),
        ("gtr", "gym:CartPole-v1", {"sustain": True}),
    ],
)
def test_what_is_not_written_down_is_derived(algorithm: str, environment: str, changes: dict[str, Any]) -> None:
    _, learner, trajectory = begun(make_definition(algorithm, environment, **changes))
    assert by_hand(learner, experience_of(learner, trajectory)) is None


@pytest.mark.parametrize("kind", [PPO, GTR])
@pytest.mark.parametrize("changed", ["objective", "value_loss"])
def test_a_class_that_changes_the_mathematics_is_derived(kind: type[PPO] | type[GTR], changed: str) -> None:
    _, learner, trajectory = begun(make_definition(kind.name))
    experience = experience_of(learner, trajectory)
    assert by_hand(learner, experience) is not None
    own = type("Own", (kind,), {changed: lambda self, *given: getattr(kind, changed)(self, *given)})
    learner.algorithm.__class__ = own
    assert by_hand(learner, experience) is None


def by_hand(learner: Learner, experience: Any) -> Losses | None:
    update: Update = update_of(learner)
    return update.loss_by_hand(*learner.model.evaluate(experience.observations), experience)
