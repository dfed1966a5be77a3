"""Layers with a leading member dimension, and one flat buffer that holds all of a cohort's parameters.

RL networks are small: at these sizes the cost of an update is the number of operations, so M members share every
operation (`baddbmm` on weights `[M, in, out]`), and the optimizer sees one tensor `[M, P]`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

__all__ = ["FlatParameters", "StackedLinear"]


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


class FlatParameters:
    """All parameters of a stacked module as one tensor `[M, P]`, and their gradients as another.

    The module's parameters become views of `data` and their `.grad` views of `grad`: autograd accumulates into the
    flat gradient, so clipping, optimizer steps and snapshots are a handful of operations however many layers there are.
    """

    def __init__(self, module: nn.Module, members: int) -> None:
        parameters = list(module.parameters())
        size = sum(parameter[0].numel() for parameter in parameters)
        self.data = torch.empty(members, size, device=parameters[0].device)
        self.grad = torch.zeros_like(self.data)
        offset = 0
        for parameter in parameters:
            stop = offset + parameter[0].numel()
            view = self.data[:, offset:stop].view(parameter.shape)
            view.copy_(parameter.detach())
            parameter.data = view
            parameter.grad = self.grad[:, offset:stop].view(parameter.shape)
            offset = stop

    @contextmanager
    def swapped(self, values: Tensor) -> Iterator[None]:
        """Run the module with other parameters `[M, P]` for a while (no gradients)."""
        kept = self.data.clone()
        self.data.copy_(values)
        try:
            yield
        finally:
            self.data.copy_(kept)
