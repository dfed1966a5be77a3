"""The gated recurrent unit of M members."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gtr_bench.networks.stacked import StackedLinear
from gtr_bench.networks.torso import Memory, StackedMLP, Torso

__all__ = ["StackedGRU"]


class StackedGRU(Torso):
    """`h' = (1 - z) n + z h` with `n = tanh(W x + b + r (V h + c))`; gates r, z orthogonal with gain 1, biases zero.

    Weights of the three gates lie side by side, as in `torch.nn.GRUCell`: reset, update, new.
    """

    def __init__(
        self, generators: Sequence[torch.Generator], inputs: int, hidden: Sequence[int], units: int, activation: str
    ) -> None:
        super().__init__()
        self.encoder = StackedMLP(generators, inputs, hidden, activation) if hidden else None
        size = hidden[-1] if hidden else inputs
        self.gates = torch.nn.ModuleList(StackedLinear(generators, size, units, 1.0) for _ in range(3))
        self.recurrent = torch.nn.ModuleList(StackedLinear(generators, units, units, 1.0) for _ in range(3))
        self.features = self.carry_size = units
        self.largest_layer = max(3 * units, *hidden)

    def unroll(self, observations: Tensor, memory: Memory) -> tuple[list[Tensor], Tensor]:
        layers = [] if self.encoder is None else self.encoder.hidden_layers(observations)
        inputs = layers[-1] if layers else observations
        members, units, length = memory.starts.shape
        read = [gate(inputs).view(members, units, length, -1) for gate in self.gates]
        weight = torch.cat([layer.weight for layer in self.recurrent], 2)  # type: ignore[misc]
        bias = torch.cat([layer.bias for layer in self.recurrent], 2)  # type: ignore[misc]
        kept = ~memory.starts.unsqueeze(3)
        carry, states = memory.carry, []
        for step in range(length):
            carry = carry * kept[:, :, step]
            held = torch.baddbmm(bias, carry, weight).chunk(3, -1)
            reset = torch.sigmoid(read[0][:, :, step] + held[0])
            update = torch.sigmoid(read[1][:, :, step] + held[1])
            new = torch.tanh(read[2][:, :, step] + reset * held[2])
            carry = new + update * (carry - new)
            states.append(carry)
        stacked = torch.stack(states, 2)
        return [*layers, stacked.flatten(1, 2)], stacked
