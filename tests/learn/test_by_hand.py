"""Losses whose derivatives are written down have the bits of those that automatic differentiation derives."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from gtr_bench.algorithms.gtr.algorithm import GTR
from gtr_bench.algorithms.ppo import PPO
from gtr_bench.learn import update as update_module
from gtr_bench.learn.by_hand import ByHand, Descent, by_hand
from gtr_bench.learn.clock import Clock
from gtr_bench.learn.learner import Learner
from tests.learn.helpers import make_definition
from tests.learn.test_update import begun, experience_of, update_of


def a_step_later(learner: Learner, trajectory: Any) -> Any:
    """The rollout's experience, under a policy some way from those that were anchors and behaviour."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):  # anchors differ
        experience = experience_of(learner, trajectory)
        learner.model.data.add_(0.2 * torch.randn(learner.model.data.shape, generator=generator))
    return experience.with_normalised_advantages()


def both_ways(learner: Learner, batch: Any) -> tuple[Descent, Descent]:
    """By hand, and by automatic differentiation."""
    found = written_down(learner)
    assert found is not None
    update = update_of(learner)
    return found(batch), update._derived(learner.algorithm.loss(update, batch), batch)


def written_down(learner: Learner) -> ByHand | None:
    return by_hand(learner.algorithm, learner.algorithm.loss, learner.model)


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
) -> None:
    definitions = [
        make_definition(algorithm, environment, seed=seed, **changes, **each) for seed, each in enumerate(own)
    ]
    _, learner, trajectory = begun(*definitions)
    batch = next(a_step_later(learner, trajectory).parts([0, samples, 128]))
    found, expected = both_ways(learner, batch)
    for mine, same in zip(found, expected, strict=True):
        assert torch.equal(mine, same)
    assert found.gradient.any(1).all()


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
    _, learner, _ = begun(make_definition(algorithm, environment, **changes))
    assert written_down(learner) is None


@pytest.mark.parametrize("kind", [PPO, GTR])
@pytest.mark.parametrize("changed", ["objective", "value_loss", "loss"])
def test_a_class_that_changes_the_mathematics_is_derived(kind: type[PPO] | type[GTR], changed: str) -> None:
    _, learner, _ = begun(make_definition(kind.name))
    assert written_down(learner) is not None
    own = type("Own", (kind,), {changed: lambda self, *given: getattr(kind, changed)(self, *given)})
    learner.algorithm.__class__ = own
    assert written_down(learner) is None


def test_a_loss_that_is_not_the_algorithm_s_is_derived() -> None:
    _, learner, _ = begun(make_definition())
    assert (
        by_hand(learner.algorithm, lambda update, batch: learner.algorithm.loss(update, batch), learner.model) is None
    )


def test_actor_and_critic_of_one_torso_are_derived() -> None:
    network = {"torso": "mlp", "version": 1, "shared": True, "hidden": [16], "activation": "tanh"}
    _, learner, _ = begun(make_definition(network=network))
    assert written_down(learner) is None


@pytest.mark.parametrize("add_ons", [{}, {"redo": {}}, {"l2_init": {"strength": 1e-2}}])
def test_an_update_by_hand_is_the_derived_one_whatever_add_ons_there_are(
    add_ons: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Minibatches of two sizes, an entropy bonus and `target_kl`, which looks at what a minibatch found."""
    settings = {"num_minibatches": 3, "entropy_coefficient": 0.01, "target_kl": 0.05, "learning_rate": 1e-2}
    kept: list[Tensor] = []
    for written in (True, False):
        if not written:
            monkeypatch.setattr(update_module, "by_hand", lambda *_: None)
        _, learner, trajectory = begun(make_definition(seed=0, plasticity=add_ons, **settings))
        learner.learn(trajectory, 0.0, 0, Clock())
        kept.append(learner.model.data.clone())
    assert torch.equal(*kept)
