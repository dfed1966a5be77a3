"""The torso of DQN and PPO on Atari: its shapes and numbers by hand, beside plain torch, members apart, units."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.networks.model import Model
from gtr_bench.networks.nature_cnn import NatureCNN, NatureCNNParameters
from gtr_bench.networks.torso import StackedConvolutions

ATARI = ObservationSpace((4, 84, 84), "uint8", frames=4)
SMALL = ObservationSpace((2, 40, 36), "uint8")


def torso(*seeds: int, space: ObservationSpace = ATARI, **settings: Any) -> StackedConvolutions:
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    found = NatureCNN.build(NatureCNNParameters(**settings), generators, space)
    assert isinstance(found, StackedConvolutions)
    return found


def images(members: int, count: int, space: ObservationSpace = ATARI) -> Tensor:
    generator = torch.Generator().manual_seed(count)
    return torch.randint(0, 256, (members, count, *space.shape), dtype=torch.uint8, generator=generator)


def plain(source: StackedConvolutions, member: int) -> nn.Sequential:
    """The same network in plain torch, with one member's weights."""
    layers: list[nn.Module] = []
    for own, (size, stride) in zip(source.convolutions, ((8, 4), (4, 2), (3, 1)), strict=True):
        layer = nn.Conv2d(own.weight.shape[2], own.weight.shape[1], size, stride)
        layer.weight.data.copy_(own.weight[member])
        layer.bias.data.copy_(own.bias[member])
        layers += [layer, nn.ReLU()]
    top = source.top.layers[0]
    linear = nn.Linear(*top.weight.shape[1:])
    linear.weight.data.copy_(top.weight[member].T)
    linear.bias.data.copy_(top.bias[member, 0])
    return nn.Sequential(*layers, nn.Flatten(), linear, nn.ReLU())


def test_it_has_the_published_layers_and_number_of_parameters() -> None:
    layers = torso(0).hidden_layers(images(1, 2))
    assert [tuple(layer.shape) for layer in layers] == [
        (1, 2, 32, 20, 20),
        (1, 2, 64, 9, 9),
        (1, 2, 64, 7, 7),
        (1, 2, 512),
    ]
    convolutions = (4 * 64 * 32 + 32) + (32 * 16 * 64 + 64) + (64 * 9 * 64 + 64)
    assert convolutions + (64 * 49 * 512 + 512) == 1_684_128
    assert sum(parameter.numel() for parameter in torso(0).parameters()) == 1_684_128


def test_weights_start_orthogonal_with_gain_root_two_and_biases_at_zero() -> None:
    for layer in torso(0).convolutions:
        rows = layer.weight[0].detach().flatten(1)
        torch.testing.assert_close(rows @ rows.T, 2 * torch.eye(len(rows)), atol=1e-4, rtol=0)
        assert not layer.bias.any()


def test_it_computes_what_plain_torch_modules_do_and_has_their_gradients() -> None:
    network = torso(3, 4)
    for layer in network.convolutions:
        nn.init.normal_(layer.bias, std=0.1)
    seen, wanted = images(2, 6), list(network.parameters())
    found = network(seen)
    torch.testing.assert_close(network.hidden_layers(seen)[-1], found, rtol=1e-4, atol=1e-5)
    gradients = torch.autograd.grad(found.square().sum(), wanted)
    for member in (0, 1):
        other = plain(network, member)
        expected = other(seen[member] / 255)
        torch.testing.assert_close(found[member], expected, rtol=1e-4, atol=1e-5)
        own = torch.autograd.grad(expected.square().sum(), list(other.parameters()))
        for mine, theirs in zip(gradients[:6], own[:6], strict=True):
            torch.testing.assert_close(mine[member], theirs, rtol=1e-3, atol=1e-3 * float(theirs.abs().max()))
        torch.testing.assert_close(gradients[6][member], own[6].T, rtol=1e-3, atol=1e-3 * float(own[6].abs().max()))


def test_a_member_computes_the_same_alone_and_among_others() -> None:
    seen = images(3, 4, SMALL)
    torch.testing.assert_close(torso(7, 8, 9, space=SMALL)(seen)[1:2], torso(8, space=SMALL)(seen[1:2]))


def test_small_images_are_refused() -> None:
    assert NatureCNN.fits(NatureCNNParameters(), ATARI) is None
    assert NatureCNN.fits(NatureCNNParameters(), ObservationSpace((1, 36, 36))) is None
    reason = "needs images of at least 36 x 36 pixels"
    assert NatureCNN.fits(NatureCNNParameters(), ObservationSpace((1, 84, 35))) == reason
    assert NatureCNN.fits(NatureCNNParameters(), ObservationSpace((4,))) == "reads images"
    assert torso(0, space=ObservationSpace((1, 36, 36))).places == 1


def test_its_channels_and_units_are_named_and_two_heads_may_share_them() -> None:
    settings = {"torso": "nature_cnn", "version": 1, "shared": True, "channels": [4, 4, 4], "hidden": [8]}
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    network = Model(settings, generators, Spaces(SMALL, ActionSpace("discrete", (3,))), 0.0)
    units, layers = zip(*network.layers(images(2, 3, SMALL)), strict=True)
    assert [layer.shape[2] for layer in layers] == [4, 4, 4, 8]
    assert units[2].repeat == network.actor.places
    assert units[3].outgoing == (network.policy_head, network.value_head)
    policy, value = network.evaluate(images(2, 3, SMALL))
    assert policy.mode().shape == value.shape == (2, 3)
