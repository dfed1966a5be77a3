"""Actor and critic of equal shape as one stack of 2M networks, with a backward of its own.

At these sizes operations cost more than arithmetic: one product per layer serves actors and critics of all members,
and one autograd node stands for both networks, so that losses, penalties and add-ons compose on its outputs. Where the
loss's derivatives are written down, a `Workspace` does without the graph.

A member's numbers must not depend on its cohort. BLAS libraries pick kernels by shape, by the alignment of an operand
and by whether there is one product or a batch of them; so the batch lies in the last axis, everything a product
touches starts at a multiple of 64 bytes (widths, blocks and batches are padded with zeros, which stay zero), and there
are always at least two products.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from gtr_bench.networks.stacked import LEAK
from gtr_bench.processor import has_fast_tanh

__all__ = ["Twin", "TwinOutput", "Workspace"]

_ALIGNED = 16  # float32 numbers in 64 bytes
_LARGE = 1 << 14  # weights: a product written into a strided place runs member by member, which then beats a copy
_MINUS_ONE = torch.tensor(-1.0)
_HAS_FAST_TANH = has_fast_tanh()


def _padded(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED


class TwinOutput(NamedTuple):
    """What a pass gives: `policy` `[M, B, K]`, `values` `[M, B]`, `log_std` `[M, 1, A]` (A = 0: none)."""

    policy: Tensor
    values: Tensor
    log_std: Tensor


class _Layer(NamedTuple):
    """Where a linear layer lies in a network's numbers; the weights are `[out, in]`, the biases follow them."""

    start: int
    inputs: int
    outputs: int

    @property
    def weight_count(self) -> int:
        return self.outputs * self.inputs

    @property
    def stop(self) -> int:
        return self.start + self.weight_count + self.outputs

    def weights(self, networks: Tensor) -> Tensor:
        """`[S, out, in]` of networks `[S, Q]`."""
        first = networks.storage_offset() + self.start
        shape = (len(networks), self.outputs, self.inputs)
        return networks.as_strided(shape, (networks.stride(0), self.inputs, 1), first)

    def biases(self, networks: Tensor) -> Tensor:
        """`[S, out, 1]` of networks `[S, Q]`."""
        first = networks.storage_offset() + self.start + self.weight_count
        return networks.as_strided((len(networks), self.outputs, 1), (networks.stride(0), 1, 1), first)


class _Stack(NamedTuple):
    """Networks `[S, Q]` and views of their layers, weights `[S, out, in]` and biases `[S, out, 1]`."""

    networks: Tensor
    weights: list[Tensor]
    biases: list[Tensor]
    rest: Tensor
    """`[S, R]`, what belongs to no layer: log standard deviations and padding"""


