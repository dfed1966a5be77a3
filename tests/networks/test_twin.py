"""The stacked pair computes what the plain modules compute, and a member's numbers do not depend on its cohort."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.networks.model import Model
from gtr_bench.networks.twin import Twin

# observation size, hidden, head's width, deviations, activation
SHAPES = [
    (4, (64, 64), 2, 0, "tanh"),
    (3, (64, 64), 1, 1, "tanh"),
    (2, (256, 256, 256), 3, 0, "tanh"),
    (17, (64, 64), 6, 6, "tanh"),
    (5, (20,), 3, 0, "relu"),
    (5, (20, 36), 3, 0, "leaky_relu"),
]
BATCHES = (1, 7, 32, 33, 64, 100, 256, 1024)


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def filled(twin: Twin, members: int, seed: int = 0) -> Tensor:
    """Parameters whose padding is zero, as training leaves it."""
    parameters = torch.zeros(members, twin.size)
    for index, view in enumerate(twin.named(parameters).values()):
        view.copy_(numbers(*view.shape, seed=seed + index) * 0.3)
    return parameters


def plain(twin: Twin, members: int, activation: str) -> Model:
    action = ActionSpace("continuous" if twin.deviations else "discrete", (twin.outputs,))
    spaces = Spaces(ObservationSpace((twin.inputs,)), action)
    network = {"torso": "mlp", "version": 1, "hidden": list(twin.hidden), "activation": activation}
    return Model(network, [torch.Generator() for _ in range(members)], spaces, 0.0)


def slopes(members: int, size: int, outputs: int, deviations: int) -> tuple[Tensor, Tensor, Tensor]:
    return (
        numbers(members, size, outputs, seed=7),
        numbers(members, size, seed=8),
        numbers(members, 1, deviations, seed=9),
    )


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("size", [1, 33, 64])
@pytest.mark.parametrize(("inputs", "hidden", "outputs", "deviations", "activation"), SHAPES)
def test_values_and_gradients_are_those_of_the_plain_modules(
    members: int, size: int, inputs: int, hidden: Sequence[int], outputs: int, deviations: int, activation: str
) -> None:
    twin = Twin(inputs, hidden, outputs, activation, deviations=deviations)
    parameters, network = filled(twin, members).requires_grad_(), plain(twin, members, activation)
    named = dict(network.named_parameters())
    views = twin.named(parameters.detach())
    assert named.keys() == views.keys()
    for name, view in views.items():
        named[name].data.copy_(view)
    observations, given = numbers(members, size, inputs, seed=5), slopes(members, size, outputs, deviations)

    found = twin.evaluate(parameters, observations)
    expected = (network.policy_head(network.actor(observations)), network.value(observations), network.log_std * 1)
    torch.testing.assert_close(tuple(found), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(twin.policy(parameters, observations), expected[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(twin.value(parameters, observations), expected[1], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(twin.actor(parameters, size)(observations), expected[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        twin.features(parameters, observations), network.actor.hidden_layers(observations), rtol=1e-4, atol=1e-5
    )

    (gradient,) = torch.autograd.grad(tuple(found), parameters, given)
    used = {name: parameter for name, parameter in named.items() if parameter.numel()}
    for name, wanted in zip(used, torch.autograd.grad(expected, list(used.values()), given), strict=True):
        torch.testing.assert_close(twin.named(gradient)[name], wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("activation", ["tanh", "relu", "leaky_relu"])
def test_gradients_are_right_to_double_precision(activation: str) -> None:
    twin = Twin(3, (5, 4), 2, activation, deviations=2)
    parameters = filled(twin, 2).double().requires_grad_()
    observations = numbers(2, 6, 3).double()
    assert torch.autograd.gradcheck(lambda given: tuple(twin.evaluate(given, observations)), parameters)


def test_padding_has_no_gradient_and_stays_zero() -> None:
    twin = Twin(5, (20, 7), 3, "tanh", deviations=3)
    parameters = filled(twin, 2).requires_grad_()
    found = twin.evaluate(parameters, numbers(2, 33, 5))
    (gradient,) = torch.autograd.grad(tuple(found), parameters, slopes(2, 33, 3, 3))
    for view in twin.named(gradient).values():
        view.zero_()
    assert not gradient.any()


@pytest.mark.slow
@pytest.mark.parametrize(("inputs", "hidden", "outputs", "deviations", "activation"), SHAPES)
@pytest.mark.parametrize("size", BATCHES)
def test_a_members_numbers_are_bit_equal_in_every_cohort(
    size: int, inputs: int, hidden: Sequence[int], outputs: int, deviations: int, activation: str
) -> None:
    largest = 64 if size * max(hidden) <= 256 * 256 else 20
    twin = Twin(inputs, hidden, outputs, activation, deviations=deviations)
    everyone, observations = filled(twin, largest), numbers(largest, size, inputs, seed=5)
    given = slopes(largest, size, outputs, deviations)

    def passed(members: slice) -> list[Tensor]:
        parameters = everyone[members].clone().requires_grad_()
        seen = observations[members].clone()
        found = twin.evaluate(parameters, seen)
        gradient = torch.autograd.grad(tuple(found), parameters, [slope[members].clone() for slope in given])
        alone = [twin.policy(parameters, seen), twin.value(parameters, seen), twin.actor(parameters, size)(seen)]
        return [tensor.detach() for tensor in (*found, *gradient, *alone, *twin.features(parameters, seen))]

    together = passed(slice(0, largest))
    for count in (1, 2, 5, 20):
        for first in {0, 3 if count < 20 else 0, largest - count}:  # a member's place must not matter either
            members = slice(first, first + count)
            for fewer, more in zip(passed(members), together, strict=True):
                assert torch.equal(fewer, more[members])


def test_acting_follows_parameters_that_change_in_place() -> None:
    twin = Twin(4, (64, 64), 2, "tanh")
    parameters, observations = filled(twin, 2), numbers(2, 8, 4)
    act = twin.actor(parameters, 8)
    before = act(observations).clone()
    parameters.copy_(filled(twin, 2, seed=100))
    torch.testing.assert_close(act(observations), twin.policy(parameters, observations))
    assert not torch.equal(act(observations), before)


def test_two_passes_in_one_loss_add_their_gradients() -> None:
    twin = Twin(4, (16,), 2, "tanh")
    parameters = filled(twin, 2).requires_grad_()
    first, second = numbers(2, 8, 4), numbers(2, 5, 4, seed=1)

    def loss(observations: Tensor) -> Tensor:
        return twin.evaluate(parameters, observations).policy.square().sum()

    (both,) = torch.autograd.grad(loss(first) + loss(second), parameters)
    apart = [torch.autograd.grad(loss(each), parameters)[0] for each in (first, second)]
    torch.testing.assert_close(both, apart[0] + apart[1])


def test_parameters_changed_before_the_backward_pass_are_noticed() -> None:
    twin = Twin(4, (16,), 2, "tanh")
    parameters = filled(twin, 1).requires_grad_()
    loss = twin.evaluate(parameters, numbers(1, 8, 4)).values.sum()
    with torch.no_grad():
        parameters.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
