"""Torsos as stacked modules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from gtr_bench.networks.stacked import StackedConv2d, StackedLinear, fast_tanh

__all__ = ["StackedConvolutions", "StackedMLP", "Torso"]


class Torso(nn.Module):
    """`[M, B, *O] -> [M, B, features]`; `hidden_layers` gives every hidden activation, for diagnostics."""

    features: int

    def hidden_layers(self, observations: Tensor) -> list[Tensor]:
        """Activations of each hidden layer `[M, B, units(, H, W)]`, the last one being the output `[M, B, units]`."""
        raise TypeError(f"{type(self).__name__} defines no hidden layers")

    def forward(self, observations: Tensor) -> Tensor:
        """The last hidden layer."""
        return self.hidden_layers(observations)[-1]


class StackedMLP(Torso):
    """Fully connected layers, orthogonal with gain sqrt(2)."""

    def __init__(
        self, generators: Sequence[torch.Generator], inputs: int, hidden: Sequence[int], activation: str
    ) -> None:
        super().__init__()
        sizes = [inputs, *hidden]
        self.layers = nn.ModuleList(
            StackedLinear(generators, size, sizes[index + 1], math.sqrt(2)) for index, size in enumerate(sizes[:-1])
        )
        self.activation = fast_tanh if activation == "tanh" else torch.relu
        self.features = sizes[-1]

    def hidden_layers(self, observations: Tensor) -> list[Tensor]:
        found = []
        for layer in self.layers:
            observations = self.activation(layer(observations))
            found.append(observations)
        return found


class StackedConvolutions(Torso):
    """Convolutions and fully connected layers after them, orthogonal with gain sqrt(2).

    Images `[M, B, C, H, W]` may be uint8: they become float32 here and nowhere before, times `scale`.
    """

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        shape: Sequence[int],
        channels: Sequence[int],
        kernel: int,
        stride: int,
        hidden: Sequence[int],
        activation: str,
        scale: float,
    ) -> None:
        super().__init__()
        sizes = [shape[0], *channels]
        self.convolutions = nn.ModuleList(
            StackedConv2d(generators, size, following, kernel, stride, math.sqrt(2))
            for size, following in pairwise(sizes)
        )
        height, width = shape[1:]
        for _ in channels:
            height, width = ((side - kernel) // stride + 1 for side in (height, width))
        self.top = StackedMLP(generators, sizes[-1] * height * width, hidden, activation)
        self.scale = scale
        self.features = self.top.features

    def hidden_layers(self, observations: Tensor) -> list[Tensor]:
        images = observations.to(torch.float32)
        if self.scale != 1:
            images = images * self.scale
        found = []
        for layer in self.convolutions:
            images = self.top.activation(layer(images))
            found.append(images)
        return [*found, *self.top.hidden_layers(images.flatten(2))]
