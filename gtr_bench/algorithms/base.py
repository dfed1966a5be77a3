"""What an algorithm is: an objective per sample, element-wise over `[M, B]`; where it needs to, its own `improve`.

An algorithm file imports no torch: it writes mathematics with tensor methods, so that the driver can read
its parameters without paying for torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from gtr_bench.algorithms.parameters import OnPolicyParameters

if TYPE_CHECKING:
    from torch import Tensor

    from gtr_bench.learn.distributions import Distribution
    from gtr_bench.learn.experience import Experience
    from gtr_bench.learn.update import Update

__all__ = ["Algorithm", "Batch", "Losses", "Sample"]


class Batch(NamedTuple):
    """One rollout of a cohort, as `Algorithm.prepare` sees it; B = T x N samples of each member.

    Attributes:
        observe: gives `observations`, which are not kept where frames are stacked.
        actions: `[M, B]` or `[M, B, A]`.
        behaviour: the policy that collected them, `[M, B]`.
        advantages: `[M, B]`, raw (not normalised).
        returns: `[M, B]`, the value targets.
        training_return: `[M]`, mean return of the episodes that ended in this rollout; NaN where none did.
        parameters: `[M, P]`, the network's parameters before the update (a view: clone to keep).
        evaluate: a function from parameters `[M, P]` to that policy on `observations`, without gradient.
        progress: share of the whole sequence done before this rollout, in [0, 1).
        iteration: counted over the whole run, from 0.
    """

    observe: Callable[[], Tensor]
    actions: Tensor
    behaviour: Distribution
    advantages: Tensor
    returns: Tensor
    training_return: Tensor
    parameters: Tensor
    evaluate: Callable[[Tensor], Distribution]
    progress: float = 0.0
    iteration: int = 0

    @property
    def observations(self) -> Tensor:
        """`[M, B, *O]`, normalised as they were when collected."""
        return self.observe()


class Sample(NamedTuple):
    """What the objective sees of a minibatch; all `[M, B]` unless said otherwise.

    Attributes:
        policy: the current policy (carries the gradient).
        behaviour: the policy that collected the sample.
        log_prob, old_log_prob: of the action taken, under `policy` and under `behaviour`.
        advantage: normalised as the parameters say; no gradient.
        action: `[M, B]` or `[M, B, A]`.
        columns: what `prepare` returned, in the order of this minibatch.
    """

    policy: Distribution
    behaviour: Distribution
    log_prob: Tensor
    old_log_prob: Tensor
    advantage: Tensor
    action: Tensor
    columns: Mapping[str, Tensor]

    @property
    def log_ratio(self) -> Tensor:
        """`log pi(a|s) - log pi_old(a|s)`."""
        return self.log_prob - self.old_log_prob

    @property
    def ratio(self) -> Tensor:
        """`pi(a|s) / pi_old(a|s)`."""
        return self.log_ratio.exp()


class Losses(NamedTuple):
    """Of one minibatch, `[M, 1]` each; `total` is what is minimised.

    `log_ratio` `[M, B]` of the actions taken is what `target_kl` looks at; None: it does not stop these updates.
    """

    total: Tensor
    policy: Tensor
    value: Tensor
    log_ratio: Tensor | None = None


class Algorithm:
    """An on-policy algorithm; subclasses supply `objective`.

    Attributes:
        name, version: part of a job's identity: raise the version whenever the numbers change.
        learner: the learner kind that trains it (`gtr_bench.learners`).
        own_defaults: shared settings that a suite's `[training]` table does not override, because the method has its
            own; its `[[algorithm]]` table does.
        starts_anew_at_shift: network, optimizer and statistics are made anew at every shift.
        needs_boundaries: it is told where phases begin, which a learner of the real world is not; reports say so.
        reconstruction: this project's reading of a method whose equations are not public; reports say so.
        columns: the diagnostics it may log, name -> meaning, beyond those of every algorithm.
        tuned: the parameters that `gtr-bench tune` searches by default, each with a range of its own: the step size and
            the one that matters most of what the method adds.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    Parameters: ClassVar[type[OnPolicyParameters]] = OnPolicyParameters
    own_defaults: ClassVar[frozenset[str]] = frozenset()
    learner: ClassVar[str] = "policy"
    starts_anew_at_shift: ClassVar[bool] = False
    needs_boundaries: ClassVar[bool] = False
    reconstruction: ClassVar[bool] = False
    columns: ClassVar[Mapping[str, str]] = {}
    tuned: ClassVar[tuple[str, ...]] = ("learning_rate",)

    def __init__(self, parameters: Any, members: int) -> None:
        """Keep the parameters of a cohort.

        Args:
            parameters: the parameter model's fields as attributes; a scalar field is a float when all members
                share its value and a tensor `[M, 1]` otherwise.
            members: M.
        """
        self.p = parameters
        self.members = members

    def prepare(self, batch: Batch) -> dict[str, Tensor]:
        """Extra columns `[M, B, ...]` that the objective needs, computed once per rollout."""
        return {}

    def objective(self, sample: Sample) -> tuple[Tensor, Tensor | None]:
        """Per sample: the surrogate to maximise and the penalty to subtract (or None), each `[M, B]`."""
        raise TypeError(f"{type(self).__name__} defines no objective")

    def loss(self, update: Update, batch: Experience) -> Losses:
        """Objective, value and entropy terms of one minibatch (algorithms A.2, details 9 to 11)."""
        p = self.p
        policy, value = update.model.evaluate(batch.observations, batch.memory)
        sample = batch.sample(policy)
        surrogate, penalty = self.objective(sample)
        policy_loss = -(surrogate if penalty is None else surrogate - penalty).mean(1, keepdim=True)
        value_loss = self.value_loss(value, batch)
        total = policy_loss + p.value_coefficient * value_loss
        if not (isinstance(p.entropy_coefficient, float) and p.entropy_coefficient == 0):
            total = total - p.entropy_coefficient * policy.entropy().mean(1, keepdim=True)
        return Losses(total, policy_loss, value_loss, sample.log_ratio)

    def value_loss(self, value: Tensor, batch: Experience) -> Tensor:
        """The critic's error on a minibatch, `[M, 1]`, clipped and scaled as the parameters say."""
        error = (value - batch.returns).square()
        if self.p.value_clip_range is not None:
            clip_range = self.p.value_clip_range
            clipped = batch.values + (value - batch.values).clamp(-clip_range, clip_range)
            error = error.maximum((clipped - batch.returns).square())
        loss = error.mean(1, keepdim=True)
        return 0.5 * loss if self.p.value_loss == "half_mse" else loss

    def improve(self, update: Update, experience: Experience) -> dict[str, Tensor]:
        """Update the network on one rollout; returns diagnostics, `[M]` each. Epochs of minibatch steps by default."""
        return update.epochs(experience, self.loss)

    def after_step(self, update: Update) -> None:
        """Called after every step of the optimizer (a moving average of parameters)."""

    def after_iteration(self, sample: Sample) -> None:
        """Adapt the algorithm's own state after an update; `sample` is the whole rollout, without gradient."""

    def diagnose(self, sample: Sample) -> dict[str, Tensor]:
        """Diagnostics of this algorithm over the whole rollout after the update, `[M]` each."""
        return {}

    def state(self) -> dict[str, Any]:
        """Everything that must survive a restart: tensors, numbers, strings, lists of them."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned."""
