"""Improve: epochs of minibatch steps on one rollout. The training step on one screen.

Losses reduce within a member and add across members, so each member's gradient is its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from gtr_bench.algorithms.base import Algorithm, Sample
from gtr_bench.learn.distributions import Distribution
from gtr_bench.learn.optimizer import Optimizer, clip_gradient
from gtr_bench.networks.actor_critic import ActorCritic
from gtr_bench.networks.stacked import FlatParameters

if TYPE_CHECKING:
    from types import SimpleNamespace

__all__ = ["Experience", "Losses", "improve", "losses", "normalised", "sample_of"]


@dataclass
class Experience:
    """A rollout ready for learning; B = T x N samples of each member.

    Attributes:
        observations: `[M, B, D]`; actions: `[M, B, ...]`; behaviour: the policy that collected them, `[M, B]`.
        log_probs, values, advantages, returns: `[M, B]`, of the behaviour policy and the critic before the update.
        columns: what the algorithm prepared, `[M, B, ...]`.
    """

    observations: Tensor
    actions: Tensor
    behaviour: Distribution
    log_probs: Tensor
    values: Tensor
    advantages: Tensor
    returns: Tensor
    columns: dict[str, Tensor]

    def tensors(self) -> dict[str, Tensor]:
        """Everything a minibatch needs, by name."""
        own = {
            "observations": self.observations,
            "actions": self.actions,
            "behaviour": self.behaviour.packed,
            "log_probs": self.log_probs,
            "values": self.values,
            "advantages": self.advantages,
            "returns": self.returns,
        }
        return own | {f"column.{name}": value for name, value in self.columns.items()}


class Losses(NamedTuple):
    """Of one minibatch, `[M, 1]` each; `total` is what is minimised."""

    total: Tensor
    policy: Tensor
    value: Tensor


def normalised(advantages: Tensor) -> Tensor:
    """`(A - mean) / (std + 1e-8)` per member over `[M, B]`, sample std; a single sample is only centred."""
    centred = advantages - advantages.mean(1, keepdim=True)
    if advantages.shape[1] == 1:
        return centred
    return centred / (advantages.std(1, keepdim=True) + 1e-8)


def sample_of(network: ActorCritic, batch: Mapping[str, Tensor], like: Distribution) -> Sample:
    """The objective's view of a minibatch under the current policy."""
    policy = network.policy(batch["observations"])
    return Sample(
        policy=policy,
        behaviour=like.like(batch["behaviour"]),
        log_prob=policy.log_prob(batch["actions"]),
        old_log_prob=batch["log_probs"],
        advantage=batch["advantages"],
        action=batch["actions"],
        columns={name[7:]: value for name, value in batch.items() if name.startswith("column.")},
    )


def losses(network: ActorCritic, algorithm: Algorithm, sample: Sample, batch: Mapping[str, Tensor]) -> Losses:
    """Policy, value and entropy terms of one minibatch (algorithms A.2, details 9 to 11)."""
    p = algorithm.p
    surrogate, penalty = algorithm.objective(sample)
    policy_loss = -(surrogate if penalty is None else surrogate - penalty).mean(1, keepdim=True)

    value, target = network.value(batch["observations"]), batch["returns"]
    error = (value - target).square()
    if p.value_clip_range is not None:
        old = batch["values"]
        clipped = old + (value - old).clamp(-p.value_clip_range, p.value_clip_range)
        error = error.maximum((clipped - target).square())
    value_loss = error.mean(1, keepdim=True)
    if p.value_loss == "half_mse":
        value_loss = 0.5 * value_loss

    total = policy_loss + p.value_coefficient * value_loss
    if not (isinstance(p.entropy_coefficient, float) and p.entropy_coefficient == 0):
        total = total - p.entropy_coefficient * sample.policy.entropy().mean(1, keepdim=True)
    return Losses(total, policy_loss, value_loss)


def _orders(size: int, epochs: int, generators: Sequence[torch.Generator]) -> list[Tensor]:
    """A new order of B samples per epoch, `[M x B]` rows of a flattened batch, each member's from its own generator.

    Drawn before the first step: with `target_kl`, how many epochs a cohort runs must not move a member's generator.
    """

    def order() -> Tensor:
        return torch.cat([torch.randperm(size, generator=g) + m * size for m, g in enumerate(generators)])

    return [order() for _ in range(epochs)]


def _shuffled(tensors: Mapping[str, Tensor], order: Tensor) -> dict[str, Tensor]:
    """Every tensor `[M, B, ...]` in another order `[M x B]`."""
    first = next(iter(tensors.values()))
    members, size = first.shape[:2]
    flat = order.to(first.device)
    return {
        name: value.reshape(members * size, *value.shape[2:]).index_select(0, flat).view(value.shape)
        for name, value in tensors.items()
    }


def improve(
    network: ActorCritic,
    flat: FlatParameters,
    optimizer: Optimizer,
    algorithm: Algorithm,
    experience: Experience,
    generators: Sequence[torch.Generator],
    learning_rate: float | Tensor,
    active: Tensor,
) -> dict[str, Tensor]:
    """Update the network on one rollout.

    Args:
        learning_rate: a float or `[M, 1]`.
        active: `[M]` bool; the others keep their parameters. With `target_kl`, members drop out on the way.

    Returns:
        `policy_loss`, `value_loss`, `grad_norm`: `[M]`, means over the minibatches.
    """
    p: SimpleNamespace | Any = algorithm.p
    tensors = experience.tensors()
    if p.advantage_normalisation == "batch":
        tensors["advantages"] = normalised(tensors["advantages"])
    size = experience.log_probs.shape[1]
    count = min(p.num_minibatches, size)
    bounds = [index * size // count for index in range(count + 1)]
    seen: list[Tensor] = []
    everyone = bool(active.all())
    whole = count == 1 and p.epochs == 1
    for order in [None] if whole else _orders(size, p.epochs, generators):
        shuffled = tensors if order is None else _shuffled(tensors, order)
        for start, stop in pairwise(bounds):
            batch = {name: value[:, start:stop] for name, value in shuffled.items()}
            if p.advantage_normalisation == "minibatch":
                batch["advantages"] = normalised(batch["advantages"])
            sample = sample_of(network, batch, experience.behaviour)
            if p.target_kl is not None:
                log_ratio = sample.log_ratio.detach()
                active = active & ((log_ratio.exp() - 1 - log_ratio).mean(1) <= 1.5 * p.target_kl)
                everyone = bool(active.all())
                if not bool(active.any()):
                    return _means(seen)
            loss = losses(network, algorithm, sample, batch)
            gradient = flat.backward(loss.total.sum())
            norm = clip_gradient(gradient, p.max_grad_norm)
            optimizer.step(gradient, learning_rate, None if everyone else active)
            row = torch.cat([loss.policy.detach(), loss.value.detach(), norm.unsqueeze(1)], 1)
            seen.append(row if everyone else torch.where(active.unsqueeze(1), row, torch.nan))
    return _means(seen)


def _means(seen: list[Tensor]) -> dict[str, Tensor]:
    if not seen:
        return {}
    table = torch.stack(seen, 1).nanmean(1)
    return dict(zip(("policy_loss", "value_loss", "grad_norm"), table.unbind(1), strict=True))
