"""Aggregates over environments and seeds, with stratified bootstrap intervals; groups may differ in length.

Source: protocols 13.1, after Agarwal and others, Deep Reinforcement Learning at the Edge of the Statistical Precipice.
Scores are per environment, normalised so that they compare: `groups[e]` holds one value per seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtr_bench.metrics.interval import (
    RESAMPLES,
    Estimate,
    Method,
    draws,
    generator_of,
    in_order,
    sorted_values,
    stratified_shares,
)

__all__ = ["estimated_median", "optimality_gap", "performance_profile", "probability_of_improvement"]

Floats = NDArray[np.float64]
Groups = Sequence[ArrayLike]


def optimality_gap(
    groups: Groups,
    *,
    target: float = 1.0,
    method: Method = "percentile",
    joint: bool = False,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Estimate:
    """How far runs stay below `target` on average: target - mean(min(x, target)); lower is better.

    The mean is over environments of the mean over seeds, so an environment with more seeds weighs no more. `method` and
    `joint` as in `interval.stratified_bootstrap`.
    """
    (data,) = _checked(groups, joint=joint)
    reached = [np.minimum(group, target) for group in data]

    def statistic(drawn: Sequence[Sequence[Floats]]) -> Floats:
        shares = zip(drawn[0], reached, strict=True)
        return np.asarray(target - np.mean([counts @ values / len(values) for counts, values in shares], axis=0))

    return _estimate([data], statistic, method, level, resamples, joint=joint)


def performance_profile(groups: Groups, thresholds: ArrayLike) -> Floats:
    """Share of runs above each threshold (strictly): [K] for K thresholds; environments weigh the same."""
    data = [sorted_values(group) for group in groups]
    levels = np.asarray(thresholds, dtype=np.float64)
    return np.asarray(np.mean([(group[:, None] > levels).mean(axis=0) for group in data], axis=0))


def probability_of_improvement(
    first: Groups,
    second: Groups,
    *,
    method: Method = "percentile",
    joint: bool = False,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Mean over environments of P(X > Y) + P(X = Y) / 2 for a random run of each; 0.5 = no difference.

    Both sides are resampled independently; `method` and `joint` as in `interval.stratified_bootstrap`. Raises
    ValueError when their environments differ in number or one has no values.
    """
    if len(first) != len(second):
        raise ValueError("both sides need the same environments")
    ours, theirs = _checked(first, second, joint=joint)
    wins = [
        (one[:, None] > other).astype(np.float64) + 0.5 * (one[:, None] == other)
        for one, other in zip(ours, theirs, strict=True)
    ]

    def statistic(drawn: Sequence[Sequence[Floats]]) -> Floats:
        shares = [
            np.einsum("bi,bi->b", counts @ won, others) / won.size
            for counts, others, won in zip(*drawn, wins, strict=True)
        ]
        return np.asarray(np.mean(shares, axis=0))

    return _estimate([ours, theirs], statistic, method, level, resamples, joint=joint)


def estimated_median(
    groups: Groups,
    weights: Sequence[float],
    *,
    method: Method = "percentile",
    joint: bool = False,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Estimate:
    """The median over many environments, estimated from a few of them (Atari-5: Aitchison and others; protocols 5).

    Scores are shares, 1 is a human's: with `x_g = log10(1 + max(0, 100 mean_g))` the estimate in percent is
    `10^(sum w_g x_g) - 1`, and a hundredth of it is given. `method` and `joint` as in `interval.stratified_bootstrap`.
    """
    (data,) = _checked(groups, joint=joint)

    def statistic(drawn: Sequence[Sequence[Floats]]) -> Floats:
        total = np.zeros(len(drawn[0][0]))
        for counts, values, weight in zip(drawn[0], data, weights, strict=True):
            total += weight * np.log10(1 + np.maximum(0, 100 * (counts @ values / len(values))))
        return np.asarray((10**total - 1) / 100)

    return _estimate([data], statistic, method, level, resamples, joint=joint)


def _checked(*sides: Groups, joint: bool) -> list[list[Floats]]:
    data = [[in_order(group) if joint else sorted_values(group) for group in side] for side in sides]
    if not data[0] or any(len(group) == 0 for side in data for group in side):
        raise ValueError("an environment without values")
    return data


def _estimate(
    data: Sequence[Sequence[Floats]],
    statistic: Callable[[Sequence[Sequence[Floats]]], Floats],
    method: Method,
    level: float,
    resamples: int,
    *,
    joint: bool,
) -> Estimate:
    """`statistic` gets, per side and environment, how often each value was drawn: [resamples, values].

    Counts rather than the drawn values, because then a comparison of all pairs of runs is one matrix product.
    """
    value = float(statistic([[np.ones((1, len(group))) for group in side] for side in data])[0])
    n = min(len(group) for side in data for group in side)
    if n == 1:
        return Estimate(value, None, None, n, level, method)
    generator = generator_of(*(group for side in data for group in side))
    # A thousand at a time, so that memory does not grow with the resamples.
    parts = []
    for start in range(0, resamples, 1000):
        size = min(1000, resamples - start)
        places = [draws(generator, [len(group) for group in side], size, joint=joint) for side in data]
        parts.append(statistic([[_counts(rows) for rows in side] for side in places]))
    shares = stratified_shares(method, level, [len(group) for side in data for group in side], joint=joint)
    low, high = np.quantile(np.concatenate(parts), shares)
    return Estimate(value, float(low), float(high), n, level, method)


def _counts(drawn: NDArray[np.int64]) -> Floats:
    """How often each of n places is among n drawn with replacement, of [resamples, n]."""
    resamples, n = drawn.shape
    places = drawn + n * np.arange(resamples)[:, None]
    return np.bincount(places.ravel(), minlength=n * resamples).reshape(resamples, n).astype(np.float64)
