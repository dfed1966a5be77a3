"""IMPALA's torso: its shapes and numbers by hand, beside plain torch modules, members apart, memory, units."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.networks.impala_cnn import ImpalaCNN, ImpalaCNNParameters
from gtr_bench.networks.model import Model
from gtr_bench.networks.residual import ResidualConvolutions

PROCGEN = ObservationSpace((3, 64, 64), "uint8")
SMALL = ObservationSpace((2, 13, 10), "uint8")
NARROW: dict[str, Any] = {"channels": (4, 6), "hidden": 5}


def torso(*seeds: int, space: ObservationSpace = SMALL, **settings: Any) -> ResidualConvolutions:
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    found = ImpalaCNN.build(ImpalaCNNParameters(**(settings or NARROW)), generators, space)
    assert isinstance(found, ResidualConvolutions)
    return found


def images(members: int, count: int, space: ObservationSpace = SMALL) -> Tensor:
    generator = torch.Generator().manual_seed(count)
    return torch.randint(0, 256, (members, count, *space.shape), dtype=torch.uint8, generator=generator)


class Plain(nn.Module):
    """The same network in plain torch, with one member's weights."""

    def __init__(self, source: ResidualConvolutions, member: int, blocks: int = 2) -> None:
        super().__init__()
        self.blocks = blocks
        self.convolutions = nn.ModuleList()
        for layer in source.convolutions:
            outputs, inputs = layer.weight.shape[1:3]
            own = nn.Conv2d(inputs, outputs, 3, padding=1, dtype=layer.weight.dtype)
            own.weight.data.copy_(layer.weight[member])
            own.bias.data.copy_(layer.bias[member])
            self.convolutions.append(own)
        self.top = nn.Linear(*source.top.weight.shape[1:], dtype=source.top.weight.dtype)
        self.top.weight.data.copy_(source.top.weight[member].T)
        self.top.bias.data.copy_(source.top.bias[member, 0])

    def forward(self, frames: Tensor) -> Tensor:
        found, layers = frames.to(self.top.weight.dtype) / 255, iter(self.convolutions)
        for layer in layers:
            found = functional.max_pool2d(layer(found), 3, stride=2, padding=1)
            for _ in range(self.blocks):
                inner = next(layers)(found.relu()).relu()
                found = found + next(layers)(inner)
        return self.top(found.relu().flatten(1)).relu()


def test_procgens_network_has_the_published_number_of_parameters() -> None:
    """A 3 x 3 convolution from a to b channels has 9ab + b; the image is 64, 32, 16 and at last 8 pixels wide."""
    network = torso(0, space=PROCGEN, **ImpalaCNNParameters().model_dump())
    first = (9 * 3 * 16 + 16) + 4 * (9 * 16 * 16 + 16)
    second = (9 * 16 * 32 + 32) + 4 * (9 * 32 * 32 + 32)
    third = 5 * (9 * 32 * 32 + 32)
    assert first + second + third + (32 * 8 * 8 * 256 + 256) == 622_144
    assert sum(parameter.numel() for parameter in network.parameters()) == 622_144
    layers = [tuple(layer.shape) for layer in network.hidden_layers(images(1, 2, PROCGEN))]
    assert layers == [(1, 2, 16, 32, 32)] * 2 + [(1, 2, 32, 16, 16)] * 2 + [(1, 2, 32, 8, 8)] * 2 + [(1, 2, 256)]
    agent = model(0, space=PROCGEN, actions=15, shared=True, **ImpalaCNNParameters().model_dump())
    assert agent.data.shape == (1, 626_256)  # 15 actions and a value on one trunk, as CleanRL's agent


def test_weights_start_glorot_uniform_and_biases_at_zero() -> None:
    network = torso(0, space=PROCGEN, channels=(16, 32), hidden=64)
    for layer in network.convolutions:
        bound = (6 / (9 * (layer.weight.shape[1] + layer.weight.shape[2]))) ** 0.5
        assert 0.97 * bound < layer.weight.abs().max() <= bound
        assert not layer.bias.any()
    bound = (6 / sum(network.top.weight.shape[1:])) ** 0.5
    assert 0.97 * bound < network.top.weight.abs().max() <= bound


@pytest.mark.parametrize("blocks", [1, 2])
@pytest.mark.parametrize("kept", [0, 2**30])
def test_it_computes_what_plain_torch_modules_do_and_has_their_gradients(blocks: int, kept: int) -> None:
    """In double precision, in chunks whose last one is short, with and without room for what waits."""
    network = torso(3, 4, blocks=blocks, **NARROW).double()
    network._plan = network._plan._replace(kept=kept)
    for layer in network.convolutions:
        nn.init.normal_(layer.bias)
    seen, wanted = images(2, 70), list(network.parameters())
    found = network(seen)
    weights = torch.randn_like(found)
    gradients = torch.autograd.grad((found * weights).sum(), wanted)
    for member in (0, 1):
        plain = Plain(network, member, blocks)
        expected = plain(seen[member])
        torch.testing.assert_close(found[member], expected)
        own = torch.autograd.grad((expected * weights[member]).sum(), list(plain.parameters()))
        for mine, theirs in zip(gradients[:-2], own[:-2], strict=True):
            torch.testing.assert_close(mine[member], theirs)
        torch.testing.assert_close(gradients[-2][member], own[-2].T)
    with torch.no_grad():
        torch.testing.assert_close(network(seen), found)


