"""How much of an algorithm's score needs tuning per environment. No torch, no files.

Source: Adkins, Bowling and White, A Method for Evaluating Hyperparameter Sensitivity in Reinforcement Learning (2024),
as restated in protocols 14.1. Diverged settings must have been scored as the environment's minimum by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from gtr_bench.metrics.interval import generator_of

__all__ = [
    "RESPONSE_LEVEL",
    "Plateau",
    "Region",
    "Scores",
    "Sensitivity",
    "effective_dimensionality",
    "normalise_scores",
    "plateau",
    "region",
    "response_p",
    "sensitivity",
]

Scores: TypeAlias = Mapping[str, Mapping[str, float]]
"""Environment -> setting -> performance, a mean over seeds."""
Region = Literal["better on both", "pays off", "cheaper", "worse"]
RESPONSE_LEVEL = 0.05
"""Level of the test of whether any value differs from any other."""
_RESAMPLES = 2000


@dataclass(frozen=True)
class Sensitivity:
    """Attributes:
    tuned: T, mean over environments of the best setting there.
    cross: X, best over settings of the mean over environments.
    value: T - X, at least 0.
    best: the setting behind X; `best_per_environment` those behind T.
    """

    tuned: float
    cross: float
    value: float
    best: str
    best_per_environment: Mapping[str, str]


@dataclass(frozen=True)
class Plateau:
    """The range of values around the best whose score is within the tolerance of the best.

    `width` is in decades on a logarithmic axis, else in the parameter's unit. Where it touches an edge of what was
    searched, the plateau may be wider than that. `told`: some value can be told from another, by the test behind `p`;
    where none can, the plateau is the whole range, and whether it ends inside is unknown.
    """

    low: float
    high: float
    width: float
    best_value: float
    touches_low_edge: bool
    touches_high_edge: bool
    told: bool = True
    p: float | None = None


def normalise_scores(
    scores: Mapping[str, Scores], runs: Mapping[str, Sequence[float]]
) -> dict[str, dict[str, dict[str, float]]]:
    """(p - p5) / (p95 - p5) per environment, percentiles over the runs of all algorithms and settings; not clipped.

    Over runs and not over means of settings, as the authors' released table has it: in none of its five environments
    are the limits of its normalised column the percentiles of its means.

    Args:
        scores: algorithm -> environment -> setting -> performance.
        runs: environment -> performance of every run. An environment in which all are equal gets 0 throughout.
    """
    limits = {name: np.percentile(values, [5, 95]) if len(values) else (0.0, 0.0) for name, values in runs.items()}
    return {
        algorithm: {
            name: {
                setting: float((value - limits[name][0]) / (limits[name][1] - limits[name][0]))
                if limits[name][1] > limits[name][0]
                else 0.0
                for setting, value in each[name].items()
            }
            for name in each
        }
        for algorithm, each in scores.items()
    }


def sensitivity(normalised: Scores) -> Sensitivity:
    """T, X and T - X of one algorithm, over the settings that have a score in every environment.

    Raises ValueError when there is no such setting.
    """
    settings = _complete(normalised)
    if not settings:
        raise ValueError("no setting has a score in every environment")
    best_per_environment = {
        name: max(settings, key=lambda setting: values[setting]) for name, values in normalised.items()
    }
    tuned = float(np.mean([normalised[name][setting] for name, setting in best_per_environment.items()]))
    best = max(settings, key=lambda setting: _mean(normalised, setting))
    cross = _mean(normalised, best)
    return Sensitivity(tuned, cross, max(0.0, tuned - cross), best, best_per_environment)


def region(subject: Sensitivity, reference: Sensitivity) -> Region:
    """Where an algorithm lies in the sensitivity-performance plane, seen from a reference (14.1, point 4)."""
    if subject.value <= reference.value and subject.tuned >= reference.tuned:
        return "better on both"
    if subject.tuned - reference.tuned < subject.value - reference.value:
        return "worse"
    return "pays off" if subject.value > reference.value else "cheaper"


def plateau(
    values: Sequence[float],
    scores: Sequence[float],
    *,
    log: bool,
    tolerance: float = 0.05,
    scale: float | None = None,
    p: float | None = None,
) -> Plateau:
    """The unbroken run of tried values around the best one whose scores are within `tolerance` of the best.

    All of them where no value can be told from another: the best of equal ones is best by luck.

    Args:
        values: what was tried, [S] in any order; scores: the score of each.
        log: measure the width in decades.
        tolerance: share of `scale` that may be lost.
        scale: what a loss is a share of: the best score by default where that is positive, else the range of scores.
            Give 1.0 for scores that are mapped to [0, 1].
        p: of `response_p`; None: not tested, the scores are taken as they are.

    Raises:
        ValueError: no values.
    """
    if not len(values):
        raise ValueError("no values")
    order = np.argsort(values, kind="stable")
    tried = np.asarray(values, dtype=np.float64)[order]
    found = np.asarray(scores, dtype=np.float64)[order]
    top = int(found.argmax())
    unit = scale if scale is not None else float(found[top]) if found[top] > 0 else float(np.ptp(found))
    told = p is None or p <= RESPONSE_LEVEL
    good = (found >= found[top] - tolerance * unit) | (not told)
    first = last = top
    while first > 0 and good[first - 1]:
        first -= 1
    while last < len(tried) - 1 and good[last + 1]:
        last += 1
    low, high = float(tried[first]), float(tried[last])
    width = float(np.log10(high / low)) if log else high - low
    return Plateau(low, high, width, float(tried[top]), first == 0, last == len(tried) - 1, told, p)


def response_p(scores: ArrayLike) -> float:
    """p of the hypothesis that the value does not matter: a permutation of the values within every seed.

    Exact whatever the scores' distribution, two heaps included; the statistic is the variance of the values' means.
    1 where nothing can be told: one seed, one value, or scores that do not depend on the value at all.

    Args:
        scores: of the same seeds at every value: [values, seeds].
    """
    table = np.asarray(scores, dtype=np.float64)
    if min(table.shape) < 2:
        return 1.0
    # The order of the values changes nothing, not even what is drawn.
    table = table[np.lexsort(table.T)]
    observed = table.mean(axis=1).var()
    drawn = generator_of(*table).permuted(np.broadcast_to(table.T, (_RESAMPLES, *table.T.shape)), axis=2)
    # Sums in another order differ by rounding; what ties with the observed counts as no less extreme.
    extreme = np.count_nonzero(drawn.mean(axis=1).var(axis=1) >= observed * (1 - 1e-9))
    return float((extreme + 1) / (_RESAMPLES + 1))


def effective_dimensionality(
    normalised: Scores, settings: Mapping[str, Mapping[str, object]], *, share: float = 0.95
) -> int | None:
    """Fewest parameters that must be tuned per environment to reach `share` of T (14.1, point 5).

    The others stay at the best setting over all environments; only settings that were tried count, so with sampled
    (not crossed) settings this is an upper bound. None when T is not positive.

    Args:
        normalised: environment -> setting -> normalised score.
        settings: setting -> parameter -> value.
    """
    whole = sensitivity(normalised)
    if whole.tuned <= 0:
        return None
    fixed = settings[whole.best]
    usable = _complete(normalised)
    for count in range(len(fixed) + 1):
        for free in combinations(sorted(fixed), count):
            near = [
                name for name in usable if all(settings[name][key] == fixed[key] for key in fixed if key not in free)
            ]
            reached = float(np.mean([max(values[name] for name in near) for values in normalised.values()]))
            if reached >= share * whole.tuned:
                return count
    return len(fixed)


def _complete(normalised: Scores) -> list[str]:
    names = [set(values) for values in normalised.values()]
    return sorted(set.intersection(*names)) if names else []


def _mean(normalised: Scores, setting: str) -> float:
    return float(np.mean([values[setting] for values in normalised.values()]))
