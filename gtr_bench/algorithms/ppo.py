"""PPO with a clipped ratio (Schulman et al. 2017, equation 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gtr_bench.algorithms.base import Algorithm, Sample
from gtr_bench.algorithms.parameters import OnPolicyParameters, scalar

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["PPO", "PPOParameters", "clipped_surrogate"]


class PPOParameters(OnPolicyParameters):
    """The shared settings and the clip range."""

    clip_range: float = scalar(
        0.2, "epsilon of the clipped ratio (algorithms A.2, detail 9)", low=0.05, high=0.8, scale="log", gt=0, le=10
    )


def clipped_surrogate(ratio: Tensor, advantage: Tensor, clip_range: float | Tensor) -> Tensor:
    """`min(r A, clip(r, 1 - eps, 1 + eps) A)`, `[M, B]`."""
    clipped = ratio.clamp(1 - clip_range, 1 + clip_range)  # type: ignore[arg-type]  # both kinds work
    return (ratio * advantage).minimum(clipped * advantage)


class PPO(Algorithm):
    """PPO with a clipped ratio (algorithms A.2).

    `maximise E[min(r A, clip(r, 1 - eps, 1 + eps) A)]`.
    """

    name: ClassVar[str] = "ppo"
    Parameters: ClassVar[type[OnPolicyParameters]] = PPOParameters
    tuned: ClassVar[tuple[str, ...]] = ("learning_rate", "clip_range")

    def objective(self, sample: Sample) -> tuple[Tensor, Tensor | None]:
        """The clipped surrogate; no penalty."""
        return clipped_surrogate(sample.ratio, sample.advantage, self.p.clip_range), None
