"""Tests of a difference between two algorithms. The seed is the unit; several environments are strata of one test.

Sources: protocols 13.2; Good, Permutation, Parametric and Bootstrap Tests of Hypotheses, chapters 2, 3; Holm (1979).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtr_bench.metrics.interval import generator_of

__all__ = [
    "EXACT_LIMIT",
    "SAMPLES",
    "Alternative",
    "HypothesisTest",
    "holm",
    "permutation",
    "sign_flip",
    "sign_flips",
    "welch",
]

Alternative = Literal["two-sided", "greater", "less"]
Floats = NDArray[np.float64]

EXACT_LIMIT = 20_000
"""Up to so many relabellings all of them are tried; above, `SAMPLES` are drawn."""
SAMPLES = 20_000
_TIE = 1e-9
"""Statistics nearer than this, relative to the data, are equal: sums in another order differ by rounding alone."""


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


def sign_flip(groups: Sequence[ArrayLike], *, alternative: Alternative = "two-sided") -> HypothesisTest:
    """Paired test: under the null the sign of every difference is arbitrary (protocols 13.2).

    Args:
        groups: the paired differences of each environment, [n] each; every environment weighs the same.
        alternative: `greater` when the null is a mean of at most 0.

    Raises:
        ValueError: an environment without differences, or one that is not finite.
    """
    data = _checked(groups)
    weighted = np.concatenate([group / (len(group) * len(data)) for group in data])
    observed = float(weighted.sum())
    flipped, exact = sign_flips(data, len(weighted))
    p = _share(
        observed - 2 * (flipped.astype(np.float64) @ weighted),
        observed,
        alternative,
        scale=float(np.abs(weighted).sum()),
        exact=exact,
    )
    name = _name("paired sign-flip permutation", len(data), alternative, exact=exact)
    return HypothesisTest(name, observed, p, min(len(group) for group in data), exact)


def sign_flips(data: Sequence[Floats], size: int) -> tuple[NDArray[Any], bool]:
    """Relabellings of `size` signs as 0 and 1 (flipped), [R, size], and whether they are all there are.

    `data` seeds the draws where there are too many to try all.
    """
    if 2**size <= EXACT_LIMIT:
        return (np.arange(2**size)[:, None] >> np.arange(size)) & 1, True
    # Eight signs to a byte: drawing whole integers for them takes ten times as long.
    drawn = np.frombuffer(generator_of(*data).bytes(SAMPLES * -(-size // 8)), dtype=np.uint8)
    return np.unpackbits(drawn.reshape(SAMPLES, -1), axis=1, count=size), False


def permutation(
    first: Sequence[ArrayLike], second: Sequence[ArrayLike], *, alternative: Alternative = "two-sided"
) -> HypothesisTest:
    """Unpaired test: under the null the labels within an environment are exchangeable (protocols 13.2).

    Args:
        first, second: the values of both algorithms in each environment, in the same order of environments.
        alternative: `greater` when the null is that the first is at most as large.

    Raises:
        ValueError: no values somewhere, or one that is not finite.
    """
    ours, theirs = _checked(first), _checked(second)
    if len(ours) != len(theirs):
        raise ValueError("both sides need the same environments")
    observed = float(np.mean([a.mean() - b.mean() for a, b in zip(ours, theirs, strict=True)]))
    splits = math.prod(math.comb(len(a) + len(b), len(a)) for a, b in zip(ours, theirs, strict=True))
    exact = splits <= EXACT_LIMIT
    generator = generator_of(*ours, *theirs)
    statistics = np.zeros(1 if exact else SAMPLES)
    for a, b in zip(ours, theirs, strict=True):
        pooled = np.concatenate([a, b])
        if exact:
            chosen = np.array(list(combinations(range(len(pooled)), len(a))))
            sums = pooled[chosen].sum(axis=1)
            statistics = np.add.outer(statistics, _split_difference(sums, pooled, len(a))).ravel()
        else:
            shuffled = generator.permuted(np.broadcast_to(pooled, (SAMPLES, len(pooled))), axis=1)
            statistics += _split_difference(shuffled[:, : len(a)].sum(axis=1), pooled, len(a))
    scale = float(np.mean([np.abs(np.concatenate([a, b])).mean() for a, b in zip(ours, theirs, strict=True)]))
    p = _share(statistics / len(ours), observed, alternative, scale=scale, exact=exact)
    fewest = min(min(len(a), len(b)) for a, b in zip(ours, theirs, strict=True))
    return HypothesisTest(_name("permutation", len(ours), alternative, exact=exact), observed, p, fewest, exact)


def _split_difference(sums: Floats, pooled: Floats, size: int) -> Floats:
    return np.asarray(sums / size - (pooled.sum() - sums) / (len(pooled) - size))


def welch(first: ArrayLike, second: ArrayLike) -> HypothesisTest:
    """Welch's t, two-sided, with Welch-Satterthwaite degrees of freedom; p is NaN when neither side varies.

    Raises:
        ValueError: fewer than two values on a side, or one that is not finite.
    """
    from scipy.special import stdtr

    (a,), (b,) = _checked([first]), _checked([second])
    if min(len(a), len(b)) < 2:
        raise ValueError("Welch's test needs two values on each side")
    shares = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    if sum(shares) == 0:
        return HypothesisTest("Welch's t, two-sided", math.nan, math.nan, min(len(a), len(b)), exact=False)
    statistic = float((a.mean() - b.mean()) / math.sqrt(sum(shares)))
    freedom = sum(shares) ** 2 / (shares[0] ** 2 / (len(a) - 1) + shares[1] ** 2 / (len(b) - 1))
    p = float(2 * stdtr(freedom, -abs(statistic)))
    return HypothesisTest("Welch's t, two-sided", statistic, p, min(len(a), len(b)), exact=False)


def holm(values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values in the order given: max over j <= i of min(1, (m - j + 1) p_(j)) (protocols 13.2)."""
    order = sorted(range(len(values)), key=lambda index: values[index])
    adjusted, largest = [0.0] * len(values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - rank) * values[index]))
        adjusted[index] = largest
    return adjusted


def _checked(groups: Sequence[ArrayLike]) -> list[Floats]:
    data = [np.asarray(group, dtype=np.float64).ravel() for group in groups]
    if not data or any(len(group) == 0 for group in data):
        raise ValueError("an environment without values")
    if not all(np.all(np.isfinite(group)) for group in data):
        raise ValueError("a value is not finite")
    return data


def _share(statistics: Floats, observed: float, alternative: Alternative, *, scale: float, exact: bool) -> float:
    """The share of relabellings at least as extreme; of drawn ones with the observed labelling added."""
    slack = _TIE * scale
    if alternative == "greater":
        extreme = statistics >= observed - slack
    elif alternative == "less":
        extreme = statistics <= observed + slack
    else:
        extreme = np.abs(statistics) >= abs(observed) - slack
    count = int(np.count_nonzero(extreme))
    return count / len(statistics) if exact else (count + 1) / (len(statistics) + 1)


def _name(kind: str, environments: int, alternative: Alternative, *, exact: bool) -> str:
    how = "exact" if exact else "sampled"
    strata = " stratified by environment" if environments > 1 else ""
    sides = "two-sided" if alternative == "two-sided" else "one-sided"
    return f"{how} {kind}{strata}, {sides}"
