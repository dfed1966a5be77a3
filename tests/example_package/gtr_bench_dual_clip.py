"""PPO with a second clip that bounds the loss of bad actions (dual clip: Ye et al., AAAI 2020; algorithms A.15)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from gtr_bench.algorithms.base import Algorithm, Sample
from gtr_bench.algorithms.parameters import OnPolicyParameters, scalar
from gtr_bench.algorithms.ppo import PPOParameters, clipped_surrogate

if TYPE_CHECKING:
    from torch import Tensor


class DualClipParameters(PPOParameters):
    """PPO's settings and the second clip."""

    dual_clip: float = scalar(3.0, "c: no sample weighs below c A where A < 0", low=1.5, high=10, scale="log", gt=1)


class DualClip(Algorithm):
    """PPO whose loss on bad actions is bounded by a second clip (algorithms A.15).

    `maximise E[J]`; J is PPO's clipped surrogate where A >= 0 and `max(surrogate, c A)` where A < 0.
    """

    name: ClassVar[str] = "dual_clip"
    version: ClassVar[int] = 1
    Parameters: ClassVar[type[OnPolicyParameters]] = DualClipParameters
    columns: ClassVar[Mapping[str, str]] = {
        "dual_clip_fraction": "share of samples that the second clip bounds after the update"
    }

    def objective(self, sample: Sample) -> tuple[Tensor, Tensor | None]:
        """The surrogate `[M, B]`; no penalty."""
        advantage = sample.advantage
        surrogate = clipped_surrogate(sample.ratio, advantage, self.p.clip_range)
        bounded = surrogate.maximum(self.p.dual_clip * advantage)
        return surrogate.where(advantage >= 0, bounded), None

    def diagnose(self, sample: Sample) -> dict[str, Tensor]:
        """How often the second clip acts: where A < 0 and the ratio is above c (which is above 1 + epsilon), `[M]`."""
        bound = (sample.advantage < 0) & (sample.ratio > self.p.dual_clip)
        return {"dual_clip_fraction": bound.float().mean(1)}
