"""Generalised advantage estimation with correct bootstrapping at truncations (algorithms A.2, details 5 and 6)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["generalised_advantages"]

Array = NDArray[np.float32]


def generalised_advantages(
    rewards: Array,
    values: Array,
    next_values: Array,
    terminated: NDArray[np.bool_],
    ended: NDArray[np.bool_],
    gamma: Array,
    gae_lambda: Array,
) -> Array:
    """`A_t = delta_t + gamma lambda (1 - ended_t) A_{t+1}`, `delta_t = r_t + gamma (1 - terminated_t) V'_t - V_t`.

    Args:
        rewards, values: `[T, M, N]`.
        next_values: `[T, M, N]`, the value of the state each step led to: where an episode was truncated, of its
            final observation, not of the next episode's first.
        terminated: `[T, M, N]`, no value follows.
        ended: `[T, M, N]`, terminated or truncated: the recursion is cut.
        gamma, gae_lambda: `[M, 1]`.

    Returns:
        Advantages `[T, M, N]`; value targets are advantages plus values.
    """
    delta = rewards + gamma * next_values * ~terminated - values
    keep = gamma * gae_lambda * ~ended
    advantages = np.empty_like(delta)
    running = np.zeros_like(delta[0])
    for t in range(len(delta) - 1, -1, -1):
        running = delta[t] + keep[t] * running
        advantages[t] = running
    return advantages
