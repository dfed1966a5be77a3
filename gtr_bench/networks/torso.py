"""What lies between observations and heads: torsos as stacked modules, with or without memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from gtr_bench.networks.stacked import ACTIVATIONS, Initial, Stacked, StackedConv2d, StackedLinear

__all__ = ["Memory", "StackedConvolutions", "StackedMLP", "Torso", "UnitLayer"]


class Memory(NamedTuple):
    """What a network with memory must know beside the observations of U units of L consecutive steps.

    Attributes:
        carry: `[M, U, H]`, its state before each unit's first step.
        starts: bool `[M, U, L]`, whether an episode begins at the step: the carry is zeroed there.
    """

    carry: Tensor
    starts: Tensor

    @property
    def length(self) -> int:
        """L."""
        return self.starts.shape[2]


class UnitLayer(NamedTuple):
    """One hidden layer as methods that keep a network plastic see it.

    Attributes:
        incoming: the layer that computes the units; outgoing: those that read them.
        repeat: positions of each unit in the outgoing layers' inputs (a channel read by a linear layer), else 1; a
            unit's positions lie side by side.
    """

    incoming: Stacked
    outgoing: tuple[Stacked, ...]
    repeat: int = 1


class Torso(nn.Module):
    """`[M, B, *O] -> [M, B, features]`.

    Attributes:
        features: numbers handed to a head.
        carry_size: H, numbers carried from step to step; 0 without memory. A torso with memory overrides `unroll`,
            one without overrides `hidden_layers`.
        largest_layer: numbers per sample of the widest activation; bounds how much is computed at once.
        initial: how weights are drawn at the start, those of the heads too.
    """

    features: int
    carry_size: int = 0
    largest_layer: int = 256
    initial: Initial = staticmethod(nn.init.orthogonal_)

    def hidden_layers(self, observations: Tensor) -> list[Tensor]:
        """Activations of each hidden layer `[M, B, units(, H, W)]`, the last one being the output `[M, B, units]`."""
        raise TypeError(f"{type(self).__name__} defines no hidden layers")

    def forward(self, observations: Tensor) -> Tensor:
        """The last hidden layer."""
        return self.hidden_layers(observations)[-1]

    def unroll(self, observations: Tensor, memory: Memory) -> tuple[list[Tensor], Tensor]:
        """Hidden layers `[M, U * L, units]` of units of L steps, and the carry after each step `[M, U, L, H]`."""
        raise TypeError(f"{type(self).__name__} has no memory")

    def units(self) -> list[UnitLayer]:
        """The hidden layers' parameters in the order of `hidden_layers`; the last one's `outgoing` is left empty."""
        return []


class StackedMLP(Torso):
    """Fully connected layers, orthogonal with gain sqrt(2) unless told otherwise."""

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        inputs: int,
        hidden: Sequence[int],
        activation: str,
        initial: Initial = nn.init.orthogonal_,
    ) -> None:
        super().__init__()
        sizes, self.initial = [inputs, *hidden], initial
        self.layers = nn.ModuleList(
            StackedLinear(generators, size, sizes[index + 1], math.sqrt(2), initial)
            for index, size in enumerate(sizes[:-1])
        )
        self.hidden, self.activation_name = tuple(hidden), activation
        self.activation = ACTIVATIONS[activation]
        self.features = sizes[-1]
        self.largest_layer = max(hidden)

    def hidden_layers(self, observations: Tensor) -> list[Tensor]:
        found = []
        for layer in self.layers:
            observations = self.activation(layer(observations))
            found.append(observations)
        return found

    def units(self) -> list[UnitLayer]:
        layers: list[StackedLinear] = list(self.layers)  # type: ignore[arg-type]
        return [UnitLayer(layer, tuple(layers[place + 1 : place + 2])) for place, layer in enumerate(layers)]


class StackedConvolutions(Torso):
    """Convolutions and fully connected layers after them, orthogonal with gain sqrt(2).

    Images `[M, B, C, H, W]` may be uint8: they become float32 here and nowhere before, times `scale`.
    With `channels_last`, `forward` takes the members one after the other on a CPU, images channels last: learning from
    the large images of Atari is a third faster, and equal but for rounding.
    """

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        shape: Sequence[int],
        channels: Sequence[int],
        kernels: Sequence[int],
        strides: Sequence[int],
        hidden: Sequence[int],
        activation: str,
        scale: float,
        *,
        channels_last: bool = False,
    ) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            StackedConv2d(generators, size, following, kernel, stride, math.sqrt(2))
            for (size, following), kernel, stride in zip(pairwise([shape[0], *channels]), kernels, strides, strict=True)
        )
        height, width = shape[1:]
        widest = 0
        for outputs, kernel, stride in zip(channels, kernels, strides, strict=True):
            height, width = ((side - kernel) // stride + 1 for side in (height, width))
            widest = max(widest, outputs * height * width)
        self.places = height * width
        self.top = StackedMLP(generators, channels[-1] * self.places, hidden, activation)
        self.scale, self.channels_last = scale, channels_last
        self.features = self.top.features
        self.largest_layer = max(widest, self.top.largest_layer)

    def forward(self, observations: Tensor) -> Tensor:
        if observations.is_cuda or not self.channels_last:
            return super().forward(observations)
        found: Tensor = self.top(
            torch.stack([self._last(images, member) for member, images in enumerate(observations)])
        )
        return found

    def _last(self, images: Tensor, member: int) -> Tensor:
        """What the last convolution of one member says, `[B, C, H, W]` to `[B, units]`."""
        images = self._pixels(images.contiguous(memory_format=torch.channels_last))
        layers: list[StackedConv2d] = list(self.convolutions)  # type: ignore[arg-type]
        for layer in layers:
            images = functional.conv2d(images, layer.weight[member], layer.bias[member], layer.stride)
            images = self.top.activation(images)
        return images.flatten(1)

    def _pixels(self, images: Tensor) -> Tensor:
        images = images.to(torch.float32)
        return images if self.scale == 1 else images * self.scale

    def hidden_layers(self, observations: Tensor) -> list[Tensor]:
        images = self._pixels(observations)
        found = []
        for layer in self.convolutions:
            images = self.top.activation(layer(images))
            found.append(images)
        return [*found, *self.top.hidden_layers(images.flatten(2))]

    def units(self) -> list[UnitLayer]:
        layers: list[Stacked] = list(self.convolutions)  # type: ignore[arg-type]
        top = self.top.units()
        found = [UnitLayer(layer, tuple(layers[place + 1 : place + 2])) for place, layer in enumerate(layers)]
        found[-1] = UnitLayer(layers[-1], (top[0].incoming,), repeat=self.places)
        return [*found, *top]
