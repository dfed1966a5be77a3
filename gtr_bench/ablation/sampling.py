"""Which settings a study tries, when that does not depend on results.

Optuna's own quasi-random sampler draws at random until a trial has completed, so a batch asked at once would not be
quasi-random: the points come from scipy and are handed to the study.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from gtr_bench.ablation.model import Axis, Setting, Value
from gtr_bench.errors import RequestError

__all__ = ["MOST_SETTINGS", "SAMPLER_SEED", "at", "rounded", "rows"]

SAMPLER_SEED = 0
MOST_SETTINGS = 10_000
_DIGITS = 4


def rows(axes: Sequence[Axis], sampler: str, trials: int) -> list[Setting]:
    """The settings of a `grid`, `qmc` or `random` study; the suite's own one first, no setting twice.

    With `qmc` and `random` the settings of a smaller number of trials are the first ones of a larger number.

    Raises:
        RequestError: more than `MOST_SETTINGS`.
    """
    stated = {axis.name: axis.stated for axis in axes if axis.stated is not None}
    first: list[Setting] = [stated] if len(stated) == len(axes) else []
    if sampler == "grid":
        values = [_grid(axis, trials) for axis in axes]
        count = math.prod(len(each) for each in values)
        if count > MOST_SETTINGS:
            raise RequestError(f"the grid has {count:,} settings, more than {MOST_SETTINGS:,}", hint="lower `--trials`")
        names = [axis.name for axis in axes]
        found = [dict(zip(names, each, strict=True)) for each in itertools.product(*values)]
    else:
        found = [
            {axis.name: at(axis, float(u)) for axis, u in zip(axes, point, strict=True)}
            for point in _unit_points(len(axes), sampler, trials)
        ]
    unique = {repr(sorted(setting.items())): setting for setting in [*first, *found]}
    return list(unique.values()) if sampler == "grid" else list(unique.values())[:trials]


def at(axis: Axis, u: float) -> Value:
    """The value a share u in [0, 1) of the way along an axis."""
    if axis.choices:
        return axis.choices[int(u * len(axis.choices))]
    low, high = axis.low, axis.high + (axis.kind == "int")
    value = low * (high / low) ** u if axis.log else low + u * (high - low)
    return min(int(axis.high), math.floor(value)) if axis.kind == "int" else rounded(value)


def rounded(value: float) -> float:
    """Four significant digits: a setting that can be typed."""
    return float(f"{value:.{_DIGITS}g}")


def _grid(axis: Axis, count: int) -> list[Value]:
    if axis.choices:
        return list(axis.choices)
    space = np.geomspace if axis.log else np.linspace
    values = [rounded(float(value)) for value in space(axis.low, axis.high, max(2, count))]
    stated = axis.stated
    if isinstance(stated, (int, float)) and axis.low < stated < axis.high and stated not in values:
        if len(values) > 2:
            # It takes the place of the inner value next to it, so that there are as many as were asked for.
            place = np.log if axis.log else np.asarray
            del values[1 + int(np.argmin(np.abs(place(values[1:-1]) - place(stated))))]
        values.append(float(stated))
    return sorted({round(value) for value in values} if axis.kind == "int" else set(values))


def _unit_points(dimensions: int, sampler: str, count: int) -> np.ndarray:
    if sampler == "random":
        return np.random.default_rng(SAMPLER_SEED).random((count, dimensions))
    from scipy.stats import qmc

    # Sobol' points are balanced in powers of two; a prefix of them is still quasi-random.
    return np.asarray(
        qmc.Sobol(dimensions, scramble=True, seed=SAMPLER_SEED).random_base2(math.ceil(math.log2(max(2, count))))[
            :count
        ]
    )
