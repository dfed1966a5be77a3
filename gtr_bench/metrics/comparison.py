"""Tests of a difference between two algorithms. The seed is the unit; several environments are strata of one test.

Sources: protocols 13.2; Good, Permutation, Parametric and Bootstrap Tests of Hypotheses, chapters 2, 3; Holm (1979).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtr_bench.metrics.interval import Statistic
from gtr_bench.metrics.permuted import permute
from gtr_bench.metrics.relabelled import Alternative, Relabelled, Seeds, checked, flip, p_value

__all__ = [
    "HypothesisTest",
    "Welch",
    "flip_test",
    "holm",
    "holm_steps",
    "permutation",
    "permutation_test",
    "sign_flip",
    "welch",
    "welch_interval",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HypothesisTest:
    """One test.

    Attributes:
        name: what a report calls it.
        statistic: mean over environments of the mean difference; Welch's t for `welch`.
        p: p-value; the observed labelling counts among the relabellings.
        n: values of the smaller side in the environment that has fewest.
        exact: all relabellings were tried, none drawn.
    """

    name: str
    statistic: float
    p: float
    n: int
    exact: bool


def sign_flip(
    groups: Sequence[ArrayLike],
    *,
    alternative: Alternative = "two-sided",
    seeds: Seeds | None = None,
    estimand: Statistic = "mean",
) -> HypothesisTest:
    """Paired test: under the null the sign of every difference is arbitrary (protocols 13.2).

    Args:
        groups: the paired differences of each environment, [n] each; every environment weighs the same.
        alternative: `greater` when the null is a mean of at most 0.
        seeds: of the differences, where environments share their seeds' randomness: those of a seed flip together.
        estimand: what must differ from 0.

    Raises:
        ValueError: an environment without differences, or one that is not finite.
    """
    return flip_test(flip(groups, seeds=seeds, estimand=estimand), groups, alternative, seeds=seeds, estimand=estimand)


def flip_test(
    tested: Relabelled,
    groups: Sequence[ArrayLike],
    alternative: Alternative = "two-sided",
    *,
    seeds: Seeds | None = None,
    estimand: Statistic = "mean",
) -> HypothesisTest:
    """`sign_flip` of differences that are relabelled already."""
    kind = {
        "mean": "paired sign-flip permutation",
        "iqm": "paired sign-flip permutation of the interquartile mean",
        "median": "paired sign test",
    }[estimand]
    together = ", a seed's signs flipped together" if seeds is not None else ""
    name = _name(kind, len(groups), alternative, exact=tested.exact) + together
    return _tested(tested, name, alternative, min(len(np.ravel(group)) for group in groups))


def permutation(
    first: Sequence[ArrayLike],
    second: Sequence[ArrayLike],
    *,
    alternative: Alternative = "two-sided",
    estimand: Statistic = "mean",
) -> HypothesisTest:
    """Unpaired test: under the null the labels within an environment are exchangeable (protocols 13.2).

    Args:
        first, second: the values of both algorithms in each environment, in the same order of environments.
        alternative: `greater` when the null is that the first is at most as large.
        estimand: what is compared.

    Raises:
        ValueError: no values somewhere, or one that is not finite.
    """
    return permutation_test(permute(first, second, estimand=estimand), first, second, alternative, estimand=estimand)


def permutation_test(
    tested: Relabelled,
    first: Sequence[ArrayLike],
    second: Sequence[ArrayLike],
    alternative: Alternative = "two-sided",
    *,
    estimand: Statistic = "mean",
) -> HypothesisTest:
    """`permutation` of values that are relabelled already."""
    of = {"mean": "", "iqm": " of interquartile means", "median": " of medians"}[estimand]
    name = _name(f"permutation{of}", len(first), alternative, exact=tested.exact)
    fewest = min(len(np.ravel(side)) for sides in (first, second) for side in sides)
    return _tested(tested, name, alternative, fewest)


def _tested(tested: Relabelled, name: str, alternative: Alternative, n: int) -> HypothesisTest:
    statistic = float(tested.at(0.0, alternative)[0])
    return HypothesisTest(name, statistic, p_value(tested, alternative), n, tested.exact)


@dataclass(frozen=True)
class Welch:
    """What Welch's t is made of: the difference of the means, its standard error, and the degrees of freedom."""

    difference: float
    error: float
    freedom: float

    @classmethod
    def of(cls, first: ArrayLike, second: ArrayLike) -> Welch:
        """Raises ValueError for fewer than two values on a side, or one that is not finite."""
        (a,), (b,) = checked([first]), checked([second])
        if min(len(a), len(b)) < 2:
            raise ValueError("Welch's test needs two values on each side")
        shares = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
        spread = shares[0] ** 2 / (len(a) - 1) + shares[1] ** 2 / (len(b) - 1)
        freedom = sum(shares) ** 2 / spread if spread > 0 else math.inf
        return cls(float(a.mean() - b.mean()), math.sqrt(sum(shares)), float(freedom))


def welch(first: ArrayLike, second: ArrayLike) -> HypothesisTest:
    """Welch's t, two-sided, with Welch-Satterthwaite degrees of freedom; p is NaN when neither side varies.

    Raises:
        ValueError: fewer than two values on a side, or one that is not finite.
    """
    from scipy.special import stdtr

    found, n = Welch.of(first, second), min(np.size(first), np.size(second))
    if found.error == 0:
        return HypothesisTest("Welch's t, two-sided", math.nan, math.nan, n, exact=False)
    statistic = found.difference / found.error
    p = float(2 * stdtr(found.freedom, -abs(statistic)))
    return HypothesisTest("Welch's t, two-sided", statistic, p, n, exact=False)


def welch_interval(first: ArrayLike, second: ArrayLike, level: float) -> tuple[float, float]:
    """The differences that Welch's test does not reject at `level`, which is in (0, 1)."""
    from scipy.special import stdtrit

    found = Welch.of(first, second)
    reach = found.error * float(stdtrit(found.freedom, 1 - level / 2))
    return found.difference - reach, found.difference + reach


def holm(values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values in the order given: max over j <= i of min(1, (m - j + 1) p_(j)) (protocols 13.2)."""
    order = sorted(range(len(values)), key=lambda index: values[index])
    adjusted, largest = [0.0] * len(values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - rank) * values[index]))
        adjusted[index] = largest
    return adjusted


def holm_steps(values: Sequence[float], levels: Sequence[float]) -> list[int]:
    """How many hypotheses were left at the step of Holm's procedure that decided each, in the order given.

    A rejected one has p <= level / left; one that is not rejected has p > level / left, at the step that stopped.

    Args:
        values: p-values.
        levels: the level of each.
    """
    order = sorted(range(len(values)), key=lambda index: values[index])
    left = [0] * len(values)
    for index, level in enumerate(levels):
        before = [other for other in order if values[other] <= values[index]]
        stops = (
            len(values) - rank
            for rank, other in enumerate(before)
            if (len(values) - rank) * values[other] > level or values[other] == values[index]
        )
        left[index] = next(stops)
    return left


def _name(kind: str, environments: int, alternative: Alternative, *, exact: bool) -> str:
    how = "exact" if exact else "sampled"
    strata = " stratified by environment" if environments > 1 else ""
    sides = "two-sided" if alternative == "two-sided" else "one-sided"
    return f"{how} {kind}{strata}, {sides}"
