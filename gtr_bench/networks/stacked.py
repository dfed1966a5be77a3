"""Layers with a leading member dimension.

RL networks are small: at these sizes the cost of an update is the number of operations, so M members share every
operation (`baddbmm` on weights `[M, in, out]`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = [
    "ACTIVATIONS", "LEAK", "Initial", "Stacked", "StackedConv2d", "StackedLinear", "fast_tanh", "uniform_by_inputs_",
]  # fmt: skip

_SMALL = 8192  # elements

Initial = Callable[..., Tensor]
"""fills a weight `[out, in, ...]` in place, given a gain and a generator: torch's `orthogonal_`, `xavier_uniform_`"""

LEAK = 0.1
"""slope of `leaky_relu` below 0, as in TRAC's and C-CHAIN's networks (protocols 8)"""


def uniform_by_inputs_(weight: Tensor, gain: float, generator: torch.Generator) -> Tensor:
    """Uniform within 1 / sqrt(inputs), which torch's linear layers start from; the gain does not count."""
    bound = 1 / math.sqrt(weight[0].numel())
    return weight.uniform_(-bound, bound, generator=generator)


class Stacked(nn.Module):
    """A layer of M members: weights, biases, and how its units are drawn anew.

    Attributes:
        weight: `[M, ...]`; bias: `[M, ...]`.
        unit_axis, input_axis: where the units computed and the inputs read lie in `weight`.
    """

    weight: nn.Parameter
    bias: nn.Parameter
    unit_axis: int
    input_axis: int

    def fresh(self, generators: Sequence[torch.Generator]) -> Tensor:
        """Weights as at the start, shape of `weight`, each member's from its own generator."""
        raise TypeError(f"{type(self).__name__} cannot be drawn anew")


class StackedLinear(Stacked):
    """M independent linear layers, `[M, B, in] -> [M, B, out]`; zero biases (algorithms A.2, detail 2)."""

    unit_axis = 2
    input_axis = 1

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        inputs: int,
        outputs: int,
        gain: float,
        initial: Initial = nn.init.orthogonal_,
    ) -> None:
        """Initialise each member from its own generator, so that a member's start does not depend on its cohort."""
        super().__init__()
        self._shape, self._gain, self._initial = (inputs, outputs), gain, initial
        self.weight = nn.Parameter(self.fresh(generators))
        self.bias = nn.Parameter(torch.zeros(len(generators), 1, outputs))

    def fresh(self, generators: Sequence[torch.Generator]) -> Tensor:
        weight = torch.empty(len(generators), *self._shape)
        for member, generator in enumerate(generators):
            # orthogonal_ orthogonalises rows: transpose to give the layer's usual [out, in] orientation
            self._initial(weight[member].T, self._gain, generator=generator)
        return weight

    def forward(self, inputs: Tensor) -> Tensor:
        """`[M, B, in] -> [M, B, out]`."""
        return torch.baddbmm(self.bias, inputs, self.weight)


class StackedConv2d(Stacked):
    """M independent convolutions, `[M, B, in, H, W] -> [M, B, out, H', W']`; zero biases.

    One grouped convolution on a GPU, one after the other on a CPU, where groups are slower; equal but for rounding.
    """

    unit_axis = 1
    input_axis = 2

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int,
        gain: float,
        *,
        padding: int = 0,
        initial: Initial = nn.init.orthogonal_,
    ) -> None:
        """Initialise each member from its own generator."""
        super().__init__()
        self._shape, self._gain, self._initial = (outputs, inputs, kernel, kernel), gain, initial
        self.stride, self.padding = stride, padding
        self.weight = nn.Parameter(self.fresh(generators))
        self.bias = nn.Parameter(torch.zeros(len(generators), outputs))

    def fresh(self, generators: Sequence[torch.Generator]) -> Tensor:
        weight = torch.empty(len(generators), *self._shape)
        for member, generator in enumerate(generators):
            self._initial(weight[member], self._gain, generator=generator)
        return weight

    def forward(self, inputs: Tensor) -> Tensor:
        """`[M, B, in, H, W] -> [M, B, out, H', W']`."""
        return self.grouped(inputs) if inputs.is_cuda else self.one_by_one(inputs)

    def one_by_one(self, inputs: Tensor) -> Tensor:
        """The members after each other."""
        members = zip(inputs, self.weight, self.bias, strict=True)
        return torch.stack(
            [functional.conv2d(x, weight, bias, self.stride, self.padding) for x, weight, bias in members]
        )

    def grouped(self, inputs: Tensor) -> Tensor:
        """The members as groups of channels of one convolution."""
        members, size = inputs.shape[:2]
        channels = inputs.transpose(0, 1).flatten(1, 2)
        weight, bias = self.weight.flatten(0, 1), self.bias.flatten()
        found = functional.conv2d(channels, weight, bias, self.stride, self.padding, groups=members)
        return found.view(size, members, -1, *found.shape[2:]).transpose(0, 1)


class _FastTanh(torch.autograd.Function):
    """tanh as `2 sigmoid(2 x) - 1`: absolute error 1e-7, faster on CPUs, where tanh was a third of an update."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor) -> Tensor:
        output = torch.mul(inputs, 2).sigmoid_().mul_(2).sub_(1)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (output,) = ctx.saved_tensors
        result: Tensor = torch.ops.aten.tanh_backward(gradients[0], output)
        return result


def fast_tanh(inputs: Tensor) -> Tensor:
    """tanh to 1e-7; small inputs, where the number of operations costs more than the arithmetic, take torch's own."""
    if inputs.numel() < _SMALL or inputs.is_cuda:
        return torch.tanh(inputs)
    result: Tensor = _FastTanh.apply(inputs)  # type: ignore[no-untyped-call]
    return result


ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "tanh": fast_tanh,
    "relu": torch.relu,
    "leaky_relu": partial(functional.leaky_relu, negative_slope=LEAK),
}
