"""The convolutional torso: shapes, bytes, members apart, what it can and cannot read, its units in the diagnostics."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.learn.diagnostics import dormant_fraction, feature_rank
from gtr_bench.networks.conv import Conv, ConvParameters
from gtr_bench.networks.mlp import MLP, MLPParameters
from gtr_bench.networks.model import Model
from gtr_bench.networks.torso import StackedConvolutions, Torso

MINATAR = ObservationSpace((4, 10, 10), "uint8")


def torso(*seeds: int, space: ObservationSpace = MINATAR, **settings: Any) -> Torso:
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return Conv.build(ConvParameters(**settings), generators, space)


def images(members: int, count: int, high: int = 2) -> torch.Tensor:
    return torch.randint(0, high, (members, count, 4, 10, 10), dtype=torch.uint8)


def test_the_default_has_the_layers_of_minatars_paper() -> None:
    layers = torso(0).hidden_layers(images(1, 3))
    assert [tuple(layer.shape) for layer in layers] == [(1, 3, 16, 8, 8), (1, 3, 128)]
    assert sum(parameter.numel() for parameter in torso(0).parameters()) == 16 * (4 * 9 + 1) + 128 * (1024 + 1)


def test_a_member_computes_the_same_alone_and_among_others() -> None:
    seen = images(3, 5)
    assert torch.equal(torso(7, 8, 9)(seen)[1:2], torso(8)(seen[1:2]))


def test_bits_are_read_as_they_are_and_bytes_as_shares_of_255() -> None:
    seen = images(1, 6, 256)
    as_bytes = torso(1, pixels="byte")(seen)
    torch.testing.assert_close(as_bytes, torso(1, pixels="unit")(seen.float() / 255))
    floats = ObservationSpace((4, 10, 10))
    torch.testing.assert_close(torso(1, space=floats, pixels="byte")(seen / 255), as_bytes)


def test_several_convolutions_with_strides_fit_images_that_are_not_square() -> None:
    found = torso(1, 2, space=ObservationSpace((3, 12, 9)), channels=(4, 6), stride=2, hidden=(5, 7), activation="tanh")
    layers = found.hidden_layers(torch.rand(2, 8, 3, 12, 9))
    assert [tuple(layer.shape[2:]) for layer in layers] == [(4, 5, 4), (6, 2, 1), (5,), (7,)]
    assert found.features == 7


def test_networks_say_what_they_cannot_read() -> None:
    assert Conv.fits(ConvParameters(), MINATAR) is None
    assert Conv.fits(ConvParameters(), ObservationSpace((4,))) == "reads images"
    deep = ConvParameters(channels=(2, 2), kernel=6)
    assert Conv.fits(deep, MINATAR) == "has windows that are too large after 2 convolutions"
    assert MLP.fits(MLPParameters(), ObservationSpace((4,))) is None
    assert MLP.fits(MLPParameters(), MINATAR) == "reads vectors of numbers"
    assert MLP.fits(MLPParameters(), ObservationSpace((128,), "uint8")) == "reads vectors of numbers"


def test_channels_are_units_whose_activity_is_averaged_over_places() -> None:
    network = torso(3, 4)
    assert isinstance(network, StackedConvolutions)
    layer = network.convolutions[0]
    with torch.no_grad():
        layer.bias[1, :4] = -1e3  # four of the second member's channels never fire
        layers = network.hidden_layers(images(2, 64))
    scores = layers[0].mean((1, 3, 4))
    dead = scores / scores.mean(1, keepdim=True) <= 0.025
    assert int(dead[1].sum()) >= 4
    top = layers[1].mean(1)
    expected = (dead.sum(1) + (top / top.mean(1, keepdim=True) <= 0.025).sum(1)) / (16 + 128)
    torch.testing.assert_close(dormant_fraction(layers), expected)
    assert (feature_rank(layers[-1]) > 1).all()


@pytest.mark.parametrize("members", [1, 3])
def test_actor_and_critic_take_images_of_bytes(members: int) -> None:
    spaces = Spaces(MINATAR, ActionSpace("discrete", (6,)))
    settings = {"torso": "conv", "version": 1, **ConvParameters().model_dump()}
    network = Model(settings, [torch.Generator().manual_seed(m) for m in range(members)], spaces, 0.0)
    seen = images(members, 5)
    assert network.policy(seen).mode().shape == (members, 5)
    assert network.value(seen).shape == (members, 5)
    units, layers = zip(*network.layers(seen), strict=True)
    assert [layer.shape[2] for layer in layers] == [16, 128] * 2
    assert units[0].repeat == 64  # places of a channel in what the layer above reads
    assert units[0].outgoing == (units[1].incoming,)
    assert units[1].outgoing == (network.policy_head,)
    assert units[0].incoming.weight.shape[units[0].incoming.unit_axis] == 16
