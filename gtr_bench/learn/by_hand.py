"""One minibatch's gradient with the derivatives written down: what needs no graph needs no automatic differentiation.

At these sizes a node costs more than its arithmetic. What is here gives the bits of `Algorithm.loss` without it
(tests/learn/test_by_hand.py); an objective that is not in `_SLOPES`, or that another class has changed, goes the
general way. Samples lie innermost, as the stacked pair computes them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gtr_bench.algorithms.base import Algorithm
from gtr_bench.algorithms.gtr.algorithm import GTR
from gtr_bench.algorithms.ppo import PPO
from gtr_bench.learn.experience import Experience
from gtr_bench.networks.model import Model
from gtr_bench.networks.twin import Workspace

__all__ = ["ByHand", "Descent", "by_hand"]


class Descent(NamedTuple):
    """Where a minibatch's losses go down.

    Attributes:
        gradient: `[M, P]`, of what is minimised; the next minibatch may overwrite it.
        policy, value: the losses `[M, 1]`, for the logs.
        log_ratio: `[M, B]`, of the actions taken, which `target_kl` looks at; None: it does not stop these updates.
    """

    gradient: Tensor
    policy: Tensor
    value: Tensor
    log_ratio: Tensor | None


_Slopes = Callable[[Any, Experience, Tensor, Tensor, float], tuple[Tensor, Tensor | None, list[Tensor]]]
"""(algorithm, minibatch, log-probabilities of all actions `[M, A, B]`, ratio `[M, B]`, scale) -> surrogate, penalty,
and the summands of `scale` times the slope of surrogate - penalty with respect to the log-probabilities, `[M, A, B]`
each, in the order in which autograd adds them"""


def _clipped(
    algorithm: Any, batch: Experience, packed: Tensor, ratio: Tensor, scale: float
) -> tuple[Tensor, None, list[Tensor]]:
    """Of `PPO.objective`: `d min(r A, clip(r) A) / d log p(a) = r A` where the clip does not bind, else 0."""
    clip_range, advantage = algorithm.p.clip_range, batch.advantages
    free, clipped = ratio * advantage, ratio.clamp(1 - clip_range, 1 + clip_range).mul_(advantage)
    slope = (advantage * scale).masked_fill_(free > clipped, 0).mul_(ratio).unsqueeze(1)
    whole = torch.zeros_like(packed).scatter_(1, batch.actions.unsqueeze(1), slope)
    return torch.minimum(free, clipped, out=free), None, [whole]


def _reshaped(
    algorithm: Any, batch: Experience, packed: Tensor, ratio: Tensor, scale: float
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Of `GTR.objective` at its default form: `d rho / d log p(i) = -sum_k w_k p_k(i) kappa_k` for `2 KL(p_k || p)`."""
    p = algorithm.p
    surrogate, _, slopes = _clipped(algorithm, batch, packed, ratio, scale)
    curvature, strength = _broadcast(-(0.5 / (p.sigma * p.sigma)) * 2), p.beta * p.sigma * p.sigma
    anchors = batch.columns["anchor"].permute(0, 2, 3, 1).contiguous().clamp_min(-1e4)  # [M, K, A, B]
    weights = batch.columns["anchor_weight"].transpose(1, 2).contiguous()  # [M, K, B]
    shares, own = anchors.exp(), packed.clamp_min(-1e4).unsqueeze(1)
    divergence = anchors.sub_(own).mul_(shares).sum(2)
    lost = divergence.clamp_min(0).mul_(curvature).expm1_()  # kappa - 1
    penalty = strength * -(weights * lost).sum(1)
    force = (weights * _broadcast(_in_float32(strength) * -scale)).mul_(lost.add_(1)).mul_(curvature)
    force.masked_fill_(divergence < 0, 0)
    pulled = shares.mul_(force.unsqueeze(2)).sum(1).masked_fill_(packed < -1e4, 0)
    return surrogate, penalty, [pulled, *slopes]


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


def by_hand(algorithm: Algorithm, loss: Callable[..., Any], model: Model) -> ByHand | None:
    """What stands for differentiating `loss`, or None where nothing is written down for it."""
    kind = type(algorithm)
    written, slopes = _SLOPES.get(kind.objective, (None, None))
    if written is None or slopes is None or not written(algorithm.p) or algorithm.p.value_clip_range is not None:
        return None
    if loss != algorithm.loss or kind.loss is not Algorithm.loss or kind.value_loss is not Algorithm.value_loss:
        return None
    if not model.is_stacked or model.spaces.action.kind != "discrete":
        return None
    return ByHand(algorithm, model, slopes)


class ByHand:
    """Loss and gradient of the minibatches of one update, in memory laid out once for all of one size."""

    def __init__(self, algorithm: Algorithm, model: Model, slopes: _Slopes) -> None:
        self._algorithm, self._model, self._slopes = algorithm, model, slopes
        self._workspaces: dict[int, Workspace] = {}

    @torch.no_grad()
    def __call__(self, batch: Experience) -> Descent:
        """Of one minibatch."""
        p, size = self._algorithm.p, batch.actions.shape[1]
        workspace = self._workspaces.get(size)
        if workspace is None:
            workspace = self._workspaces[size] = self._model.workspace(size)
        logits, value = workspace.forward(batch.observations)
        packed = logits.log_softmax(1)
        log_ratio = packed.gather(1, batch.actions.unsqueeze(1)).squeeze(1) - batch.log_probs
        scale = float(np.float32(-1 / size))
        surrogate, penalty, summands = self._slopes(self._algorithm, batch, packed, log_ratio.exp(), scale)
        policy_loss = -(surrogate if penalty is None else surrogate - penalty).mean(1, keepdim=True)
        error, half = value - batch.returns, 0.5 if p.value_loss == "half_mse" else 1.0
        value_loss = half * error.square().mean(1, keepdim=True)
        if not (isinstance(p.entropy_coefficient, float) and p.entropy_coefficient == 0):
            shares, pull = packed.exp(), _broadcast(_in_float32(p.entropy_coefficient) / size)
            summands.insert(0, shares * pull + (packed * pull).mul_(shares))
        slope = torch._log_softmax_backward_data(reduce(torch.add, summands), packed, 1, packed.dtype)
        gradient = workspace.backward(slope, error.mul_(2 * (_in_float32(p.value_coefficient) * half / size)))
        return Descent(gradient, policy_loss, value_loss, log_ratio)


def _in_float32(coefficient: float | Tensor) -> float | Tensor:
    """A coefficient as it meets tensors."""
    return float(np.float32(coefficient)) if isinstance(coefficient, float) else coefficient
