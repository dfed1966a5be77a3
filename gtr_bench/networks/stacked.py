"""Layers with a leading member dimension.

RL networks are small: at these sizes the cost of an update is the number of operations, so M members share every
operation (`baddbmm` on weights `[M, in, out]`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Stacked", "StackedLinear", "fast_tanh"]

_SMALL = 8192  # elements


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
    """M independent linear layers, `[M, B, in] -> [M, B, out]`; orthogonal, zero biases (algorithms A.2, detail 2)."""

    unit_axis = 2
    input_axis = 1

    def __init__(self, generators: Sequence[torch.Generator], inputs: int, outputs: int, gain: float) -> None:
        """Initialise each member from its own generator, so that a member's start does not depend on its cohort."""
        super().__init__()
        self._shape, self._gain = (inputs, outputs), gain
        self.weight = nn.Parameter(self.fresh(generators))
        self.bias = nn.Parameter(torch.zeros(len(generators), 1, outputs))

    def fresh(self, generators: Sequence[torch.Generator]) -> Tensor:
        weight = torch.empty(len(generators), *self._shape)
        for member, generator in enumerate(generators):
            # orthogonal_ orthogonalises rows: transpose to give the layer's usual [out, in] orientation
            nn.init.orthogonal_(weight[member].T, self._gain, generator=generator)
        return weight

    def forward(self, inputs: Tensor) -> Tensor:
        """`[M, B, in] -> [M, B, out]`."""
        return torch.baddbmm(self.bias, inputs, self.weight)


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
