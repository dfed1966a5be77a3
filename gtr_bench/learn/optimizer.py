"""Adam and RMSprop on one flat tensor `[M, P]`, with a step size per member.

The same arithmetic as torch.optim's (tested), without its loop over parameter tensors and with members that may sit
a step out.
"""

from __future__ import annotations

from collections.abc import Mapping
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
        self._kind, self._data = kind, data
        self._epsilon, self._beta1, self._beta2 = epsilon, beta1, beta2
        self.reset()

    def reset(self) -> None:
        """Forget all moments."""
        self._first = torch.zeros_like(self._data)
        self._second = torch.zeros_like(self._data)
        self._steps = torch.zeros(len(self._data), 1, dtype=torch.float64)
        self._uniform = 0  # steps taken by every member alike; -1 once they differ

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
        if active is not None and not bool(active.all()):
            self._masked(grad, learning_rate, active)
            return
        self._steps += 1
        if self._uniform >= 0:
            self._uniform += 1
        self._apply(grad, learning_rate)

    def _apply(self, grad: Tensor, learning_rate: float | Tensor) -> None:
        if self._kind == "rmsprop":
            self._second.mul_(_RMSPROP_DECAY).addcmul_(grad, grad, value=1 - _RMSPROP_DECAY)
            update = grad / self._second.sqrt().add_(self._epsilon)
            correction: float | Tensor = 1.0
        else:
            self._first.lerp_(grad, 1 - self._beta1)
            self._second.mul_(self._beta2).addcmul_(grad, grad, value=1 - self._beta2)
            if self._uniform >= 0:
                correction = 1 - self._beta1**self._uniform
                root: float | Tensor = (1 - self._beta2**self._uniform) ** 0.5
            else:
                correction = 1 - self._beta1**self._steps
                root = (1 - self._beta2**self._steps).sqrt().to(grad)
            update = self._first / self._second.sqrt().div_(root).add_(self._epsilon)
        # both ways round alike, so a member's numbers do not change when another one stops
        if isinstance(learning_rate, Tensor) and isinstance(correction, Tensor):
            correction = correction.to(grad)
        rate = learning_rate / correction
        self._data.sub_(update.mul_(rate.to(grad) if isinstance(rate, Tensor) else rate))

    def _masked(self, grad: Tensor, learning_rate: float | Tensor, active: Tensor) -> None:
        kept = [tensor.clone() for tensor in (self._data, self._first, self._second)]
        rows = active.unsqueeze(1)
        self._steps += rows.cpu()
        self._uniform = -1
        self._apply(torch.where(rows, grad, torch.zeros_like(grad)), learning_rate)
        for tensor, before in zip((self._data, self._first, self._second), kept, strict=True):
            tensor.copy_(torch.where(rows, tensor, before))

    def state(self) -> dict[str, Any]:
        """Moments and step counts for a checkpoint."""
        return {"first": self._first, "second": self._second, "steps": self._steps, "uniform": self._uniform}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self._first.copy_(state["first"])
        self._second.copy_(state["second"])
        self._steps, self._uniform = state["steps"].clone(), int(state["uniform"])
