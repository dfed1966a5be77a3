"""The residual trunk of one member on a CPU, forwards and backwards, a few frames at a time.

Images lie channels last, and what a few frames need stays in the processor's cache. Autograd would keep 1.2 MB of every
frame of 64 x 64 until the backward pass; here it is 0.55 MB, of as many frames as may be kept, and the others are
computed again when their gradient is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Plan", "residual_features"]

AT_ONCE = 64  # frames

_CONVOLUTION = ([1, 1], [1, 1], [1, 1], False, [0, 0], 1)  # stride, padding, dilation, transposed, its padding, groups
_POOLING = ([3, 3], [2, 2], [1, 1], [1, 1], False)  # window, stride, padding, dilation, ceiling


class Plan(NamedTuple):
    """What a trunk is beside its weights.

    Attributes:
        blocks: residual blocks in each sequence.
        scale: factor of the pixels.
        kept: bytes of activations that may wait for the backward pass.
    """

    blocks: int
    scale: float
    kept: int


def residual_features(frames: Tensor, weights: Sequence[Tensor], plan: Plan) -> Tensor:
    """`[B, C, H, W]` to the last sequence's output after a relu, flattened, `[B, F]`.

    Args:
        frames: uint8 or float32.
        weights: of all convolutions in order, each one's weight `[out, in, 3, 3]` and bias `[out]`: a sequence's first
            convolution, then two for each of its blocks.
        plan: what else the trunk is.

    Differentiable in the weights as often as one likes; a second derivative takes autograd's memory.
    """
    if torch.is_grad_enabled():
        found: Tensor = _Trunk.apply(plan, frames, *weights)  # type: ignore[no-untyped-call]
        return found
    return _joined([_features(part, weights, plan) for part in torch.split(frames, AT_ONCE)])


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)


class _Trunk(torch.autograd.Function):
    """`residual_features` with a backward pass of its own."""

    @staticmethod
    def forward(ctx: Any, plan: Plan, frames: Tensor, *weights: Tensor) -> Tensor:
        parts, ctx.kept, room = [], {}, plan.kept
        for index, part in enumerate(torch.split(frames, AT_ONCE)):
            kept: list[Tensor] | None = [] if room > 0 else None
            parts.append(_features(part, weights, plan, kept))
            if kept is not None:
                ctx.kept[index] = kept
                room -= sum(each.nbytes for each in kept)
        ctx.plan = plan
        found = _joined(parts)
        ctx.save_for_backward(found, frames, *weights)
        return found

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,), (found, frames, *weights) = gradients, ctx.saved_tensors
        if torch.is_grad_enabled():  # somebody will differentiate the gradient
            again = _features(frames, weights, ctx.plan)
            return None, None, *torch.autograd.grad(again, weights, gradient, create_graph=True)
        total = [torch.zeros_like(weight, memory_format=torch.preserve_format) for weight in weights]
        pieces = zip(
            torch.split(frames, AT_ONCE), torch.split(found, AT_ONCE), torch.split(gradient, AT_ONCE), strict=True
        )
        for index, (part, features, above) in enumerate(pieces):
            kept = ctx.kept.pop(index, None)
            if kept is None:
                kept = []
                _features(part, weights, ctx.plan, kept)
            below = torch.ops.aten.threshold_backward(above, features, 0)
            for place, each in _gradients(below, part, weights, ctx.plan, kept):
                total[place].add_(each)
        return None, None, *total


def _pixels(frames: Tensor, weights: Sequence[Tensor], plan: Plan) -> Tensor:
    images = frames.contiguous(memory_format=torch.channels_last).to(weights[0].dtype)
    return images if plan.scale == 1 else images * plan.scale


def _convolved(images: Tensor, weights: Sequence[Tensor], place: int) -> Tensor:
    return functional.conv2d(images, weights[place], weights[place + 1], padding=1)


def _features(frames: Tensor, weights: Sequence[Tensor], plan: Plan, kept: list[Tensor] | None = None) -> Tensor:
    """The pass forwards; `kept` receives what `_gradients` reads."""
    images, place = _pixels(frames, weights, plan), 0
    while place < len(weights):
        if kept is not None and place > 0:
            kept.append(images)
        images = _convolved(images, weights, place)
        images = _pooled(images, kept)
        for first in range(place + 2, place + 2 + 4 * plan.blocks, 4):
            inputs = images.relu()
            inner = _convolved(inputs, weights, first).relu_()
            images = _convolved(inner, weights, first + 2).add_(images)
            if kept is not None:
                kept += [inputs, inner]
        place += 2 + 4 * plan.blocks
    return images.relu().flatten(1)


def _pooled(images: Tensor, kept: list[Tensor] | None) -> Tensor:
    """The largest of 3 x 3 pixels around every second one; without what learning needs, in half of torch's time."""
    if kept is not None:
        found, places = functional.max_pool2d(images, 3, 2, 1, return_indices=True)
        kept.append(places.to(torch.int16 if images[0, 0].numel() < 2**15 else torch.int32))
        return found
    if torch.is_grad_enabled():
        return functional.max_pool2d(images, 3, 2, 1)
    by_row = images.permute(0, 2, 3, 1)  # [B, H, W, C], contiguous
    by_column = _largest_of_three(by_row, 1)
    return _largest_of_three(by_column, 2).permute(0, 3, 1, 2)


def _largest_of_three(images: Tensor, axis: int) -> Tensor:
    """The largest of each second row (column) and its neighbours."""
    rows = images.movedim(axis, 0)
    found = rows[0::2].clone(memory_format=torch.preserve_format)
    for target, other in ((found[: len(rows) // 2], rows[1::2]), (found[1:], rows[1:-1:2])):
        torch.maximum(target, other, out=target)
    return found.movedim(0, axis)


def _gradients(
    gradient: Tensor, frames: Tensor, weights: Sequence[Tensor], plan: Plan, kept: list[Tensor]
) -> Iterator[tuple[int, Tensor]]:
    """The gradient of every weight, by its place, from that of the last images `[B, F]`; uses `kept` up."""
    length = 2 + 4 * plan.blocks
    above = gradient.view(len(frames), *kept[-1].shape[1:]).contiguous(memory_format=torch.channels_last)

    def convolution(above: Tensor, read: Tensor, place: int, *, inputs: bool = True) -> tuple[Tensor, ...]:
        weight = weights[place]
        found: tuple[Tensor, ...] = torch.ops.aten.convolution_backward(
            above, read, weight, [len(weight)], *_CONVOLUTION, [inputs, True, True]
        )
        return found

    for first in reversed(range(0, len(weights), length)):
        for place in reversed(range(first + 2, first + length, 4)):
            inner, inputs = kept.pop(), kept.pop()
            below, *second = convolution(above, inner, place + 2)
            torch.ops.aten.threshold_backward.grad_input(below, inner, 0, grad_input=below)
            below, *own = convolution(below, inputs, place)
            torch.ops.aten.threshold_backward.grad_input(below, inputs, 0, grad_input=below)
            above = below.add_(above)
            yield from enumerate([*own, *second], place)
        places = kept.pop().long()
        read = kept.pop() if first else _pixels(frames, weights, plan)
        before = read.new_empty(len(read), *read.shape[2:], places.shape[1]).permute(
            0, 3, 1, 2
        )  # its shape alone is read
        below = torch.ops.aten.max_pool2d_with_indices_backward(above, before, *_POOLING, places)
        above, *own = convolution(below, read, first, inputs=first > 0)
        yield from enumerate(own, first)
