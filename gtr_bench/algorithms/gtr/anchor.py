"""Anchors: which policies the trust region is held to, and with which weights.

`Anchors` keeps snapshots of the network's parameters, evaluates them once per rollout on the rollout's states, and
hands their distributions to the objective as a column, so that the minibatch loop computes closed forms only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gtr_bench.errors import RequestError

if TYPE_CHECKING:
    from torch import Tensor

    from gtr_bench.algorithms.base import Batch

__all__ = ["Anchors", "recency_weights"]


def recency_weights(count: int, decay: float | Tensor, like: Tensor) -> Tensor:
    """`w_k ~ decay^(k-1)`, newest first, summing to 1: `[M or 1, count]`."""
    powers = like.new_tensor([float(k) for k in range(count)])
    weights = (like.new_ones(1, 1) * decay) ** powers
    return weights / weights.sum(1, keepdim=True)


class Anchors:
    """The last K policies (`mixture`, `mixture_policy`), their moving average (`ema`) or the first one (`initial`)."""

    def __init__(self, parameters: Any) -> None:
        self.p = parameters
        self._snapshots: list[Tensor] = []  # [M, P] each, newest first
        self._returns: list[
            Tensor
        ] = []  # [M] each: mean return of the policy's own rollout, NaN where no episode ended
        self._iteration = 0

    def update(self, batch: Batch) -> None:
        """Take a snapshot of the behaviour policy when one is due."""
        current, kind = batch.parameters, self.p.anchor
        if kind == "initial":
            self._snapshots = self._snapshots or [current.clone()]
        elif kind == "ema":
            if self._snapshots:
                average = self._snapshots[0]
                self._snapshots = [current + self.p.anchor_decay * (average - current)]
            else:
                self._snapshots = [current.clone()]
        elif self._iteration % self.p.anchor_interval == 0:
            self._snapshots = [current.clone(), *self._snapshots][: self.p.anchors]
            self._returns = [batch.training_return, *self._returns][: self.p.anchors]
        self._iteration += 1

    def weights(self, like: Tensor) -> Tensor:
        """Weights of the snapshots at hand, newest first, `[M or 1, K]`, summing to 1."""
        count = len(self._snapshots)
        if self.p.anchor_weighting == "return" and len(self._returns) == count:
            returns = self._returns[0].new_empty(len(self._returns[0]), count)
            for index, value in enumerate(self._returns):
                returns[:, index] = value
            # a snapshot whose rollout ended no episode counts as the mean of those that are known
            mean = returns.nanmean(1, keepdim=True).nan_to_num(0.0)
            known = returns.where(returns.isfinite(), mean)
            shares: Tensor = (known / self.p.anchor_temperature).softmax(1)
            return shares
        decay = 1.0 if self.p.anchor_weighting == "uniform" else self.p.anchor_decay
        return recency_weights(count, decay, like)

    def evaluate(self, batch: Batch) -> Tensor:
        """Each anchor on the rollout's states: packed distributions `[M, B, K, size]`, newest first."""
        packed = []
        for index, snapshot in enumerate(self._snapshots):
            # right after a snapshot the newest anchor is the behaviour policy, which is already evaluated
            fresh = index == 0 and self.p.anchor in ("mixture", "mixture_policy") and self._is_behaviour(batch)
            packed.append(batch.behaviour.packed if fresh else batch.evaluate(snapshot).packed)
        stacked = packed[0].new_empty(*packed[0].shape[:2], len(packed), packed[0].shape[2])
        for index, values in enumerate(packed):
            stacked[:, :, index] = values
        return stacked

    def _is_behaviour(self, batch: Batch) -> bool:
        return bool((self._snapshots[0] == batch.parameters).all())

    def state(self) -> dict[str, Any]:
        """Snapshots and counters for a checkpoint."""
        return {"snapshots": list(self._snapshots), "returns": list(self._returns), "iteration": self._iteration}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self._snapshots, self._returns = list(state["snapshots"]), list(state["returns"])
        self._iteration = int(state["iteration"])


def require_closed_form(kind: str, distance: str, *, one_choice: bool) -> None:
    """Refuse the mixture policy where it has no closed-form divergence: for all but one discrete choice."""
    if kind == "mixture_policy" and not one_choice and distance != "log_ratio":
        raise RequestError(
            "anchor `mixture_policy` has a closed-form divergence for a single discrete action only",
            hint='set `distance = "log_ratio"` beside it',
        )