class Twin:
    """Shape of the pair, and its passes over parameters `[M, P]`.

    A member's row is its actor's Q numbers, then its critic's: hidden layers, head, log standard deviations (the
    critic's are not used), padding. The critic's head is as wide as the actor's; its first row is the value.

    Attributes:
        size: P = 2 Q.
    """

    def __init__(
        self, inputs: int, hidden: Sequence[int], outputs: int, activation: str, *, deviations: int = 0
    ) -> None:
        """Describe the pair.

        Args:
            inputs: D, numbers in an observation.
            hidden: units of each hidden layer.
            outputs: K, numbers of the policy head.
            activation: `tanh`, `relu` or `leaky_relu`.
            deviations: A, state-independent log standard deviations.
        """
        if activation not in ("tanh", "relu", "leaky_relu"):
            raise ValueError(f"activation {activation!r} is not tanh, relu or leaky_relu")
        self.inputs, self.hidden, self.outputs = inputs, tuple(hidden), outputs
        self.activation, self.deviations = activation, deviations
        self._layers: list[_Layer] = []
        self._log_std = 0  # where they begin
        for before, after in pairwise([inputs, *map(_padded, hidden), outputs]):
            self._layers.append(_Layer(self._log_std, before, after))
            self._log_std = self._layers[-1].stop
        self._network = _padded(self._log_std + deviations)
        self.size = 2 * self._network

    def named(self, parameters: Tensor) -> dict[str, Tensor]:
        """Views of `[M, P]` under the names and shapes of the modules: weights `[M, in, out]`, biases `[M, 1, out]`."""
        found = {"log_std": self.deviations_of(parameters)}
        torso = [f"layers.{index}" for index in range(len(self.hidden))]
        widths = [self.inputs, *self.hidden]
        for half, (network, head, outputs) in enumerate((("actor", "policy", self.outputs), ("critic", "value", 1))):
            names = [*(f"{network}.{name}" for name in torso), f"{head}_head"]
            networks = self._pairs(parameters)[:, half]
            for name, layer, before, after in zip(names, self._layers, widths, [*self.hidden, outputs], strict=True):
                found[f"{name}.weight"] = layer.weights(networks)[:, :after, :before].transpose(1, 2)
                found[f"{name}.bias"] = layer.biases(networks)[:, :after].transpose(1, 2)
        return found

    def stack(self, parameters: Tensor) -> _Stack:
        """Views of `parameters` that `evaluate` need not lay out again; they follow changes in place."""
        return self._stack(parameters.detach().view(2 * len(parameters), -1))

    def evaluate(self, parameters: Tensor, observations: Tensor, stack: _Stack | None = None) -> TwinOutput:
        """Both networks on `[M, B, D]`, differentiable once with respect to `parameters` (whose `stack` it is)."""
        found = _Pass.apply(parameters, observations, self, stack or self.stack(parameters))  # type: ignore[no-untyped-call]
        return TwinOutput(*found)

    @torch.no_grad()
    def policy(self, parameters: Tensor, observations: Tensor) -> Tensor:
        """The policy head's numbers `[M, B, K]` for `[M, B, D]`, without gradient."""
        return self._half(parameters, observations, 0)[-1]

    @torch.no_grad()
    def value(self, parameters: Tensor, observations: Tensor) -> Tensor:
        """State values `[M, B]` of `[M, B, D]`, without gradient."""
        return self._half(parameters, observations, 1)[-1][..., 0]

    @torch.no_grad()
    def features(self, parameters: Tensor, observations: Tensor) -> list[Tensor]:
        """The actor's hidden layers `[M, B, units]` on `[M, B, D]`, first to last, without gradient."""
        found = self._half(parameters, observations, 0)[:-1]
        return [layer[..., :units] for layer, units in zip(found, self.hidden, strict=True)]

    def actor(self, parameters: Tensor, envs: int) -> Callable[[Tensor], Tensor]:
        """`policy` for steps of N environments, with everything laid out once: `[M, N, D] -> [M, N, K]`.

        It follows changes of `parameters` in place; what it returns is overwritten by the next call.
        """
        members = len(parameters)
        stack = self._stack(self._own(parameters.detach(), 0))
        rows = len(stack.networks) // members
        columns = parameters.new_zeros((members * rows, self.inputs, _padded(envs)))
        # of a single member's pair the critic's half stays zero: nobody reads its outputs
        entry = columns.view(members, rows, self.inputs, -1)[:, 0, :, :envs].transpose(1, 2)
        buffers = [parameters.new_empty((len(columns), layer.outputs, columns.shape[2])) for layer in self._layers]
        exit_ = buffers[-1].view(members, rows, self.outputs, -1)[:, 0, :, :envs].transpose(1, 2)

        def act(observations: Tensor) -> Tensor:
            entry.copy_(observations)
            self._forward(stack, columns, buffers)
            return exit_

        return act

    def _pairs(self, parameters: Tensor) -> Tensor:
        return parameters.view(len(parameters), 2, self._network)

    def deviations_of(self, parameters: Tensor) -> Tensor:
        """The log standard deviations `[M, 1, A]`, a view of `[M, P]`."""
        return parameters[:, self._log_std : self._log_std + self.deviations].unsqueeze(1)

    def _own(self, parameters: Tensor, half: int) -> Tensor:
        """Actors (0) or critics (1) `[M, Q]`; of a single member both, `[2, Q]`: one product is not two."""
        pairs = self._pairs(parameters)
        return pairs[:, half] if len(pairs) > 1 else pairs[0]

    def _stack(self, networks: Tensor) -> _Stack:
        weights = [layer.weights(networks) for layer in self._layers]
        biases = [layer.biases(networks) for layer in self._layers]
        return _Stack(networks, weights, biases, networks[:, self._log_std :])

    def _half(self, parameters: Tensor, observations: Tensor, half: int) -> list[Tensor]:
        """Hidden layers and head `[M, B, units]` of actors (0) or critics (1)."""
        members, size = observations.shape[:2]
        stack = self._stack(self._own(parameters, half))
        rows = len(stack.networks) // members
        row = half if rows == 2 else 0
        found = self._forward(stack, self._columns(observations, rows))
        return [layer.view(members, rows, *layer.shape[1:])[:, row, :, :size].transpose(1, 2) for layer in found]

    def _columns(self, observations: Tensor, copies: int) -> Tensor:
        """`[M, B, D]` as columns `[M x copies, D, B']`, B' the padded B."""
        members, size, _ = observations.shape
        width = _padded(size)
        shape = (members, copies, self.inputs, width)
        columns = observations.new_empty(shape) if width == size else observations.new_zeros(shape)
        (columns if width == size else columns[..., :size]).copy_(observations.transpose(1, 2).unsqueeze(1))
        return columns.flatten(0, 1)

    def _forward(self, stack: _Stack, columns: Tensor, buffers: Sequence[Tensor | None] | None = None) -> list[Tensor]:
        """Hidden layers and head on columns `[S, D, B']`, each `[S, units, B']`; into `buffers` where given."""
        tanh = self.activation == "tanh"
        by_sigmoid = tanh and columns.is_cpu and not _HAS_FAST_TANH
        scale = 2 if by_sigmoid else 1
        found: list[Tensor] = []
        layer = columns
        last = len(self._layers) - 1
        for index, (weight, bias) in enumerate(zip(stack.weights, stack.biases, strict=True)):
            out = None if buffers is None else buffers[index]
            if index == last:
                layer = torch.baddbmm(bias, weight, layer, out=out)
            else:
                layer = torch.baddbmm(bias, weight, layer, beta=scale, alpha=scale, out=out)
                if by_sigmoid:
                    torch.add(_MINUS_ONE, layer.sigmoid_(), alpha=2, out=layer)
                elif tanh:
                    layer.tanh_()
                elif self.activation == "relu":
                    layer.relu_()
                else:
                    functional.leaky_relu_(layer, LEAK)
            found.append(layer)
        return found

    def _backward(self, stack: _Stack, inputs: Sequence[Tensor], slope: Tensor, gradient: _Stack) -> None:
        """Fill the gradient from the head's `[S, K, B']` and each layer's inputs; log std's part becomes 0."""
        gradient.rest.zero_()
        for index in range(len(self._layers) - 1, -1, -1):
            before, weights = inputs[index], gradient.weights[index]
            if self._layers[index].weight_count < _LARGE:
                weights.copy_(torch.bmm(slope, before.transpose(1, 2)))
            else:
                torch.bmm(slope, before.transpose(1, 2), out=weights)
            torch.sum(slope, 2, keepdim=True, out=gradient.biases[index])
            if index > 0:
                slope = torch.bmm(stack.weights[index].transpose(1, 2), slope)
                if self.activation == "tanh":
                    torch.ops.aten.tanh_backward.grad_input(slope, before, grad_input=slope)
                elif self.activation == "relu":
                    torch.ops.aten.threshold_backward.grad_input(slope, before, 0, grad_input=slope)
                else:
                    torch.ops.aten.leaky_relu_backward.grad_input(slope, before, LEAK, True, grad_input=slope)


