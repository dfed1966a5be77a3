"""PPO with a KL penalty, fixed or adaptive (Schulman et al. 2017, section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from gtr_bench.algorithms.base import Algorithm, Sample
from gtr_bench.algorithms.parameters import OnPolicyParameters, scalar

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["PPOKL", "PPOKLParameters", "adapted_coefficient"]


class PPOKLParameters(OnPolicyParameters):
    """The shared settings, the penalty's coefficient and its controller."""

    beta: float = scalar(
        1.0, "coefficient of the KL penalty, or its first value (algorithms A.3)", low=0.03, high=10, scale="log", ge=0
    )
    adaptive: bool = Field(
        False,
        description="halve or double beta to keep the KL near kl_target, within 1e4 of the first (algorithms A.3)",
    )
    kl_target: float = scalar(
        0.01, "target KL per rollout, where adaptive (algorithms A.3)", low=0.003, high=0.03, scale="log", gt=0
    )


_RANGE = 1e4  # how far the controller may move beta from its first value, as a factor


def adapted_coefficient(beta: Tensor, divergence: Tensor, target: float | Tensor) -> Tensor:
    """The paper's controller, `[M, 1]` each: halve below `target / 1.5`, double above `1.5 target`."""
    factor = 1 + 1.0 * (divergence > 1.5 * target) - 0.5 * (divergence < target / 1.5)
    return beta * factor


class PPOKL(Algorithm):
    """PPO with a KL penalty, fixed or adaptive (algorithms A.3).

    `maximise E[r A - beta KL(pi_old || pi)]`, with the closed-form KL. GTR with `surrogate = "linear"`, one anchor and
    an infinite `sigma` is the same.
    """

    name: ClassVar[str] = "ppo_kl"
    Parameters: ClassVar[type[OnPolicyParameters]] = PPOKLParameters
    tuned: ClassVar[tuple[str, ...]] = ("learning_rate", "beta")
    columns: ClassVar[Mapping[str, str]] = {"penalty_coefficient": "beta in force (moves where `adaptive`)"}

    def __init__(self, parameters: Any, members: int) -> None:
        super().__init__(parameters, members)
        self._beta: float | Tensor = parameters.beta

    def objective(self, sample: Sample) -> tuple[Tensor, Tensor | None]:
        """The linear surrogate and `beta KL(pi_old || pi)`."""
        return sample.ratio * sample.advantage, self._beta * sample.behaviour.kl(sample.policy)

    def after_iteration(self, sample: Sample) -> None:
        """Adapt beta from the mean KL of the rollout, per member."""
        if self.p.adaptive:
            divergence = sample.behaviour.kl(sample.policy).mean(dim=1, keepdim=True)
            ones = divergence.new_ones(divergence.shape)
            adapted = adapted_coefficient(ones * self._beta, divergence, self.p.kl_target)
            # a coefficient halved to 0 or doubled to infinity would never come back
            self._beta = adapted.clamp(ones * self.p.beta / _RANGE, ones * self.p.beta * _RANGE)

    def diagnose(self, sample: Sample) -> dict[str, Tensor]:
        """The coefficient in force."""
        return {"penalty_coefficient": sample.advantage.new_ones(self.members, 1).mul(self._beta).squeeze(1)}

    def state(self) -> dict[str, Any]:
        """The coefficient, which the controller moves."""
        return {"beta": self._beta}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue with the coefficient reached."""
        self._beta = state["beta"]
