"""Estimates over seeds with intervals. The seed is the unit: episodes inside a run are not replicates.

Sources: protocols 13.1 (rliable's aggregates); Efron and Tibshirani, An Introduction to the Bootstrap, chapters 12 to
14; Hesterberg, What Teachers Should Know About the Bootstrap (2015), 3.2 and 4.3. With few seeds the percentile
interval is too narrow (a nominal 95 % covers about 83 % at n = 5), so it is made only on request: a mean has a
Student's t or bootstrap-t interval, any other statistic percentiles that are taken further out.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "RESAMPLES",
    "Estimate",
    "Method",
    "Statistic",
    "bootstrap",
    "draws",
    "further",
    "generator_of",
    "in_order",
    "iqm",
    "sorted_values",
    "stratified_bootstrap",
    "stratified_bootstraps",
    "stratified_shares",
    "student",
]

Statistic = Literal["mean", "iqm", "median"]
Method = Literal["t", "percentile", "bca"]

RESAMPLES = 10_000
"""Bootstrap resamples behind every interval."""
_AT_A_TIME = 500
"""of them, so that what is made of them stays in the cache"""

BOOTSTRAP_T_SEEDS = 10
"""From so many values of every group on bootstrap-t, which covers skewed scores better; Student's t below."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Attributes:
        value: the statistic of the data.
        low, high: ends of the interval; None for n = 1, where there is none.
        n: number of values behind it.
        level: nominal coverage.
        method: how the interval was made; `t` is Student's or bootstrap-t, or further percentiles.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    level: float = 0.95
    method: Method = "percentile"


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
    return np.sort(in_order(values))


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
        method: `percentile`, `bca` (bias-corrected and accelerated, acceleration by the jackknife), or `t`: Student's t
            or, from `BOOTSTRAP_T_SEEDS` values on, bootstrap-t for a mean, further percentiles for another statistic.
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
    places = generator.integers(0, n, size=(resamples, n))
    drawn = (data[places[start : start + _AT_A_TIME]] for start in range(0, resamples, _AT_A_TIME))
    if method == "t" and statistic == "mean":
        means, errors = (np.concatenate(each) for each in zip(*(_moments([some]) for some in drawn), strict=True))
        low, high = _bootstrap_t([data], means, errors, level)
        return Estimate(value, low, high, n, level, method)
    replicates = np.concatenate([_apply(statistic, some) for some in drawn])
    shares = np.array([(1 - level) / 2, (1 + level) / 2])
    if method == "t":
        shares = further(level, n, n - 1)
    if method == "bca":
        shares = _bca_shares(data, value, replicates, statistic, shares)
    low, high = np.quantile(replicates, shares)
    return Estimate(value, float(low), float(high), n, level, method)


def student(values: ArrayLike, *, level: float = 0.95) -> Estimate:
    """A mean with Student's t interval; none for one value."""
    from scipy.special import stdtrit

    data = sorted_values(values)
    n, value = len(data), float(data.mean())
    if n == 1:
        return Estimate(value, None, None, 1, level, "t")
    reach = float(stdtrit(n - 1, (1 + level) / 2)) * float(data.std(ddof=1)) / math.sqrt(n)
    return Estimate(value, value - reach, value + reach, n, level, "t")


def further(level: float, n: int, freedom: int) -> Floats:
    """The percentiles that make up for what resampling few values leaves out (Hesterberg's expanded percentiles).

    The spread of resampled means is too small by sqrt((n - 1) / n), and the normal quantile stands for Student's.

    Args:
        level: nominal coverage.
        n: values that are resampled together, at least 2.
        freedom: degrees of freedom behind the statistic.
    """
    from scipy.special import ndtr, stdtrit

    tail = float(ndtr(-float(stdtrit(freedom, (1 + level) / 2)) * math.sqrt(n / (n - 1))))
    return np.array([tail, 1 - tail])


def _moments(samples: Sequence[Floats]) -> tuple[Floats, Floats]:
    """The mean over groups of their means, and its standard error; a group's values lie in its last axis."""
    within = [sample.mean(axis=-1, keepdims=True) for sample in samples]
    parts = [
        sample.var(axis=-1, ddof=1, mean=mean) / (sample.shape[-1] * len(samples) ** 2)
        for sample, mean in zip(samples, within, strict=True)
    ]
    return np.asarray(np.mean([mean[..., 0] for mean in within], axis=0)), np.sqrt(np.sum(parts, axis=0))


