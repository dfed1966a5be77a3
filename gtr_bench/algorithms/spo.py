"""Simple Policy Optimization (Xie et al., ICML 2025, arXiv 2401.16025)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gtr_bench.algorithms.base import Algorithm, Sample
from gtr_bench.algorithms.parameters import OnPolicyParameters
from gtr_bench.algorithms.ppo import PPOParameters

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["SPO", "spo_penalty"]


def spo_penalty(ratio: Tensor, advantage: Tensor, clip_range: float | Tensor) -> Tensor:
    """`|A| (r - 1)^2 / (2 eps)`, `[M, B]`: quadratic, with the objective's optimum at `r = 1 + eps sign(A)`."""
    return advantage.abs() * (ratio - 1).square() / (2 * clip_range)


class SPO(Algorithm):
    """Simple Policy Optimization: a quadratic penalty on the ratio instead of the clip (algorithms A.11).

    `maximise E[r A - |A| (r - 1)^2 / (2 eps)]`; never combined with clipping.
    """

    name: ClassVar[str] = "spo"
    Parameters: ClassVar[type[OnPolicyParameters]] = PPOParameters
    tuned: ClassVar[tuple[str, ...]] = ("learning_rate", "clip_range")

    def objective(self, sample: Sample) -> tuple[Tensor, Tensor | None]:
        """The linear surrogate and SPO's quadratic penalty on the ratio."""
        ratio = sample.ratio
        return ratio * sample.advantage, spo_penalty(ratio, sample.advantage, self.p.clip_range)
