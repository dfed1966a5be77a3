"""Adam and RMSprop on one flat tensor `[M, P]`, with a step size per member.

torch.optim's arithmetic, each member's row by itself: a member's numbers do not depend on the others, and one that
sits a step out costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["Optimizer", "clip_gradient"]

_RMSPROP_DECAY = 0.99


def clip_gradient(grad: Tensor, max_norm: float) -> Tensor:
    """Scale each member's gradient `[M, P]` to `max_norm` in place (0: not at all); returns the norms before, `[M]`."""
    norm: Tensor = torch.linalg.vector_norm(grad, dim=1)
    if max_norm > 0:
        grad.mul_((max_norm / (norm + 1e-6)).clamp(max=1.0).unsqueeze(1))
    return norm


class Optimizer:
    """`adam` or `rmsprop` (eps outside the square root, as torch); learning rates are floats or `[M, 1]`."""

    def __init__(self, kind: str, data: Tensor, *, epsilon: float, beta1: float = 0.9, beta2: float = 0.999) -> None:
        self._kind, self._epsilon, self._beta1, self._beta2 = kind, epsilon, beta1, beta2
        self._first, self._second = torch.zeros_like(data), torch.zeros_like(data)
        self._steps = data.new_zeros(len(data), 1, dtype=torch.float32)
        tensors = (data.detach(), self._first, self._second, self._steps)
        self._rows = list(zip(*(tensor.unbind(0) for tensor in tensors), strict=True))

    def reset(self) -> None:
        """Forget all moments."""
        for tensor in (self._first, self._second, self._steps):
            tensor.zero_()

    def forget(self, mask: Tensor) -> None:
        """Forget the moments of the parameters where `mask` bool `[M, P]` is true; step counts go on.

        As the code of ReDo's authors does (google/dopamine, labs/redo). Adam's bias correction then trusts the new
        moments at once: a forgotten parameter's first steps are up to (1 - beta1) / sqrt(1 - beta2) of the step size.
        """
        self._first.masked_fill_(mask, 0)
        self._second.masked_fill_(mask, 0)

    @torch.no_grad()
    def step(self, grad: Tensor, learning_rate: float | Tensor, active: Tensor | None = None) -> None:
        """Apply `grad` `[M, P]`; `active` `[M]` bool leaves the other members untouched."""
        members = range(len(grad)) if active is None else active.nonzero().flatten().tolist()
        rows, grads = [self._rows[member] for member in members], grad.unbind(0)
        given = [grads[member] for member in members]
        if not rows:
            return
        if isinstance(learning_rate, Tensor):
            rates = learning_rate.flatten().tolist()
            for row, own, member in zip(rows, given, members, strict=True):
                self._apply([row], [own], rates[member])
        else:
            self._apply(rows, given, learning_rate)

    def _apply(self, rows: Sequence[tuple[Tensor, ...]], grads: list[Tensor], learning_rate: float) -> None:
        data, first, second, steps = (list(column) for column in zip(*rows, strict=True))
        if self._kind == "adam":
            torch._foreach_add_(steps, 1)
            torch._fused_adam_(
                data, grads, first, second, [], steps, lr=learning_rate, beta1=self._beta1, beta2=self._beta2,
                weight_decay=0.0, eps=self._epsilon, amsgrad=False, maximize=False,
            )  # fmt: skip
            return
        for own, grad, square in zip(data, grads, second, strict=True):
            square.mul_(_RMSPROP_DECAY).addcmul_(grad, grad, value=1 - _RMSPROP_DECAY)
            own.addcdiv_(grad, square.sqrt().add_(self._epsilon), value=-learning_rate)

    def state(self) -> dict[str, Any]:
        """Moments and step counts for a checkpoint."""
        return {"first": self._first, "second": self._second, "steps": self._steps}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self._first.copy_(state["first"])
        self._second.copy_(state["second"])
        self._steps.copy_(state["steps"])
