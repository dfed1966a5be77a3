"""Which parameter matters, by Optuna's evaluators with everything explicit: their default differs between versions.

Source: protocols 14.2. Logarithmic axes are transformed here: the forest of fANOVA does not do it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gtr_bench.ablation.model import Axis, Importance, Setting

if TYPE_CHECKING:
    from optuna import Study

__all__ = ["FEWEST_FANOVA", "FEWEST_PED_ANOVA", "FOREST_SEEDS", "importances"]

FANOVA = "fANOVA, random forest of 64 trees"
PED_ANOVA = "PED-ANOVA, best tenth against all"
FOREST_SEEDS = (0, 1, 2, 3, 4)
FEWEST_FANOVA = 8
FEWEST_PED_ANOVA = 50
"""PED-ANOVA looks at the best tenth and wants five trials there (protocols 14.2)."""


def importances(axes: Sequence[Axis], settings: Sequence[Setting], values: Sequence[float]) -> tuple[Importance, ...]:
    """fANOVA and PED-ANOVA importances, shares that sum to 1; none for a single axis.

    Args:
        axes: the parameters.
        settings: what was tried, [S]; values: the objective of each, higher is better.
    """
    if len(axes) < 2:
        return ()
    if np.ptp(values) <= 1e-9 * np.abs(values).max():  # means of equal scores differ by rounding
        note = "no parameter explains anything: every setting has the same score"
        return tuple(Importance(name, (), {}, {}, note) for name in (FANOVA, PED_ANOVA))
    return _fanova(axes, settings, values), _ped_anova(axes, settings, values)


def _fanova(axes: Sequence[Axis], settings: Sequence[Setting], values: Sequence[float]) -> Importance:
    if len(values) < FEWEST_FANOVA:
        return _too_few(FANOVA, FEWEST_FANOVA, len(values))
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    study = _study(axes, settings, values)
    found = [
        get_param_importances(study, evaluator=FanovaImportanceEvaluator(n_trees=64, max_depth=64, seed=seed))
        for seed in FOREST_SEEDS
    ]
    shares = {axis.name: float(np.mean([each[axis.name] for each in found])) for axis in axes}
    spread = {axis.name: float(np.std([each[axis.name] for each in found])) for axis in axes}
    note = "variance explained by each parameter alone, interactions left out, scaled to sum to 1; ± over forest seeds"
    return Importance(FANOVA, FOREST_SEEDS, shares, spread, note)


def _ped_anova(axes: Sequence[Axis], settings: Sequence[Setting], values: Sequence[float]) -> Importance:
    if len(values) < FEWEST_PED_ANOVA:
        return _too_few(PED_ANOVA, FEWEST_PED_ANOVA, len(values))
    from optuna.exceptions import ExperimentalWarning
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        evaluator = PedAnovaImportanceEvaluator(target_quantile=0.1, region_quantile=1.0)
        found = get_param_importances(_study(axes, settings, values), evaluator=evaluator)
    shares = {axis.name: float(found.get(axis.name, 0.0)) for axis in axes}
    note = "what matters for being in the best tenth, scaled to sum to 1; deterministic, no seed"
    return Importance(PED_ANOVA, (), shares, dict.fromkeys(shares, 0.0), note)


def _too_few(name: str, fewest: int, count: int) -> Importance:
    return Importance(name, (), {}, {}, f"needs at least {fewest} settings with a score, has {count}")


def _study(axes: Sequence[Axis], settings: Sequence[Setting], values: Sequence[float]) -> Study:
    """A study in memory whose logarithmic axes hold logarithms."""
    import optuna
    from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
    from optuna.trial import create_trial

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    distributions: dict[str, BaseDistribution] = {}
    for axis in axes:
        if axis.kind == "choice":
            # The suite's own value may not be among the values that are searched, nor lie in their range.
            tried_too = dict.fromkeys([*axis.choices, *(setting[axis.name] for setting in settings)])
            distributions[axis.name] = CategoricalDistribution(tuple(tried_too))
        else:
            tried = [_position(axis, setting) for setting in settings]
            ends = (math.log10(axis.low), math.log10(axis.high)) if axis.log else (axis.low, axis.high)
            distributions[axis.name] = FloatDistribution(min(*tried, ends[0]), max(*tried, ends[1]))
    for setting, value in zip(settings, values, strict=True):
        params = {axis.name: setting[axis.name] if axis.kind == "choice" else _position(axis, setting) for axis in axes}
        study.add_trial(create_trial(params=params, distributions=distributions, value=value))
    return study


def _position(axis: Axis, setting: Setting) -> float:
    value = float(setting[axis.name])
    return math.log10(value) if axis.log else value
