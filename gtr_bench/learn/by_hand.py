"""The loss of one minibatch with its derivatives written down: one node where automatic differentiation has forty.

At these sizes a node costs more than its arithmetic. What is here gives the bits of `Algorithm.loss` without it
(tests/learn/test_by_hand.py); an objective that is not in `_SLOPES`, or that another class has changed, goes the
general way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gtr_bench.algorithms.base import Algorithm, Losses, Sample
from gtr_bench.algorithms.gtr.algorithm import GTR
from gtr_bench.algorithms.ppo import PPO
from gtr_bench.learn.distributions import Categorical, Distribution
from gtr_bench.learn.experience import Experience

__all__ = ["loss_by_hand"]

_Slopes = Callable[[Any, Sample, float], tuple[Tensor, Tensor | None, list[Tensor]]]
"""(algorithm, sample, scale) -> surrogate, penalty, and the summands of `scale` times the slope of surrogate - penalty
with respect to the log-probabilities of all actions, `[M, B, A]` each, in the order in which autograd adds them"""


def _clipped(algorithm: Any, sample: Sample, scale: float) -> tuple[Tensor, None, list[Tensor]]:
    """Of `PPO.objective`: `d min(r A, clip(r) A) / d log p(a) = r A` where the clip does not bind, else 0."""
    clip_range, ratio, advantage = algorithm.p.clip_range, sample.ratio, sample.advantage
    free, clipped = ratio * advantage, ratio.clamp(1 - clip_range, 1 + clip_range) * advantage
    slope = (advantage * scale).masked_fill_(free > clipped, 0).mul_(ratio).unsqueeze(-1)
    whole = torch.zeros_like(sample.policy.packed).scatter_(-1, sample.action.unsqueeze(-1), slope)
    return free.minimum(clipped), None, [whole]


def _reshaped(algorithm: Any, sample: Sample, scale: float) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Of `GTR.objective` at its default form: `d rho / d log p(i) = -sum_k w_k p_k(i) kappa_k` for `2 KL(p_k || p)`."""
    p = algorithm.p
    surrogate, _, slopes = _clipped(algorithm, sample, scale)
    curvature, strength = -(0.5 / (p.sigma * p.sigma)), p.beta * p.sigma * p.sigma
    anchors, weights = sample.columns["anchor"].clamp_min(-1e4), sample.columns["anchor_weight"]  # [M, B, K(, A)]
    shares, own = anchors.exp(), sample.policy.packed.unsqueeze(2)
    divergence = (shares * (anchors - own.clamp_min(-1e4))).sum(-1)
    lost = (divergence.clamp_min(0) * 2 * _broadcast(curvature)).expm1()  # kappa - 1
    force = (weights * _broadcast(_in_float32(strength) * -scale)).mul_(lost + 1).mul_(_broadcast(curvature)).mul_(2)
    pulled = (force.masked_fill_(divergence < 0, 0).unsqueeze(-1) * shares).masked_fill_(own < -1e4, 0).sum(2)
    return surrogate, strength * -(weights * lost).sum(2), [pulled, *slopes]


def _broadcast(coefficient: float | Tensor) -> float | Tensor:
    """A coefficient `[M, 1]`, or one for all, as it multiplies `[M, B, ...]` of three dimensions."""
    return coefficient.unsqueeze(2) if isinstance(coefficient, Tensor) else coefficient


def _is_default(p: Any) -> bool:
    own = (p.form, p.kernel, p.distance, p.surrogate, p.sustain)
    return (
        own == ("saturating", "gaussian", "forward_kl", "clip", False) and isinstance(p.shape, float) and p.shape == 2
    )


_SLOPES: dict[Any, tuple[Callable[[Any], bool], _Slopes]] = {
    PPO.objective: (lambda p: True, _clipped),
    GTR.objective: (_is_default, _reshaped),
}


def loss_by_hand(algorithm: Algorithm, policy: Distribution, value: Tensor, batch: Experience) -> Losses | None:
    """`Algorithm.loss` of a categorical policy and values `[M, B]`, or None where nothing is written down for it."""
    kind = type(algorithm)
    written, slopes = _SLOPES.get(kind.objective, (None, None))
    if written is None or kind.value_loss is not Algorithm.value_loss or algorithm.p.value_clip_range is not None:
        return None
    if not (isinstance(policy, Categorical) and written(algorithm.p)):
        return None
    return Losses(*_Loss.apply(policy.packed, value, batch, algorithm, slopes))  # type: ignore[no-untyped-call]


class _Loss(torch.autograd.Function):
    """From log-probabilities `[M, B, A]` and values `[M, B]` to the numbers of `Losses`; only the total has a slope."""

    @staticmethod
    def forward(
        ctx: Any, packed: Tensor, value: Tensor, batch: Experience, algorithm: Algorithm, slopes: _Slopes
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        p, size = algorithm.p, value.shape[1]
        policy = Categorical(packed)
        sample = batch.sample(policy)
        surrogate, penalty, summands = slopes(algorithm, sample, float(np.float32(-1 / size)))
        policy_loss = -(surrogate if penalty is None else surrogate - penalty).mean(1, keepdim=True)
        error, half = value - batch.returns, 0.5 if p.value_loss == "half_mse" else 1.0
        value_loss = half * error.square().mean(1, keepdim=True)
        total = policy_loss + p.value_coefficient * value_loss
        if not (isinstance(p.entropy_coefficient, float) and p.entropy_coefficient == 0):
            shares = packed.exp()
            total = total + p.entropy_coefficient * (shares * packed).sum(-1).mean(1, keepdim=True)
            pull = _broadcast(_in_float32(p.entropy_coefficient) / size)
            summands.insert(0, shares * pull + (packed * pull).mul_(shares))
        slope = reduce(torch.add, summands)
        ctx.save_for_backward(slope, error.mul_(2 * (_in_float32(p.value_coefficient) * half / size)))
        log_ratio = sample.log_ratio
        ctx.mark_non_differentiable(policy_loss, value_loss, log_ratio)
        ctx.set_materialize_grads(False)
        return total, policy_loss, value_loss, log_ratio

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, total: Tensor, *_: None) -> tuple[Tensor, Tensor, None, None, None]:
        slope, error = ctx.saved_tensors
        return slope * total.unsqueeze(2), error * total, None, None, None


def _in_float32(coefficient: float | Tensor) -> float | Tensor:
    """A coefficient as it meets tensors."""
    return float(np.float32(coefficient)) if isinstance(coefficient, float) else coefficient
