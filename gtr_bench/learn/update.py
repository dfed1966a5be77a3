"""What an algorithm improves a policy with: minibatches of a rollout, and steps of the optimizer on them.

Losses reduce within a member and add across members, so each member's gradient is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from gtr_bench.algorithms.base import Algorithm, Losses
from gtr_bench.learn.by_hand import Descent, by_hand
from gtr_bench.learn.experience import Experience
from gtr_bench.learn.optimizer import Optimizer, clip_gradient
from gtr_bench.networks.model import Model
from gtr_bench.plasticity.base import AddOn

__all__ = ["Update"]


class Update:
    """One iteration's update of a cohort.

    Attributes:
        model, optimizer, p: of the cohort; `p` are the algorithm's parameters.
        active: bool `[M]`; the others keep their parameters. With `target_kl`, members drop out on the way.
        rate: step size, a float or `[M, 1]`.
    """

    def __init__(
        self,
        model: Model,
        optimizer: Optimizer,
        algorithm: Algorithm,
        *,
        add_ons: Sequence[AddOn] = (),
        generators: Sequence[torch.Generator],
        rate: float | Tensor,
        active: Tensor,
    ) -> None:
        self.model, self.optimizer, self.p = model, optimizer, algorithm.p
        self.rate, self.active = rate, active
        self._algorithm, self._add_ons, self._generators = algorithm, add_ons, generators
        self._everyone = bool(active.all())
        self._seen: list[tuple[Tensor, ...]] = []

    def epochs(
        self,
        experience: Experience,
        loss: Callable[[Update, Experience], Losses],
        *,
        only: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Epochs of minibatch steps; with `target_kl` until no member is left.

        Args:
            experience: the rollout.
            loss: of a minibatch.
            only: bool `[P]`, the parameters that may move; all by default.

        Returns:
            `policy_loss`, `value_loss`, `grad_norm`: `[M]`, means over the minibatches.
        """
        descent_of = self._descent_of(loss)
        for batch in self.minibatches(experience):
            found = descent_of(batch)
            if self.p.target_kl is not None and found.log_ratio is not None and not self._near(found.log_ratio):
                break
            self._descend(found, only)
        return self.means()

    def _descent_of(self, loss: Callable[[Update, Experience], Losses]) -> Callable[[Experience], Descent]:
        """What gives a minibatch's gradient: written down where it can be, else derived."""
        penalised = any(type(add_on).penalty is not AddOn.penalty for add_on in self._add_ons)
        written = None if penalised else by_hand(self._algorithm, loss, self.model)
        return written or (lambda batch: self._derived(loss(self, batch), batch))

    def _derived(self, losses: Losses, batch: Experience) -> Descent:
        """Down the losses' total and the add-ons' penalties, by automatic differentiation."""
        total = losses.total
        for add_on in self._add_ons:
            penalty = add_on.penalty(self.model, batch)
            total = total if penalty is None else total + penalty
        gradient = self.model.gradient(total.sum())
        return Descent(gradient, losses.policy.detach(), losses.value.detach(), losses.log_ratio)

    def minibatches(self, experience: Experience) -> Iterator[Experience]:
        """Each epoch's minibatches in a new order of its units, each member's from its own generator.

        Advantages come normalised as the parameters say; sizes differ by at most one unit.
        """
        p, units = self.p, experience.units
        epochs, count = p.epochs, min(p.num_minibatches, units)
        if p.advantage_normalisation == "batch":
            experience = experience.with_normalised_advantages()
        bounds = [index * units // count for index in range(count + 1)]
        whole = count == 1 and epochs == 1
        # Drawn before the first step: with `target_kl`, how many epochs a cohort runs must not move a generator.
        orders = [] if whole else [self._order(units) for _ in range(epochs)]
        for order in orders:
            if experience.is_small:
                batches = experience.take(order).parts(bounds)
            else:
                batches = (experience.take(order[:, start:stop]) for start, stop in pairwise(bounds))
            for batch in batches:
                yield batch.with_normalised_advantages() if p.advantage_normalisation == "minibatch" else batch
        if whole:
            yield experience.with_normalised_advantages() if p.advantage_normalisation == "minibatch" else experience

    def _order(self, units: int) -> Tensor:
        return torch.stack([torch.randperm(units, generator=generator) for generator in self._generators])

    def _near(self, log_ratio: Tensor) -> bool:
        """Leave out members whose KL (estimator k3) exceeds 1.5 `target_kl`; whether any member is left."""
        log_ratio = log_ratio.detach()
        self.active = self.active & ((log_ratio.exp() - 1 - log_ratio).mean(1) <= 1.5 * self.p.target_kl)
        self._everyone = bool(self.active.all())
        return bool(self.active.any())

    def step(self, losses: Losses, batch: Experience, only: Tensor | None = None) -> Tensor:
        """One step of the optimizer down the losses' total and the add-ons' penalties; returns gradient norms `[M]`.

        `only` bool `[P]` names the parameters that the loss may move.
        """
        return self._descend(self._derived(losses, batch), only)

    def _descend(self, descent: Descent, only: Tensor | None) -> Tensor:
        gradient = descent.gradient
        if only is not None:
            gradient.mul_(only)
        for add_on in self._add_ons:
            add_on.after_gradient(self.model, gradient)
        norm = clip_gradient(gradient, self.p.max_grad_norm)
        self.optimizer.step(gradient, self.rate, None if self._everyone else self.active)
        for add_on in self._add_ons:
            add_on.after_step(self.model, self.optimizer, self.active)
        self._algorithm.after_step(self)
        self._seen.append((descent.policy, descent.value, norm.unsqueeze(1)))
        if not self._everyone:
            self._seen[-1] = tuple(torch.where(self.active.unsqueeze(1), each, torch.nan) for each in self._seen[-1])
        return norm

    def means(self) -> dict[str, Tensor]:
        """`policy_loss`, `value_loss`, `grad_norm` `[M]`, means over the steps taken; nothing when there were none."""
        if not self._seen:
            return {}
        means = [torch.cat(column, 1).nanmean(1) for column in zip(*self._seen, strict=True)]
        return dict(zip(("policy_loss", "value_loss", "grad_norm"), means, strict=True))
