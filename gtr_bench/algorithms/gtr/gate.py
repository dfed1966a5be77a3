"""The sustain gate: a well that opens only while the advantage stays high.

Per member, c counts consecutive iterations whose mean raw advantage, divided by the running standard deviation of
returns, exceeds a threshold; the gate is `g = 1 - exp(-c / patience)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from gtr_bench.algorithms.base import Batch

__all__ = ["SustainGate"]


class SustainGate:
    """Counts sustained iterations per member and keeps the running variance of returns (Chan's update)."""

    def __init__(self, threshold: float | Tensor, patience: float | Tensor) -> None:
        self._threshold, self._patience = threshold, patience
        self._count: Tensor | None = None  # [M, 1] iterations in a row
        self._samples = 0.0
        self._mean: Tensor | None = None  # [M, 1]
        self._squares: Tensor | None = None  # [M, 1] sum of squared deviations

    def update(self, batch: Batch) -> Tensor:
        """Take a rollout into account; returns the gate `[M, 1]` in [0, 1)."""
        returns = batch.returns
        size = float(returns.shape[1])
        mean = returns.mean(1, keepdim=True)
        squares = (returns - mean).square().sum(1, keepdim=True)
        if self._count is None or self._mean is None or self._squares is None:
            self._count, self._mean = mean.new_zeros(mean.shape), mean
            self._squares, self._samples = squares, size
        else:
            total = self._samples + size
            gap = mean - self._mean
            self._squares = self._squares + squares + gap.square() * (self._samples * size / total)
            self._mean = self._mean + gap * (size / total)
            self._samples = total
        deviation = (self._squares / self._samples).sqrt().clamp_min(1e-8)
        sustained = batch.advantages.mean(1, keepdim=True) / deviation > self._threshold
        self._count = (self._count + 1) * sustained
        return self.value()

    def value(self) -> Tensor:
        """The gate in force, `[M, 1]`."""
        assert self._count is not None, "update comes before value"
        return -(-self._count / self._patience).expm1()

    def state(self) -> dict[str, Any]:
        """Counters and running moments for a checkpoint."""
        return {"count": self._count, "mean": self._mean, "squares": self._squares, "samples": self._samples}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self._count, self._mean, self._squares = state["count"], state["mean"], state["squares"]
        self._samples = float(state["samples"])
