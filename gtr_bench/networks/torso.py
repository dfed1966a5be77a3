"""Torsos as stacked modules."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gtr_bench.networks.stacked import StackedLinear, fast_tanh

__all__ = ["StackedMLP", "Torso"]


class Torso(nn.Module):
    """`[M, B, D] -> [M, B, features]`; `hidden_layers` gives every hidden activation, for diagnostics."""

    features: int

    def hidden_layers(self, observations: Tensor) -> list[Tensor]:
        """Activations of each hidden layer `[M, B, units]`, the last one being the output."""
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
