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

__all__ = [
    "Plateau",
    "Region",
    "Scores",
    "Sensitivity",
    "effective_dimensionality",
    "normalise_scores",
    "plateau",
    "region",
    "sensitivity",
]

Scores: TypeAlias = Mapping[str, Mapping[str, float]]
"""Environment -> setting -> performance, a mean over seeds."""
Region = Literal["better on both", "pays off", "cheaper", "worse"]


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
    searched, the plateau may be wider than that.
    """

    low: float
    high: float
    width: float
    best_value: float
    touches_low_edge: bool
    touches_high_edge: bool


def normalise_scores(scores: Mapping[str, Scores]) -> dict[str, dict[str, dict[str, float]]]:
    """(p - p5) / (p95 - p5) per environment, percentiles over all algorithms and settings together; not clipped.

    Args:
        scores: algorithm -> environment -> setting -> performance. An environment in which all performances are equal
            gets 0 throughout.
    """
    environments = sorted({name for each in scores.values() for name in each})
    limits = {}
    for name in environments:
        values = [value for each in scores.values() for value in each.get(name, {}).values()]
        limits[name] = np.percentile(values, [5, 95]) if values else (0.0, 0.0)
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
    values: Sequence[float], scores: Sequence[float], *, log: bool, tolerance: float = 0.05, scale: float | None = None
) -> Plateau:
    """The unbroken run of tried values around the best one whose scores are within `tolerance` of the best.

    Args:
        values: what was tried, [S] in any order; scores: the score of each.
        log: measure the width in decades.
        tolerance: share of `scale` that may be lost.
        scale: what a loss is a share of: the best score by default where that is positive, else the range of scores.
            Give 1.0 for scores that are mapped to [0, 1].

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
    good = found >= found[top] - tolerance * unit
    first = last = top
    while first > 0 and good[first - 1]:
        first -= 1
    while last < len(tried) - 1 and good[last + 1]:
        last += 1
    low, high = float(tried[first]), float(tried[last])
    width = float(np.log10(high / low)) if log else high - low
    return Plateau(low, high, width, float(tried[top]), first == 0, last == len(tried) - 1)


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
