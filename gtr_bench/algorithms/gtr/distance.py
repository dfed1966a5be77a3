"""Squared distances between a policy and its anchors, all scaled so that near 0 they equal `2 KL`.

`delta = sqrt(2 KL)` is the local Fisher-Rao length of a move, in nats^(1/2). Every function returns its square:
the root of a KL has no gradient at 0, and the Gaussian kernel needs the square only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from gtr_bench.learn.distributions import Distribution

__all__ = ["CLOSED_FORMS", "log_ratio"]


def forward_kl(anchor: Distribution, policy: Distribution) -> Tensor:
    """`2 KL(anchor || policy)`: the direction of PPO and TRPO."""
    return 2 * anchor.kl(policy)


def reverse_kl(anchor: Distribution, policy: Distribution) -> Tensor:
    """`2 KL(policy || anchor)`."""
    return 2 * policy.kl(anchor)


def jeffreys(anchor: Distribution, policy: Distribution) -> Tensor:
    """`KL(anchor || policy) + KL(policy || anchor)`: each is half the squared length to second order."""
    return anchor.kl(policy) + policy.kl(anchor)


def hellinger(anchor: Distribution, policy: Distribution) -> Tensor:
    """`8 (1 - BC)`: `4 (1 - BC)` equals the KL to second order (algorithms A.16). Bounded by 8."""
    return 8 * anchor.squared_hellinger(policy)


def log_ratio(log_prob: Tensor, anchor_log_prob: Tensor) -> Tensor:
    """`(log pi(a|s) - log p_k(a|s))^2` of the action taken: twice the k2 estimator of the KL."""
    return (log_prob - anchor_log_prob).square()


CLOSED_FORMS: dict[str, Callable[[Distribution, Distribution], Tensor]] = {
    "forward_kl": forward_kl,
    "reverse_kl": reverse_kl,
    "jeffreys": jeffreys,
    "hellinger": hellinger,
}
