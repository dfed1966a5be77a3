"""Stacked layers equal single ones, and fast_tanh equals tanh."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from gtr_bench.networks.stacked import StackedConv2d, StackedLinear, fast_tanh


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def test_each_member_is_a_linear_layer_of_its_own() -> None:
    layer = StackedLinear(generators(1, 2, 3), 5, 4, 1.0)
    nn.init.normal_(layer.bias)
    inputs = torch.randn(3, 7, 5)
    for member in range(3):
        expected = nn.functional.linear(inputs[member], layer.weight[member].T, layer.bias[member, 0])
        torch.testing.assert_close(layer(inputs)[member], expected)


@pytest.mark.parametrize(("inputs", "outputs"), [(8, 3), (3, 8), (5, 5)])
def test_weights_start_orthogonal_with_their_gain_and_biases_at_zero(inputs: int, outputs: int) -> None:
    layer = StackedLinear(generators(0, 1), inputs, outputs, math.sqrt(2))
    weight = layer.weight.detach()
    gram = weight.transpose(1, 2) @ weight if outputs <= inputs else weight @ weight.transpose(1, 2)
    torch.testing.assert_close(gram, 2 * torch.eye(min(inputs, outputs)).expand_as(gram), atol=1e-5, rtol=0)
    assert not layer.bias.any()


def test_each_member_is_a_convolution_of_its_own_and_groups_compute_the_same() -> None:
    layer = StackedConv2d(generators(1, 2, 3), 4, 5, 3, 2, 1.0).double()
    nn.init.normal_(layer.bias)
    inputs = torch.randn(3, 7, 4, 9, 8, dtype=torch.float64, requires_grad=True)
    found, grouped = layer.one_by_one(inputs), layer.grouped(inputs)
    for member in range(3):
        weight, bias = layer.weight[member], layer.bias[member]
        assert torch.equal(found[member], nn.functional.conv2d(inputs[member], weight, bias, 2))
    torch.testing.assert_close(grouped, found)
    wanted = [inputs, layer.weight, layer.bias]
    for one, other in zip(*(torch.autograd.grad(y.square().sum(), wanted) for y in (found, grouped)), strict=True):
        torch.testing.assert_close(one, other)


def test_convolutions_start_orthogonal_each_member_from_its_own_generator() -> None:
    weight = StackedConv2d(generators(4, 5), 3, 8, 3, 1, math.sqrt(2)).weight.detach().flatten(2)
    torch.testing.assert_close(weight @ weight.transpose(1, 2), 2 * torch.eye(8).expand(2, 8, 8), atol=1e-5, rtol=0)
    assert torch.equal(weight[1:], StackedConv2d(generators(5), 3, 8, 3, 1, math.sqrt(2)).weight.detach().flatten(2))


def test_initial_weights_are_those_of_torchs_own_initialisation() -> None:
    reference = torch.empty(4, 6)
    nn.init.orthogonal_(reference, 0.5, generator=torch.Generator().manual_seed(9))
    assert torch.equal(StackedLinear(generators(9), 6, 4, 0.5).weight[0].T, reference)


def test_a_members_start_does_not_depend_on_its_cohort() -> None:
    alone, together = StackedLinear(generators(5), 6, 4, 1.0), StackedLinear(generators(3, 5), 6, 4, 1.0)
    assert torch.equal(alone.weight[0], together.weight[1])
    assert not torch.equal(together.weight[0], together.weight[1])


@pytest.mark.parametrize("size", [100, 100_000])
def test_fast_tanh_is_tanh_in_value_and_gradient(size: int) -> None:
    inputs = torch.cat([torch.linspace(-12, 12, size), torch.tensor([-1e4, 0.0, 1e4])]).requires_grad_()
    found, expected = fast_tanh(inputs), torch.tanh(inputs)
    torch.testing.assert_close(found, expected, atol=3e-7, rtol=0)
    left, right = (torch.autograd.grad(value.sum(), inputs)[0] for value in (found, expected))
    torch.testing.assert_close(left, right, atol=5e-7, rtol=0)
