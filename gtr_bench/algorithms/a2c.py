"""Advantage actor-critic (Mnih et al. 2016), with the defaults of Stable-Baselines3's A2C."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from gtr_bench.algorithms.base import Algorithm, Sample
from gtr_bench.algorithms.parameters import OnPolicyParameters, scalar

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["A2C", "A2CParameters"]


class A2CParameters(OnPolicyParameters):
    """One gradient step per rollout; RMSprop; no advantage normalisation (algorithms A.1)."""

    num_steps: int = Field(5, ge=1, le=100_000, description="steps per environment and rollout, T")
    num_minibatches: Literal[1] = Field(1, description="the whole rollout is one minibatch")
    epochs: Literal[1] = Field(1, description="one pass: the method is on-policy")
    optimizer: Literal["adam", "rmsprop"] = Field("rmsprop", description="as Stable-Baselines3")
    learning_rate: float = scalar(7e-4, "step size", low=1e-5, high=1e-2, scale="log", gt=0, le=1)
    gae_lambda: float = scalar(1.0, "GAE's lambda; 1 = n-step return", low=0.8, high=1.0, ge=0, le=1)
    advantage_normalisation: Literal["minibatch", "batch", "none"] = Field("none", description="as the paper")
    value_loss: Literal["half_mse", "mse"] = Field("mse", description="as Stable-Baselines3")


class A2C(Algorithm):
    """Advantage actor-critic: one gradient step per rollout (algorithms A.1).

    `maximise E[A log pi(a|s)]`.
    """

    name: ClassVar[str] = "a2c"
    Parameters: ClassVar[type[OnPolicyParameters]] = A2CParameters
    tuned: ClassVar[tuple[str, ...]] = ("learning_rate", "gae_lambda")
    own_defaults: ClassVar[frozenset[str]] = frozenset(
        {"num_steps", "num_minibatches", "epochs", "optimizer", "learning_rate", "gae_lambda",
         "advantage_normalisation", "value_loss"}
    )  # fmt: skip

    def objective(self, sample: Sample) -> tuple[Tensor, Tensor | None]:
        """The score-function surrogate; no ratio, no penalty."""
        return sample.log_prob * sample.advantage, None
