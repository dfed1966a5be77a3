"""Intervals that invert a test: the differences it does not reject, so that an interval never contradicts a verdict.

For means a relabelling counts as at least as extreme as the data from some supposed difference on, as
`value - slope d >= observed - d` is linear in d. For sign flips that difference is the mean of the flipped values, and
the ends are order statistics of the means of subsets (Hartigan, Using Subsample Values as Typical Values, 1969); of
two permuted samples likewise (Good, Permutation, Parametric and Bootstrap Tests of Hypotheses, 3.2). Other statistics
are searched, with the same relabellings throughout. An end is infinite where the data are too few to reject anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gtr_bench.metrics.relabelled import TIE, Alternative, Flipped, Linear, Searched, p_value

__all__ = ["Rejects", "invert", "lower_ends"]

Floats = NDArray[np.float64]
Rejects: TypeAlias = Callable[[float], bool]
"""Whether a p-value is small enough to reject."""

_STEPS = 16
"""Halvings of a search: to some hundred-thousandth of where it began."""
_BEYOND = 1e-6
"""How far beyond all data a search begins, relative to their range: enough for nothing to count as equal there."""
_FLAT = 1e-9


def invert(tested: Linear | Searched, rejects: tuple[Rejects, Rejects], *, two_sided: bool) -> tuple[float, float]:
    """Lower and upper end of the differences that are not rejected.

    Args:
        tested: one data set under relabellings.
        rejects: what counts as a rejection of a smaller, and of a larger difference.
        two_sided: each end is that of the two-sided test; otherwise of the test of one side.
    """
    smaller, larger = rejects
    if isinstance(tested, Linear):
        low = _ends(tested, _allowed(tested, smaller), two_sided=two_sided, side=1)
        return float(low), float(_ends(tested, _allowed(tested, larger), two_sided=two_sided, side=-1))
    upwards: Alternative = "two-sided" if two_sided else "greater"
    downwards: Alternative = "two-sided" if two_sided else "less"
    return _search(tested, upwards, smaller, side=1), _search(tested, downwards, larger, side=-1)


def lower_ends(tested: Linear, rejects: Rejects, *, two_sided: bool) -> Floats:
    """The lower ends of many data sets of one shape under the same relabellings: [...]."""
    return _ends(tested, _allowed(tested, rejects), two_sided=two_sided, side=1)


def _allowed(tested: Linear, rejects: Rejects) -> int:
    """How many relabellings may be as extreme for a rejection; -1 where the observed one alone is too many."""
    added = 0 if tested.exact else 1
    total = tested.values.shape[-1] + added
    # By the very comparison that the verdict makes: a level divided before or after would round apart.
    low, high = added - 1, total + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if rejects(middle / total) else (low, middle)
    return low - added


def _ends(tested: Linear, allowed: int, *, two_sided: bool, side: Literal[1, -1]) -> Floats:
    """The first difference, from `side` inwards, at which more relabellings than allowed are as extreme."""
    if allowed < 0:
        return np.full(tested.observed.shape, -math.inf * side)
    seen = side * tested.observed[..., None]
    found = [_crossings(seen - side * tested.values, 1 - tested.slopes, tested.scale)]
    if two_sided:
        found.append(_crossings(seen + side * tested.values, 1 + tested.slopes, tested.scale))
    places = np.concatenate(found, axis=-1)
    place = min(allowed, places.shape[-1] - 1)
    ends = np.partition(places, place, axis=-1)[..., place]
    # At the estimate itself a two-sided test rejects nothing.
    return side * (np.minimum(ends, side * tested.observed) if two_sided else ends)


def _crossings(rises: Floats, slopes: Floats, scale: float) -> Floats:
    """From which d on `slope d >= rise`: [..., L]; -inf where always, inf where never."""
    steady = slopes <= _FLAT
    places = rises / np.where(steady, 1.0, slopes)
    return np.where(steady, np.where(rises <= TIE * scale, -np.inf, np.inf), places)


def _search(tested: Searched, alternative: Alternative, rejects: Rejects, *, side: Literal[1, -1]) -> float:
    """An end for a statistic that is not linear, between where all differences are on one side and the estimate."""

    def rejected(difference: float) -> bool:
        return rejects(p_value(tested, alternative, difference))

    places = np.sort(side * tested.places())
    outer, inner = float(places[0] - _BEYOND * (places[-1] - places[0] + tested.scale)), float(side * tested.estimate())
    if not rejected(side * outer):
        return -math.inf * side
    if isinstance(tested, Flipped) and tested.estimand == "median":
        # The p-value changes at the differences alone.
        below, place = -1, len(places) - 1
        while place - below > 1:
            between = (below + place) // 2
            below, place = (between, place) if rejected(side * places[between]) else (below, between)
        return float(side * places[place])
    # The verdict on 0 is known: the end must not lie on its other side.
    if outer < 0 < inner:
        outer, inner = (0.0, inner) if rejected(0.0) else (outer, 0.0)
    for _ in range(_STEPS):
        middle = (outer + inner) / 2
        outer, inner = (middle, inner) if rejected(side * middle) else (outer, middle)
    return side * inner
