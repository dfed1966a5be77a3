"""Natural-gradient steps for a cohort: conjugate gradient on the Fisher matrix and a line search, each member its own.

Schulman et al. 2015, section 6 and appendix C (algorithms A.4). All vectors are rows of `[M, P]`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from gtr_bench.algorithms.base import Sample
from gtr_bench.learn.experience import Experience
from gtr_bench.learn.update import Update

__all__ = ["NaturalStep", "conjugate_gradient", "natural_step"]

_CONVERGED = 1e-10  # squared length of the residual


class NaturalStep(NamedTuple):
    """How the step went: the objective before it `[M, 1]`, and the share of the full step taken, 0 if none, `[M]`."""

    objective: Tensor
    share: Tensor


def _dot(first: Tensor, second: Tensor) -> Tensor:
    return (first * second).sum(1, keepdim=True)


def conjugate_gradient(product: Callable[[Tensor], Tensor], target: Tensor, iterations: int) -> Tensor:
    """Solve `F x = target` for each member's symmetric positive F.

    Args:
        product: `v [M, P] -> F v [M, P]`.
        target: `[M, P]`.
        iterations: at most so many; a member whose squared residual is below 1e-10 has finished.
    """
    solution = torch.zeros_like(target)
    residual, direction = target.clone(), target.clone()
    length = _dot(residual, residual)
    for _ in range(iterations):
        going = length > _CONVERGED
        if not bool(going.any()):
            break
        image = product(direction)
        step = torch.where(going, length / _dot(direction, image), 0.0)
        solution = solution + step * direction
        residual = residual - step * image
        shorter = _dot(residual, residual)
        direction = torch.where(going, residual + shorter / length * direction, direction)
        length = torch.where(going, shorter, length)
    return solution


def natural_step(
    update: Update,
    batch: Experience,
    objective: Callable[[Sample], Tensor],
    *,
    max_kl: float | Tensor,
    damping: float,
    iterations: int,
    backtracking: float,
    tries: int,
) -> NaturalStep:
    """Move the policy by the natural gradient of an objective as far as the mean KL allows.

    The full step has a KL of `max_kl` to second order. It is shortened by `backtracking` until the objective is better
    than before and `KL(behaviour || policy) <= max_kl`; after so many `tries` a member stays where it was.

    Args:
        update: whose model moves; members that are not active stay.
        batch: the whole rollout.
        objective: per sample `[M, B]`, to be maximised.
        max_kl: a float or `[M, 1]`.
        damping: added to the Fisher matrix's diagonal.
        iterations: of the conjugate gradient.
    """
    model = update.model
    sample = batch.sample(model.policy(batch.observations, batch.memory))
    before, first = model.data.clone(), objective(sample).mean(1, keepdim=True)
    gradient = model.gradient(first.sum(), retain_graph=True).clone()
    slope = model.gradient(batch.behaviour.kl(sample.policy, clamp=False).mean(1).sum(), create_graph=True)

    def product(vector: Tensor) -> Tensor:
        return model.gradient((slope * vector).sum(), retain_graph=True) + damping * vector

    solution = conjugate_gradient(product, gradient, iterations)
    curvature = _dot(solution, product(solution))
    full = (2 * max_kl / curvature).sqrt() * solution
    share = first.new_zeros(len(first))
    waiting = update.active & (curvature > 0).squeeze(1) & full.isfinite().all(1)
    with torch.no_grad():
        for attempt in range(tries):
            if not bool(waiting.any()):
                break
            model.data.copy_(torch.where(waiting.unsqueeze(1), before + backtracking**attempt * full, model.data))
            now = batch.sample(model.policy(batch.observations, batch.memory))
            better = objective(now).mean(1, keepdim=True) > first
            near = batch.behaviour.kl(now.policy).mean(1, keepdim=True) <= max_kl
            taken = waiting & (better & near).squeeze(1)
            share = torch.where(taken, backtracking**attempt, share)
            waiting = waiting & ~taken
        model.data.copy_(torch.where(waiting.unsqueeze(1), before, model.data))
    return NaturalStep(first.detach(), share)
