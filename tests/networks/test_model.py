"""The model: shapes, initial policies, members apart, shared torsos, one tensor that holds every parameter."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.errors import UnknownNameError
from gtr_bench.learn.distributions import DiagonalGaussian
from gtr_bench.networks.model import Model
from gtr_bench.networks.registry import networks

SPACES = [ActionSpace("discrete", (3,)), ActionSpace("multi_discrete", (2, 3)), ActionSpace("continuous", (2,))]


def build(space: ActionSpace, *seeds: int, log_std: float = 0.0, **network: Any) -> Model:
    settings = {"torso": "mlp", "version": 1, "hidden": [8, 6], "activation": "tanh"} | network
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return Model(settings, generators, Spaces(ObservationSpace((5,)), space), log_std)


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


def test_leaky_relu_lets_a_tenth_of_what_is_negative_through() -> None:
    network = build(SPACES[0], 1, activation="leaky_relu")
    seen = torch.randn(1, 9, 5)
    first = network.actor.layers[0](seen)
    torch.testing.assert_close(network.actor.hidden_layers(seen)[0], torch.where(first < 0, 0.1 * first, first))


def test_uniform_weights_are_torchs_default_for_torso_and_heads() -> None:
    network = build(SPACES[0], 1, hidden=(400,), initialisation="uniform")
    for layer, inputs in ((network.actor.layers[0], 5), (network.policy_head, 400), (network.value_head, 400)):
        bound, weight = inputs**-0.5, layer.weight.detach()
        assert 0.95 * bound < weight.abs().max() <= bound
        assert abs(weight.std() / (bound / 3**0.5) - 1) < 0.1
        assert not layer.bias.any()


@pytest.mark.parametrize("network", [{"activation": "sine"}, {"hidden": []}, {"depth": 3}])
def test_impossible_shapes_are_refused(network: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        build(SPACES[0], 1, **network)


def test_unknown_torsos_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown network `mpl`") as caught:
        networks.get("mpl")
    assert caught.value.hint == "did you mean `mlp`?"


def test_a_shared_torso_is_run_once_for_policy_and_value(monkeypatch: pytest.MonkeyPatch) -> None:
    network = build(SPACES[0], 1, 2, shared=True)
    calls: list[int] = []
    inner = network.actor.hidden_layers
    monkeypatch.setattr(network.actor, "hidden_layers", lambda seen: calls.append(1) or inner(seen))
    policy, value = network.evaluate(torch.randn(2, 7, 5))
    assert (policy.entropy().shape, value.shape, len(calls)) == ((2, 7), (2, 7), 1)
    gradient = network.gradient(value.sum() + policy.log_prob(torch.zeros(2, 7, dtype=torch.long)).sum())
    assert all(network.view(gradient, parameter).any() for parameter in network.actor.parameters())


def test_a_shared_torso_saves_the_critics_parameters() -> None:
    apart, shared = build(SPACES[0], 1), build(SPACES[0], 1, shared=True)
    torso = sum(parameter.numel() for parameter in apart.critic.parameters())
    own, both = (sum(parameter.numel() for parameter in model.parameters()) for model in (apart, shared))
    assert own - both == torso
    assert shared.data.shape == (1, both)


def test_heads_that_are_not_asked_for_are_not_computed() -> None:
    network = build(SPACES[0], 1)
    policy, value = network.evaluate(torch.randn(1, 4, 5), None, ("value",))
    assert policy is None
    assert value.shape == (1, 4)


def test_all_parameters_are_views_of_one_tensor() -> None:
    network = build(SPACES[2], 1, 2)
    held = sum(parameter[0].numel() for parameter in network.parameters())
    assert (network.data != 0).sum(1).max() <= held <= network.data.shape[1]  # the rest is padding
    network.data[1].zero_()
    inputs = torch.randn(2, 3, 5)
    assert network.value(inputs)[0].any()
    assert not network.value(inputs)[1].any()


def test_gradients_are_each_members_own() -> None:
    network = build(SPACES[0], 1, 2)
    inputs = torch.randn(2, 3, 5)
    together = network.gradient(network.value(inputs).square().mean(1).sum()).clone()
    for member in range(2):
        alone = network.gradient(network.value(inputs)[member].square().mean())
        torch.testing.assert_close(together[member], alone[member])
        assert not alone[1 - member].any()


def test_other_parameters_are_put_back_even_after_an_error() -> None:
    network = build(SPACES[0], 1, 2)
    before = network.data.clone()
    with network.using(torch.zeros_like(before)):
        assert not network.value(torch.randn(2, 3, 5)).any()
    assert torch.equal(network.data, before)
    with pytest.raises(KeyError), network.using(torch.zeros_like(before)):
        raise KeyError
    assert torch.equal(network.data, before)


def test_layers_name_the_parameters_that_compute_and_that_read_their_units() -> None:
    network = build(SPACES[0], 1, 2)
    found = network.layers(torch.randn(2, 9, 5))
    assert [activations.shape[-1] for _, activations in found] == [8, 6, 8, 6]
    for units, activations in found:
        assert units.incoming.weight.shape[units.incoming.unit_axis] == activations.shape[-1]
        assert all(after.weight.shape[after.input_axis] == activations.shape[-1] for after in units.outgoing)
    assert found[1][0].outgoing == (network.policy_head,)
    assert found[3][0].outgoing == (network.value_head,)
    assert build(SPACES[0], 1, shared=True).layers(torch.randn(1, 2, 5))[-1][0].outgoing[1].weight.shape[-1] == 1


@pytest.mark.parametrize("shared", [False, True])
def test_the_critics_own_parameters_are_those_a_policy_does_not_feel(shared: bool) -> None:
    network, seen = build(SPACES[2], 1, **({"shared": True} if shared else {})), torch.randn(1, 9, 5)
    policy = network.policy(seen).packed.detach().clone()
    value, alone = network.value(seen).detach().clone(), network.critic_alone()
    network.data += alone * torch.randn(network.data.shape)
    assert torch.equal(network.policy(seen).packed, policy)
    assert not torch.equal(network.value(seen), value)
    network.data += ~alone * torch.randn(network.data.shape)
    assert not torch.equal(network.policy(seen).packed, policy)