def test_single_precision_is_as_plain_torch_to_rounding_whatever_waits() -> None:
    network = torso(1, space=PROCGEN, **ImpalaCNNParameters().model_dump())
    seen = images(1, 40, PROCGEN)
    found = network(seen)
    torch.testing.assert_close(found[0], Plain(network, 0)(seen[0]), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(network.hidden_layers(seen)[-1], found, rtol=1e-4, atol=1e-5)
    whole = torch.autograd.grad(found.square().sum(), list(network.parameters()))
    network._plan = network._plan._replace(kept=1)
    again = torch.autograd.grad(network(seen).square().sum(), list(network.parameters()))
    assert all(torch.equal(one, other) for one, other in zip(whole, again, strict=True))


def test_gradients_have_gradients() -> None:
    """A natural-gradient method asks for curvature: second derivatives equal those of plain modules."""
    network, seen = torso(2).double(), images(1, 6)
    plain = Plain(network, 0)

    def curvature(module: nn.Module, frames: Tensor) -> list[Tensor]:
        wanted = [layer.weight for layer in module.convolutions]
        first = torch.autograd.grad(module(frames).square().sum(), wanted, create_graph=True)
        return list(torch.autograd.grad(sum(each.square().sum() for each in first), wanted))

    for mine, theirs in zip(curvature(network, seen), curvature(plain, seen[0]), strict=True):
        torch.testing.assert_close(mine.view_as(theirs), theirs)


def test_a_gradient_may_be_asked_for_twice() -> None:
    network = torso(2)
    loss = network(images(1, 40)).sum()
    first = torch.autograd.grad(loss, list(network.parameters()), retain_graph=True)
    second = torch.autograd.grad(loss, list(network.parameters()))
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


def test_a_member_computes_the_same_alone_and_among_others() -> None:
    seen = images(3, 9)
    together, alone = torso(7, 8, 9), torso(8)
    torch.testing.assert_close(together(seen)[1:2], alone(seen[1:2]))
    gradients = [
        torch.autograd.grad(each.square().sum(), list(network.parameters()))
        for network, each in ((together, together(seen)[1]), (alone, alone(seen[1:2])))
    ]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one[1:2], other)


def test_small_images_are_refused_and_floats_are_read_as_they_are() -> None:
    parameters = ImpalaCNNParameters()
    assert ImpalaCNN.fits(parameters, PROCGEN) is None
    assert ImpalaCNN.fits(parameters, ObservationSpace((3, 8, 9))) is None
    reason = "halves images 3 times and needs at least 8 x 8 pixels"
    assert ImpalaCNN.fits(parameters, ObservationSpace((3, 64, 7))) == reason
    assert ImpalaCNN.fits(parameters, ObservationSpace((4,))) == "reads images"
    seen, floats = images(1, 3), ObservationSpace(SMALL.shape)
    torch.testing.assert_close(torso(1, space=floats)(seen / 255), torso(1)(seen))
    torch.testing.assert_close(torso(1, pixels="unit", **NARROW)(seen), torso(1, space=floats)(seen.float()))


def model(
    *seeds: int, space: ObservationSpace = SMALL, actions: int = 3, shared: bool = False, **settings: Any
) -> Model:
    network = {"torso": "impala_cnn", "version": 1, **(settings or NARROW)} | ({"shared": True} if shared else {})
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return Model(network, generators, Spaces(space, ActionSpace("discrete", (actions,))), 0.0)


@pytest.mark.parametrize("shared", [False, True])
def test_its_units_are_the_blocks_inner_channels_and_the_layer_on_top(shared: bool) -> None:
    network = model(1, 2, shared=shared)
    units, layers = zip(*network.layers(images(2, 3)), strict=True)
    own = network.actor.convolutions
    expected = [own[1], own[3], own[6], own[8], network.actor.top]
    assert [layer.incoming for layer in units[:5]] == expected
    assert [layer.outgoing for layer in units[:4]] == [(own[place],) for place in (2, 4, 7, 9)]
    heads = (network.policy_head, network.value_head) if shared else (network.policy_head,)
    assert units[4].outgoing == heads
    assert len(units) == (5 if shared else 10)
    for unit, activations in zip(units, layers, strict=True):
        assert activations.shape[2] == unit.incoming.weight.shape[unit.incoming.unit_axis]


def test_a_silent_units_outgoing_weights_do_not_matter() -> None:
    """What ReDo relies on: cutting a unit that never answers changes nothing."""
    network, seen = torso(5), images(1, 8)
    units = network.units()
    with torch.no_grad():
        for unit in units[:-1]:
            unit.incoming.bias[:, 1] = -1e4
        before = network(seen)
        for unit in units[:-1]:
            unit.outgoing[0].weight[:, :, 1] = 7
    assert torch.equal(network(seen), before)
