"""Layers with a leading member dimension, and one flat buffer that holds all of a cohort's parameters.

RL networks are small: at these sizes the cost of an update is the number of operations, so M members share every
operation (`baddbmm` on weights `[M, in, out]`), and the optimizer sees one tensor `[M, P]`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["FlatParameters", "StackedConv2d", "StackedLinear", "fast_tanh"]

_SMALL = 8192  # elements


class StackedLinear(nn.Module):
    """M independent linear layers, `[M, B, in] -> [M, B, out]`; orthogonal weights, zero biases (PPO detail 2)."""

    def __init__(self, generators: Sequence[torch.Generator], inputs: int, outputs: int, gain: float) -> None:
        """Initialise each member from its own generator, so that a member's start does not depend on its cohort."""
        super().__init__()
        weight = torch.empty(len(generators), inputs, outputs)
        for member, generator in enumerate(generators):
            # orthogonal_ orthogonalises rows: transpose to give the layer's usual [out, in] orientation
            nn.init.orthogonal_(weight[member].T, gain, generator=generator)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(len(generators), 1, outputs))

    def forward(self, inputs: Tensor) -> Tensor:
        """`[M, B, in] -> [M, B, out]`."""
        return torch.baddbmm(self.bias, inputs, self.weight)


class StackedConv2d(nn.Module):
    """M independent convolutions, `[M, B, in, H, W] -> [M, B, out, H', W']`; orthogonal weights, zero biases.

    One grouped convolution on a GPU, one after the other on a CPU, where groups are slower; equal but for rounding.
    """

    def __init__(
        self, generators: Sequence[torch.Generator], inputs: int, outputs: int, kernel: int, stride: int, gain: float
    ) -> None:
        """Initialise each member from its own generator."""
        super().__init__()
        weight = torch.empty(len(generators), outputs, inputs, kernel, kernel)
        for member, generator in enumerate(generators):
            nn.init.orthogonal_(weight[member], gain, generator=generator)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(len(generators), outputs))
        self.stride = stride

    def forward(self, inputs: Tensor) -> Tensor:
        """`[M, B, in, H, W] -> [M, B, out, H', W']`."""
        return self.grouped(inputs) if inputs.is_cuda else self.one_by_one(inputs)

    def one_by_one(self, inputs: Tensor) -> Tensor:
        """The members after each other."""
        members = zip(inputs, self.weight, self.bias, strict=True)
        return torch.stack([functional.conv2d(x, weight, bias, self.stride) for x, weight, bias in members])

    def grouped(self, inputs: Tensor) -> Tensor:
        """The members as groups of channels of one convolution."""
        members, size = inputs.shape[:2]
        channels = inputs.transpose(0, 1).flatten(1, 2)
        found = functional.conv2d(channels, self.weight.flatten(0, 1), self.bias.flatten(), self.stride, groups=members)
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


class FlatParameters:
    """All parameters of a stacked module as one tensor `[M, P]`, and their gradients as another.

    The module's parameters become views of `data`, so clipping, optimizer steps and snapshots are a handful of
    operations however many layers there are.
    """

    def __init__(self, module: nn.Module, members: int) -> None:
        # a parameter without elements (the log std of discrete policies) has no gradient
        self._parameters = [parameter for parameter in module.parameters() if parameter.numel()]
        self._members = members
        size = sum(parameter[0].numel() for parameter in self._parameters)
        self.data = torch.empty(members, size, device=self._parameters[0].device)
        self.grad = torch.zeros_like(self.data)
        offset = 0
        for parameter in self._parameters:
            stop = offset + parameter[0].numel()
            view = self.data[:, offset:stop].view(parameter.shape)
            view.copy_(parameter.detach())
            parameter.data = view
            offset = stop

    def backward(self, loss: Tensor) -> Tensor:
        """The gradient of a scalar loss with respect to all parameters, in `grad` `[M, P]`."""
        gradients = torch.autograd.grad(loss, self._parameters)
        return torch.cat([gradient.reshape(self._members, -1) for gradient in gradients], 1, out=self.grad)

    @contextmanager
    def swapped(self, values: Tensor) -> Iterator[None]:
        """Run the module with other parameters `[M, P]` for a while (no gradients)."""
        kept = self.data.clone()
        self.data.copy_(values)
        try:
            yield
        finally:
            self.data.copy_(kept)