def _bootstrap_t(groups: Sequence[Floats], means: Floats, errors: Floats, level: float) -> tuple[float, float]:
    """Ends of the mean over groups of their means (Efron and Tibshirani 12.5).

    `means` and `errors` are the `_moments` of resamples, [R].

    Student's t with Welch-Satterthwaite's degrees of freedom for groups of fewer than `BOOTSTRAP_T_SEEDS`: of few
    values some resamples hardly vary, and an end then lies far from every score. So too where many do not vary at all.
    """
    from scipy.special import stdtrit

    value, error = _moments(groups)
    shares = [(1 - level) / 2, (1 + level) / 2]
    varies = errors > 1e-9 * error
    if error > 0 and min(map(len, groups)) >= BOOTSTRAP_T_SEEDS:
        apart = means - value
        ratios = np.where(varies, apart / np.where(varies, errors, 1.0), np.copysign(np.inf, apart))
        below, above = np.quantile(ratios, shares, method="inverted_cdf")
        if math.isfinite(below) and math.isfinite(above):
            return float(value - above * error), float(value - below * error)
    parts = [float(group.var(ddof=1)) / len(group) for group in groups]
    spread = sum(part**2 / (len(group) - 1) for part, group in zip(parts, groups, strict=True))
    freedom = sum(parts) ** 2 / spread if spread > 0 else math.inf
    reach = float(stdtrit(freedom, shares[1])) * float(error)
    return float(value) - reach, float(value) + reach


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
    groups: Sequence[ArrayLike],
    statistic: Statistic = "mean",
    *,
    method: Method = "percentile",
    joint: bool = False,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Estimate:
    """An aggregate over environments, resampling the seeds of each environment (protocols 13.1).

    `mean` and `median` are taken over the environments' means, `iqm` over all runs of all environments pooled.

    Args:
        groups: the finite values of each environment, possibly of different lengths.
        statistic: what is estimated.
        method: `t`, or percentiles for any other.
        joint: seeds share randomness between environments: what is drawn is drawn in all of them, and the values of
            each are in the order of their seeds. Otherwise environments are resampled independently.
        level: nominal coverage, in (0, 1).
        resamples: number of bootstrap resamples.

    Returns:
        the estimate; `n` is the smallest number of seeds of any environment; no interval when that is 1.

    Raises:
        ValueError: no environment, an environment without values, or a value that is not finite.
    """
    return stratified_bootstraps(
        groups, [statistic], method=method, joint=joint, level=level, resamples=resamples
    )[0]  # fmt: skip


def stratified_bootstraps(
    groups: Sequence[ArrayLike],
    statistics: Sequence[Statistic],
    *,
    method: Method = "percentile",
    joint: bool = False,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> list[Estimate]:
    """`stratified_bootstrap` of several statistics over the same resamples, drawn once."""
    data = [in_order(group) if joint else sorted_values(group) for group in groups]
    if not data or any(len(group) == 0 for group in data):
        raise ValueError("an environment without values")

    def aggregate(samples: list[Floats], statistic: Statistic) -> Floats:
        if statistic == "iqm":
            return iqm(np.concatenate(samples, axis=-1))
        return _apply(statistic, np.stack([sample.mean(axis=-1) for sample in samples], axis=-1))

    values = [float(aggregate(data, statistic)) for statistic in statistics]
    n = min(len(group) for group in data)
    if n == 1:
        return [Estimate(value, None, None, n, level, method) for value in values]
    places = draws(generator_of(*data), [len(group) for group in data], resamples, joint=joint)
    shares = stratified_shares(method, level, [len(group) for group in data], joint=joint)
    # Of each statistic what its interval needs of the resamples, some of them at a time.
    paired = joint and len({len(group) for group in data}) == 1
    by_t = [method == "t" and statistic == "mean" and (paired or not joint) for statistic in statistics]
    pieces: list[list[Any]] = [[] for _ in statistics]
    for start in range(0, resamples, _AT_A_TIME):
        samples = [group[rows[start : start + _AT_A_TIME]] for group, rows in zip(data, places, strict=True)]
        for piece, statistic, t in zip(pieces, statistics, by_t, strict=True):
            together = [np.mean(samples, axis=0)] if t and joint else samples
            piece.append(_moments(together) if t else aggregate(samples, statistic))
    found = []
    for value, piece, t in zip(values, pieces, by_t, strict=True):
        if t:
            means, errors = (np.concatenate(each) for each in zip(*piece, strict=True))
            low, high = _bootstrap_t([np.mean(data, axis=0)] if joint else data, means, errors, level)
        else:
            low, high = np.quantile(np.concatenate(piece), shares).tolist()
        found.append(Estimate(value, low, high, n, level, method))
    return found


def stratified_shares(method: Method, level: float, sizes: Sequence[int], *, joint: bool) -> Floats:
    """The percentiles of a statistic over environments with so many seeds each, two at least."""
    if method != "t":
        return np.array([(1 - level) / 2, (1 + level) / 2])
    return further(level, min(sizes), min(sizes) - 1 if joint else sum(sizes) - len(sizes))


def draws(
    generator: np.random.Generator, sizes: Sequence[int], resamples: int, *, joint: bool
) -> list[NDArray[np.int64]]:
    """Which values are drawn in each environment, [resamples, n_e]; the same places in all of them where `joint`."""
    if not joint:
        return [generator.integers(0, size, size=(resamples, size)) for size in sizes]
    shared = generator.random((resamples, max(sizes)))
    return [(shared[:, :size] * size).astype(np.int64) for size in sizes]


def in_order(values: ArrayLike) -> Floats:
    """As they come. Raises ValueError for a value that is not finite."""
    array = np.asarray(values, dtype=np.float64).ravel() + 0.0
    if not np.all(np.isfinite(array)):
        raise ValueError("a value is not finite")
    return array
