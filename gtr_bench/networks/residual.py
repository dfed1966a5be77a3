"""The residual torso of M members: sequences of a convolution, a pooling and residual blocks; a layer on top."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from gtr_bench.networks.residual_pass import Plan, residual_features
from gtr_bench.networks.stacked import StackedConv2d, StackedLinear
from gtr_bench.networks.torso import Torso, UnitLayer

__all__ = ["ResidualConvolutions"]

KEPT = 2**30
"""bytes of activations that may wait for the backward pass on a CPU, over all members"""


class ResidualConvolutions(Torso):
    """Every layer Glorot-uniform with zero biases; every convolution 3 x 3 with padding, every pooling halves.

    Its hidden layers are those whose units are one layer's alone: the first convolution of every residual block, after
    its relu, and the layer on top. The channels that blocks add to belong to several convolutions. Their order is
    the images' way through the network.

    On a CPU `forward` takes the members one after the other through a pass of its own (`residual_pass`); on a GPU they
    are groups of one convolution. Images may be uint8: they become float32 a few at a time, times `scale`.
    """

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        shape: Sequence[int],
        channels: Sequence[int],
        blocks: int,
        hidden: int,
        scale: float,
    ) -> None:
        super().__init__()

        def convolution(inputs: int, outputs: int) -> StackedConv2d:
            initial = nn.init.xavier_uniform_
            return StackedConv2d(generators, inputs, outputs, 3, 1, 1.0, padding=1, initial=initial)

        self.convolutions = nn.ModuleList()
        height, width = shape[1:]
        widest = hidden
        for inputs, outputs in pairwise([shape[0], *channels]):
            self.convolutions.append(convolution(inputs, outputs))
            self.convolutions.extend(convolution(outputs, outputs) for _ in range(2 * blocks))
            widest = max(widest, outputs * height * width)
            height, width = (height + 1) // 2, (width + 1) // 2
        size = channels[-1] * height * width
        self.top = StackedLinear(generators, size, hidden, 1.0, initial=nn.init.xavier_uniform_)
        self.features, self.largest_layer = hidden, widest
        self._plan = Plan(blocks, scale, KEPT // len(generators))

    def forward(self, observations: Tensor) -> Tensor:
        if observations.is_cuda:
            return super().forward(observations)
        layers: list[StackedConv2d] = list(self.convolutions)  # type: ignore[arg-type]
        weights = [part.unbind() for layer in layers for part in (layer.weight, layer.bias)]
        members = zip(observations, zip(*weights, strict=True), strict=True)
        found = torch.stack([residual_features(frames, own, self._plan) for frames, own in members])
        return torch.relu(self.top(found))

    def hidden_layers(self, observations: Tensor) -> list[Tensor]:
        images = observations.to(torch.float32)
        if self._plan.scale != 1:
            images = images * self._plan.scale
        found = []
        layers = iter(self.convolutions)
        for layer in layers:
            images = layer(images)
            pooled = functional.max_pool2d(images.flatten(0, 1), 3, 2, 1)
            images = pooled.view(*images.shape[:2], *pooled.shape[1:])
            for _ in range(self._plan.blocks):
                inner = torch.relu(next(layers)(torch.relu(images)))
                images = images + next(layers)(inner)
                found.append(inner)
        return [*found, torch.relu(self.top(torch.relu(images).flatten(2)))]

    def units(self) -> list[UnitLayer]:
        layers: list[StackedConv2d] = list(self.convolutions)  # type: ignore[arg-type]
        length = 1 + 2 * self._plan.blocks
        firsts = [place for place in range(len(layers)) if place % length % 2 == 1]
        return [*(UnitLayer(layers[place], (layers[place + 1],)) for place in firsts), UnitLayer(self.top, ())]