class Workspace:
    """Both networks on B samples and back, without autograd, in memory that is laid out once.

    It follows changes of the parameters in place; what it returns is overwritten by the next call.
    """

    def __init__(self, twin: Twin, parameters: Tensor, size: int) -> None:
        """Lay out for B = `size` samples of each member of `parameters` `[M, P]`."""
        members, width = len(parameters), _padded(size)
        self._twin, self._stack = twin, twin.stack(parameters)
        self._gradient = torch.zeros_like(parameters, requires_grad=False)
        self._gradients = twin.stack(self._gradient)
        self._columns = parameters.new_zeros((2 * members, twin.inputs, width))
        self._outputs = [parameters.new_empty((2 * members, layer.outputs, width)) for layer in twin._layers]
        self._slope = torch.zeros_like(self._outputs[-1])
        self._entry = self._columns.view(members, 2, twin.inputs, width)[..., :size]
        heads, slopes = (each.view(members, 2, twin.outputs, width) for each in (self._outputs[-1], self._slope))
        self._policy, self._values = heads[:, 0, :, :size], heads[:, 1, 0, :size]
        self._policy_slope, self._values_slope = slopes[:, 0, :, :size], slopes[:, 1, 0, :size]

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """The policy head's numbers `[M, K, B]` and the values `[M, B]` of `[M, B, D]`."""
        self._entry.copy_(observations.transpose(1, 2).unsqueeze(1))
        self._twin._forward(self._stack, self._columns, self._outputs)
        return self._policy, self._values

    def backward(self, policy: Tensor, values: Tensor) -> Tensor:
        """The gradient `[M, P]` of a loss with these slopes in what `forward` gave; log std's part is 0."""
        self._policy_slope.copy_(policy)
        self._values_slope.copy_(values)
        self._twin._backward(self._stack, [self._columns, *self._outputs[:-1]], self._slope, self._gradients)
        return self._gradient


class _Pass(torch.autograd.Function):
    """`Twin.evaluate`: one node from parameters to policy outputs, values and log standard deviations."""

    @staticmethod
    def forward(
        ctx: Any, parameters: Tensor, observations: Tensor, twin: Twin, stack: _Stack
    ) -> tuple[Tensor, Tensor, Tensor]:
        members, size = observations.shape[:2]
        columns = twin._columns(observations, 2)
        ctx.stack = stack
        *hidden, head = twin._forward(ctx.stack, columns)
        ctx.save_for_backward(parameters, columns, *hidden)
        ctx.twin = twin
        pairs = head.view(members, 2, twin.outputs, -1)
        return pairs[:, 0, :, :size].transpose(1, 2), pairs[:, 1, 0, :size], twin.deviations_of(parameters).clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None, None, None]:
        parameters, *inputs = ctx.saved_tensors  # raises if a step changed the parameters in between
        twin: Twin = ctx.twin
        policy, values, log_std = slopes
        size = values.shape[1]
        slope = policy.new_zeros((len(parameters), 2, twin.outputs, inputs[0].shape[2]))
        slope[:, 0, :, :size].copy_(policy.transpose(1, 2))
        slope[:, 1, 0, :size].copy_(values)
        gradient = torch.empty_like(parameters)
        twin._backward(ctx.stack, inputs, slope.flatten(0, 1), twin.stack(gradient))
        if twin.deviations:
            twin.deviations_of(gradient).copy_(log_std)
        return gradient, None, None, None
