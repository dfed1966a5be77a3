"""How much more sensitive an algorithm is than its reference, with bounds that hold in spite of the search for maxima.

T and X (protocols 14.1) are maxima over settings, so noise lifts both, and more where seeds differ more: resampling
seeds inherits that. Here every end of the interval takes each maximum in the form that errs towards the cautious side:
with the settings chosen on all seeds its mean is at least the true one on average, with the settings chosen without the
seed that is scored (held out) at most. Seed by seed this gives one number, and Student's t its bound.

A run that collapses once in twenty has not collapsed in most samples of five seeds, and a bound of what was seen then
errs in up to a quarter of studies. So each end supposes one seed more, in which both algorithms lose half of what lies
between their best and worst runs. Few seeds then decide nothing, and the error stays at the nominal level
wherever collapses were simulated (`python -m benchmarks.sensitivity`; docs/statistics.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gtr_bench.metrics.interval import Estimate

__all__ = ["LEVEL", "excess_sensitivity"]

LEVEL = 0.95

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Tuned:
    """Per seed, [n]: scores tuned per environment (T) and with one setting for all (X), chosen with and without it."""

    tuned: Floats
    cross: Floats
    tuned_held_out: Floats
    cross_held_out: Floats


def excess_sensitivity(own: Floats, reference: Floats) -> Estimate:
    """T - X of the one minus T - X of the other.

    Args:
        own, reference: normalised scores, higher is better, of the same seeds: [settings, environments, seeds].

    Returns:
        `low` and `high` are one-sided bounds at 97.5 % each; with fewer than two seeds there are none. `n` are the
        seeds that were given.
    """
    n = own.shape[-1]
    ours, theirs = _tuned(own), _tuned(reference)
    value = float(np.mean(ours.tuned - ours.cross - theirs.tuned + theirs.cross))
    if n < 2:
        return Estimate(value, None, None, n, LEVEL, "t")
    least = ours.tuned_held_out - ours.cross - theirs.tuned + theirs.cross_held_out
    most = ours.tuned - ours.cross_held_out - theirs.tuned_held_out + theirs.cross
    unseen = _half_range(own) + _half_range(reference)
    low, high = _end(np.append(least, -unseen), -1), _end(np.append(most, unseen), 1)
    # Cautious thrice: an end never passes the value itself.
    return Estimate(value, min(value, low), max(value, high), n, LEVEL, "t")


def _half_range(scores: Floats) -> float:
    """Half of what separates the best run from the worst, in the environment where that is most."""
    return float(np.ptp(scores, axis=(0, 2)).max()) / 2


def _end(values: Floats, side: int) -> float:
    from scipy.special import stdtrit

    n = len(values)
    quantile = float(stdtrit(n - 1, (1 + LEVEL) / 2))
    return float(values.mean()) + side * quantile * float(values.std(ddof=1)) / math.sqrt(n)


def _tuned(scores: Floats) -> _Tuned:
    seeds = np.arange(scores.shape[-1])
    everywhere = scores.mean(axis=1)  # [settings, seeds]
    per_environment = scores.mean(axis=2).argmax(axis=0)
    tuned = np.mean([scores[best, place] for place, best in enumerate(per_environment)], axis=0)
    cross = everywhere[everywhere.mean(axis=1).argmax()]
    if len(seeds) < 2:
        return _Tuned(tuned, cross, tuned, cross)
    # What the other seeds say of a setting: the sum without the seed's own score.
    others = scores.sum(axis=2, keepdims=True) - scores
    chosen = others.argmax(axis=0)  # [environments, seeds]
    held = np.take_along_axis(scores, chosen[None], axis=0)[0].mean(axis=0)
    one = others.mean(axis=1).argmax(axis=0)  # [seeds]
    return _Tuned(tuned, cross, held, everywhere[one, seeds])
