"""Estimates over seeds with bootstrap intervals. The seed is the unit: episodes inside a run are not replicates.

Sources: protocols 13.1 (rliable's aggregates); Efron and Tibshirani, An Introduction to the Bootstrap, chapters 13, 14.
With few seeds the percentile interval is too narrow (a nominal 95 % covers about 83 % at n = 5): n is always carried.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "RESAMPLES",
    "Estimate",
    "Method",
    "Statistic",
    "bootstrap",
    "generator_of",
    "iqm",
    "sorted_values",
    "stratified_bootstrap",
    "stratified_bootstraps",
]

Statistic = Literal["mean", "iqm", "median"]
Method = Literal["percentile", "bca"]

RESAMPLES = 10_000
"""Bootstrap resamples behind every interval."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Attributes:
        value: the statistic of the data.
        low, high: ends of the interval; None for n = 1, where there is none.
        n: number of values behind it.
        level: nominal coverage.
        method: how the interval was made.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    level: float = 0.95
    method: Literal["percentile", "bca", "t"] = "percentile"


def iqm(values: ArrayLike) -> Floats:
    """Interquartile mean along the last axis: drop floor(n / 4) values from each end, average the rest."""
    ordered = np.sort(np.asarray(values, dtype=np.float64), axis=-1)
    cut = ordered.shape[-1] // 4
    middle = ordered[..., cut : ordered.shape[-1] - cut]
    return np.asarray(middle.mean(axis=-1))


def _apply(statistic: Statistic, values: Floats) -> Floats:
    if statistic == "mean":
        return np.asarray(values.mean(axis=-1))
    return np.asarray(np.median(values, axis=-1)) if statistic == "median" else iqm(values)


def generator_of(*groups: Floats) -> np.random.Generator:
    """A generator whose seed is a hash of the data, so the same results give the same report to the byte (rule 7)."""
    digest = hashlib.sha256()
    for group in groups:
        digest.update(len(group).to_bytes(8, "little"))
        digest.update(group.astype("<f8").tobytes())
    return np.random.default_rng(int.from_bytes(digest.digest()[:16], "little"))


def sorted_values(values: ArrayLike) -> Floats:
    """Sorted, so that the order in which jobs were read cannot change an interval."""
    array = np.sort(np.asarray(values, dtype=np.float64).ravel()) + 0.0
    if not np.all(np.isfinite(array)):
        raise ValueError("a value is not finite")
    return array


def bootstrap(
    values: ArrayLike,
    statistic: Statistic = "mean",
    *,
    method: Method = "percentile",
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Estimate:
    """A statistic of one value per seed, with a bootstrap interval over seeds.

    Args:
        values: finite values, one per seed, in any order: [n].
        statistic: what is estimated.
        method: `percentile`, or `bca` (bias-corrected and accelerated, acceleration by the jackknife).
        level: nominal coverage, in (0, 1).
        resamples: number of bootstrap resamples.

    Raises:
        ValueError: no values, or one that is not finite.
    """
    data = sorted_values(values)
    n = len(data)
    if n == 0:
        raise ValueError("no values")
    value = float(_apply(statistic, data))
    if n == 1:
        return Estimate(value, None, None, 1, level, method)
    generator = generator_of(data)
    replicates = _apply(statistic, data[generator.integers(0, n, size=(resamples, n))])
    shares = np.array([(1 - level) / 2, (1 + level) / 2])
    if method == "bca":
        shares = _bca_shares(data, value, replicates, statistic, shares)
    low, high = np.quantile(replicates, shares)
    return Estimate(value, float(low), float(high), n, level, method)


def _bca_shares(data: Floats, value: float, replicates: Floats, statistic: Statistic, shares: Floats) -> Floats:
    """The percentiles BCa reads off the replicates (Efron and Tibshirani 14.3); the plain ones for constant data."""
    from scipy.special import ndtr, ndtri

    # Ties count half: with few seeds many replicates equal the estimate itself.
    below = float(np.mean(replicates < value) + np.mean(replicates == value) / 2)
    if below in (0.0, 1.0) or data[0] == data[-1]:
        return shares
    bias = ndtri(below)
    left_out = np.array([float(_apply(statistic, np.delete(data, i))) for i in range(len(data))])
    deviations = left_out.mean() - left_out
    # The acceleration has no unit: taken relative to the largest, cubes of tiny deviations do not underflow.
    deviations = deviations / (np.abs(deviations).max() or 1.0)
    spread = float(np.sum(deviations**2))
    acceleration = float(np.sum(deviations**3)) / (6 * spread**1.5) if spread > 0 else 0.0
    quantiles = bias + ndtri(shares)
    return np.asarray(ndtr(bias + quantiles / (1 - acceleration * quantiles)))


def stratified_bootstrap(
    groups: Sequence[ArrayLike], statistic: Statistic = "mean", *, level: float = 0.95, resamples: int = RESAMPLES
) -> Estimate:
    """An aggregate over environments, resampling the seeds of each environment independently (protocols 13.1).

    `mean` and `median` are taken over the environments' means, `iqm` over all runs of all environments pooled.

    Args:
        groups: the finite values of each environment, possibly of different lengths.
        statistic: what is estimated.
        level: nominal coverage, in (0, 1).
        resamples: number of bootstrap resamples.

    Returns:
        the estimate; `n` is the smallest number of seeds of any environment; no interval when that is 1.

    Raises:
        ValueError: no environment, an environment without values, or a value that is not finite.
    """
    return stratified_bootstraps(groups, [statistic], level=level, resamples=resamples)[0]


def stratified_bootstraps(
    groups: Sequence[ArrayLike], statistics: Sequence[Statistic], *, level: float = 0.95, resamples: int = RESAMPLES
) -> list[Estimate]:
    """`stratified_bootstrap` of several statistics over the same resamples, drawn once."""
    data = [sorted_values(group) for group in groups]
    if not data or any(len(group) == 0 for group in data):
        raise ValueError("an environment without values")

    def aggregate(samples: list[Floats], statistic: Statistic) -> Floats:
        if statistic == "iqm":
            return iqm(np.concatenate(samples, axis=-1))
        return _apply(statistic, np.stack([sample.mean(axis=-1) for sample in samples], axis=-1))

    values = [float(aggregate(data, statistic)) for statistic in statistics]
    n = min(len(group) for group in data)
    if n == 1:
        return [Estimate(value, None, None, n, level) for value in values]
    generator = generator_of(*data)
    samples = [group[generator.integers(0, len(group), size=(resamples, len(group)))] for group in data]
    shares = [(1 - level) / 2, (1 + level) / 2]
    ends = [np.quantile(aggregate(samples, statistic), shares).tolist() for statistic in statistics]
    return [Estimate(value, low, high, n, level) for value, (low, high) in zip(values, ends, strict=True)]
