"""Aggregates over environments and seeds, with stratified bootstrap intervals; groups may differ in length.

Source: protocols 13.1, after Agarwal and others, Deep Reinforcement Learning at the Edge of the Statistical Precipice.
Scores are per environment, normalised so that they compare: `groups[e]` holds one value per seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtr_bench.metrics.interval import RESAMPLES, Estimate, generator_of, sorted_values

__all__ = ["optimality_gap", "performance_profile", "probability_of_improvement"]

Floats = NDArray[np.float64]
Groups = Sequence[ArrayLike]


def optimality_gap(groups: Groups, *, target: float = 1.0, level: float = 0.95, resamples: int = RESAMPLES) -> Estimate:
    """How far runs stay below `target` on average: target - mean(min(x, target)); lower is better.

    The mean is over environments of the mean over seeds, so an environment with more seeds weighs no more.
    """

    def statistic(samples: Sequence[Floats]) -> Floats:
        means = [np.minimum(sample, target).mean(axis=-1) for sample in samples]
        return np.asarray(target - np.mean(means, axis=0))

    return _estimate([groups], lambda sides: statistic(sides[0]), level, resamples)


def performance_profile(groups: Groups, thresholds: ArrayLike, *, of_means: bool = False) -> Floats:
    """Share of runs above each threshold (strictly): [K] for K thresholds.

    Args:
        groups: values of each environment.
        thresholds: the scores asked about, [K].
        of_means: count environments by their mean instead of runs; runs weigh so that environments weigh the same.
    """
    data = [sorted_values(group) for group in groups]
    levels = np.asarray(thresholds, dtype=np.float64)
    if of_means:
        means = np.array([group.mean() for group in data])
        return np.asarray((means[:, None] > levels).mean(axis=0))
    return np.asarray(np.mean([(group[:, None] > levels).mean(axis=0) for group in data], axis=0))


def probability_of_improvement(
    first: Groups, second: Groups, *, level: float = 0.95, resamples: int = RESAMPLES
) -> Estimate:
    """Mean over environments of P(X > Y) + P(X = Y) / 2 for a random run of each; 0.5 = no difference.

    Both sides are resampled independently within environments. Raises ValueError when their environments differ in
    number or one has no values.
    """
    if len(first) != len(second):
        raise ValueError("both sides need the same environments")

    def statistic(sides: Sequence[Sequence[Floats]]) -> Floats:
        shares = []
        for ours, theirs in zip(*sides, strict=True):
            difference = ours[..., :, None] - theirs[..., None, :]
            shares.append(((difference > 0) + 0.5 * (difference == 0)).mean(axis=(-2, -1)))
        return np.asarray(np.mean(shares, axis=0))

    return _estimate([first, second], statistic, level, resamples)


def _estimate(
    sides: Sequence[Groups], statistic: Callable[[list[list[Floats]]], Floats], level: float, resamples: int
) -> Estimate:
    data = [[sorted_values(group) for group in side] for side in sides]
    if not data[0] or any(len(group) == 0 for side in data for group in side):
        raise ValueError("an environment without values")
    value = float(statistic(data))
    n = min(len(group) for side in data for group in side)
    if n == 1:
        return Estimate(value, None, None, n, level)
    generator = generator_of(*(group for side in data for group in side))
    # A thousand at a time: pairs of runs of all resamples at once would not fit into memory.
    parts = []
    for start in range(0, resamples, 1000):
        size = min(1000, resamples - start)
        drawn = [[group[generator.integers(0, len(group), (size, len(group)))] for group in side] for side in data]
        parts.append(statistic(drawn))
    low, high = np.quantile(np.concatenate(parts), [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, float(low), float(high), n, level)
