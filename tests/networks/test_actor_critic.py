"""Actor and critic: shapes, initial policies, members apart."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.errors import UnknownNameError
from gtr_bench.learn.distributions import DiagonalGaussian
from gtr_bench.networks.actor_critic import ActorCritic
from gtr_bench.networks.registry import networks

SPACES = [ActionSpace("discrete", (3,)), ActionSpace("multi_discrete", (2, 3)), ActionSpace("continuous", (2,))]


def build(space: ActionSpace, *seeds: int, log_std: float = 0.0, **network: Any) -> ActorCritic:
    settings = {"torso": "mlp", "version": 1, "hidden": [8, 6], "activation": "tanh"} | network
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return ActorCritic(settings, generators, Spaces(ObservationSpace((5,)), space), log_std)


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.kind)
def test_policies_and_values_have_one_entry_per_member_and_sample(space: ActionSpace) -> None:
    network = build(space, 1, 2, 3)
    observations = torch.randn(3, 7, 5)
    assert network.policy(observations).entropy().shape == (3, 7)
    assert network.value(observations).shape == (3, 7)
    assert network.policy(observations).mode().shape == (3, 7, *space.shape)


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.kind)
def test_the_first_policy_is_nearly_uniform_and_carries_the_initial_width(space: ActionSpace) -> None:
    policy = build(space, 1, log_std=-0.5).policy(torch.randn(1, 100, 5))
    if isinstance(policy, DiagonalGaussian):
        assert policy.mean.abs().max() < 0.05
        assert policy.log_std.flatten().tolist() == [-0.5, -0.5]
    else:
        torch.testing.assert_close(
            policy.entropy(), torch.tensor(list(space.sizes)).log().sum().expand(1, 100), atol=1e-2, rtol=0
        )


def test_actor_and_critic_share_nothing() -> None:
    network = build(SPACES[0], 1)
    loss = network.value(torch.randn(1, 4, 5)).sum()
    grads = torch.autograd.grad(loss, [network.policy_head.weight, *network.actor.parameters()], allow_unused=True)
    assert all(grad is None for grad in grads)


def test_a_member_is_the_same_alone_and_in_a_cohort() -> None:
    observations = torch.randn(1, 6, 5)
    alone, together = build(SPACES[0], 7), build(SPACES[0], 3, 7)
    both = together.policy(observations.expand(2, -1, -1)).packed
    torch.testing.assert_close(alone.policy(observations).packed[0], both[1])


def test_hidden_layers_end_with_the_features_and_relu_is_relu() -> None:
    network = build(SPACES[0], 1, activation="relu")
    layers = network.actor.hidden_layers(torch.randn(1, 9, 5))
    assert [layer.shape[-1] for layer in layers] == [8, 6]
    assert all((layer >= 0).all() and (layer == 0).any() for layer in layers)
    assert network.actor.features == 6


@pytest.mark.parametrize("network", [{"activation": "sine"}, {"hidden": []}, {"depth": 3}])
def test_impossible_shapes_are_refused(network: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        build(SPACES[0], 1, **network)


def test_unknown_torsos_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown network `mpl`") as caught:
        networks.get("mpl")
    assert caught.value.hint == "did you mean `mlp`?"
