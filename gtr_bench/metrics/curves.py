"""Do whole learning curves differ? The largest studentised difference over the evaluation points, by relabelling seeds.

The max-T test: a relabelling moves the whole curve of a seed, so the points keep their dependence and the p-value is
corrected over all of them at once. Sources: Westfall and Young, Resampling-Based Multiple Testing (1993), chapter 2
(single-step maxT); Nichols and Holmes, Nonparametric permutation tests for functional neuroimaging (2002), for signs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtr_bench.metrics.interval import generator_of
from gtr_bench.metrics.relabelled import EXACT_LIMIT, SAMPLES, sign_flips

__all__ = ["CurveTest", "paired_curves", "unpaired_curves"]

Floats = NDArray[np.float64]

_TIE = 1e-9
"""Shares nearer than this are equal: sums in another order differ by rounding alone."""
_ENTRIES = 200_000
"""Entries of a product at a time: BLAS starts threads for larger ones, which costs more than it gives here."""


@dataclass(frozen=True)
class CurveTest:
    """One test of two sets of curves.

    Attributes:
        name: what a report calls it.
        statistic: T = max over points of |mean difference| / standard error; infinite where the seeds agree exactly.
        point: the index of the point where that is; of equal ones the first.
        p: p-value, corrected over the points; the observed labelling counts among the relabellings.
        n: seeds of the smaller side.
        exact: all relabellings were tried, none drawn.
    """

    name: str
    statistic: float
    point: int
    p: float
    n: int
    exact: bool


def paired_curves(differences: ArrayLike) -> CurveTest:
    """Paired test: under the null the sign of each seed's whole difference curve is arbitrary.

    At every point the sum of squares does not change with the signs, so T grows with r = |sum| / sqrt(n sum of
    squares) by the same function everywhere, T = r sqrt(n - 1) / sqrt(1 - r^2): the largest r is compared, which stays
    finite where the differences do not vary.

    Args:
        differences: second minus first curve of each seed, [n, points].

    Raises:
        ValueError: no seeds, no points, or a value that is not finite.
    """
    data = _checked(differences)
    flipped, exact = sign_flips([data.ravel()], len(data))
    unit = _unit(data, np.abs(data).max(axis=0)) / math.sqrt(len(data))
    signs = 1 - 2 * flipped.astype(np.int8)
    return _test("paired sign-flip max-T", np.ones(len(data)), signs, unit, len(data) - 1, len(data), exact)


def unpaired_curves(first: ArrayLike, second: ArrayLike) -> CurveTest:
    """Unpaired test: under the null it is arbitrary which curves are on which side; standard errors are pooled.

    Here r^2 is the share of a point's sum of squares that lies between the sides, and T = r sqrt(N - 2) / sqrt(1 - r^2)
    for N curves.

    Args:
        first, second: curves of either side on the same points, [n, points] and [m, points].

    Raises:
        ValueError: a side without curves, no points, other points, or a value that is not finite.
    """
    ours, theirs = _checked(first), _checked(second)
    if ours.shape[1] != theirs.shape[1]:
        raise ValueError("both sides need the same points")
    n, m = len(ours), len(theirs)
    pooled = np.concatenate([ours, theirs])
    centred = pooled - pooled.mean(axis=0)
    peak = np.abs(centred).max(axis=0)
    # Rounding leaves a little of a point where all curves agree; it is no difference.
    unit = _unit(centred, np.where(peak > _TIE * np.abs(pooled).max(axis=0), peak, 0.0)) * math.sqrt(n * m / (n + m))
    observed = np.concatenate([np.full(n, -1 / n), np.full(m, 1 / m)])
    exact = math.comb(n + m, n) <= EXACT_LIMIT
    if exact:
        chosen = np.array(list(combinations(range(n + m), n)))
        relabelled = np.full((len(chosen), n + m), 1 / m)
        np.put_along_axis(relabelled, chosen, -1 / n, axis=1)
    else:
        generator = generator_of(ours.ravel(), theirs.ravel())
        relabelled = generator.permuted(np.broadcast_to(observed, (SAMPLES, n + m)), axis=1)
    return _test("permutation max-T", observed, relabelled, unit, n + m - 2, min(n, m), exact)


def _unit(data: Floats, peak: Floats) -> Floats:
    """Every point (column) at Euclidean length 1, or 0 where `peak`, its largest size, is 0.

    Divided by the peak first: squares of very small and very large numbers leave the range of a double.
    """
    scaled = np.divide(data, peak, out=np.zeros_like(data), where=peak > 0)
    return np.asarray(scaled / np.sqrt(np.maximum((scaled**2).sum(axis=0), 1.0)))


def _test(
    name: str, observed: Floats, relabelled: NDArray[Any], unit: Floats, freedom: int, n: int, exact: bool
) -> CurveTest:
    """`observed` [seeds] and `relabelled` [R, seeds] weigh the curves `unit` [seeds, points] so that r comes out."""
    shares = np.abs(observed @ unit)
    largest = float(shares.max())
    point = int(np.flatnonzero(shares >= largest - _TIE)[0])
    rows = max(1, _ENTRIES // max(1, unit.size))
    count = 0
    for start in range(0, len(relabelled), rows):
        part = relabelled[start : start + rows].astype(np.float64) @ unit
        count += int(np.count_nonzero(np.abs(part).max(axis=1) >= largest - _TIE))
    p = count / len(relabelled) if exact else (count + 1) / (len(relabelled) + 1)
    rest = 1 - largest**2
    statistic = largest * math.sqrt(freedom / rest) if rest > _TIE else math.inf
    return CurveTest(f"{'exact' if exact else 'sampled'} {name} over points", statistic, point, p, n, exact)


def _checked(curves: ArrayLike) -> Floats:
    """The curves in an order that does not depend on how they were read."""
    data = np.asarray(curves, dtype=np.float64)
    if data.ndim != 2 or 0 in data.shape:
        raise ValueError("curves need seeds and points")
    if not np.all(np.isfinite(data)):
        raise ValueError("a value is not finite")
    return np.asarray(data[np.lexsort(data.T[::-1])] + 0.0)
