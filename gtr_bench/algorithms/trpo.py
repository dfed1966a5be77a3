"""Trust region policy optimization (Schulman et al. 2015), with the defaults of sb3-contrib."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from gtr_bench.algorithms.base import Algorithm, Losses, Sample
from gtr_bench.algorithms.parameters import OnPolicyParameters, scalar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from gtr_bench.learn.experience import Experience
    from gtr_bench.learn.update import Update

__all__ = ["TRPO", "TRPOParameters"]


class TRPOParameters(OnPolicyParameters):
    """The shared settings, of which optimizer, epochs and minibatches fit the critic only, and the trust region."""

    num_minibatches: int = Field(8, ge=1, description="minibatches per epoch of the critic's fit")
    epochs: int = Field(10, ge=1, le=100, description="passes over a rollout for the critic")
    learning_rate: float = scalar(1e-3, "step size of the critic", low=1e-5, high=1e-2, scale="log", gt=0, le=1)
    advantage_normalisation: Literal["batch", "none"] = Field("batch", description="over the whole rollout")
    target_kl: None = Field(None, description="`max_kl` takes its place")
    max_kl: float = scalar(
        0.01, "delta: mean KL(old || new) of a step at most (equation 14)", low=1e-3, high=0.1, scale="log", gt=0
    )
    damping: float = Field(0.1, ge=0, description="added to the Fisher matrix's diagonal")
    conjugate_gradient_steps: int = Field(15, ge=1, le=100, description="at most, appendix C")
    backtracking: float = Field(0.8, gt=0, lt=1, description="factor between the line search's tries")
    line_search_tries: int = Field(10, ge=1, le=100, description="then the policy stays where it was")


class TRPO(Algorithm):
    """`maximise E[r A]` subject to `E[KL(pi_old || pi)] <= delta`: one natural-gradient step, then the critic's fit."""

    name: ClassVar[str] = "trpo"
    Parameters: ClassVar[type[OnPolicyParameters]] = TRPOParameters
    tuned: ClassVar[tuple[str, ...]] = ("learning_rate", "max_kl")
    own_defaults: ClassVar[frozenset[str]] = frozenset(
        {"num_minibatches", "epochs", "learning_rate", "advantage_normalisation"}
    )
    columns: ClassVar[Mapping[str, str]] = {
        "step_share": "share of the full natural-gradient step that was taken; 0: no try was good enough"
    }

    def objective(self, sample: Sample) -> tuple[Tensor, Tensor | None]:
        """The linear surrogate, and the entropy bonus within it; the constraint is no part of it."""
        return sample.ratio * sample.advantage + self.p.entropy_coefficient * sample.policy.entropy(), None

    def improve(self, update: Update, experience: Experience) -> dict[str, Tensor]:
        """One step of the policy on the whole rollout, then epochs of the critic."""
        from gtr_bench.learn.natural import natural_step

        p = self.p
        whole = experience if p.advantage_normalisation == "none" else experience.with_normalised_advantages()
        step = natural_step(
            update,
            whole,
            lambda sample: self.objective(sample)[0],
            max_kl=p.max_kl,
            damping=p.damping,
            iterations=p.conjugate_gradient_steps,
            backtracking=p.backtracking,
            tries=p.line_search_tries,
        )
        fitted = update.epochs(experience, self.critic_loss, only=update.model.critic_alone())
        return {**fitted, "policy_loss": -step.objective.squeeze(1), "step_share": step.share}

    def critic_loss(self, update: Update, batch: Experience) -> Losses:
        """The value loss alone."""
        value = update.model.evaluate(batch.observations, batch.memory, ("value",)).value
        loss = self.value_loss(value, batch)
        return Losses(loss, loss.new_zeros(loss.shape), loss)
