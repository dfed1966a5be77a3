"""From a study's records to the numbers and the sentence of its report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gtr_bench.ablation.importance import importances
from gtr_bench.ablation.kernel import kernel_lines
from gtr_bench.ablation.model import Axis, Point, ResponseCurve, StudyRecords, StudyReport, TrialRecord, Value
from gtr_bench.ablation.sensitivities import compare
from gtr_bench.ablation.verdict import RULE, judge
from gtr_bench.metrics.interval import Estimate, bootstrap, stratified_bootstrap
from gtr_bench.metrics.sensitivity import Plateau, plateau, response_p
from gtr_bench.wording import counted

__all__ = ["BINS", "analyse"]

BINS = 5
"""Values of a sampled axis are averaged in so many groups of equal size when other parameters vary too."""


def analyse(records: StudyRecords) -> StudyReport:
    """Every number a rendering prints; deterministic."""
    sign = -1.0 if records.direction == "lower" else 1.0
    usable = [trial for trial in records.trials if _scored(trial, records)]
    others = [trial for trial in records.reference_trials if _scored(trial, records)]
    curves = tuple(
        _curve(records, usable, axis, environment)
        for axis in records.axes
        for environment in (None, *(records.environments if len(records.environments) > 1 else ()))
    )
    found = compare(records, usable, others)
    best = max(usable, key=lambda trial: sign * _overall(trial, records)) if usable else None
    per_environment = {
        name: max(usable, key=lambda trial, name=name: sign * _mean(trial, name))  # type: ignore[misc]
        for name in (records.environments if usable else ())
    }
    judged = judge(records, curves[0], usable, len(others), found)
    rival = max(others, key=lambda trial: sign * _overall(trial, records)) if others else None
    placed = [trial for trial in usable if _placed(trial, records)]
    return StudyReport(
        records=records,
        curves=curves,
        best=best,
        best_score=_estimate([best], records, None) if best else None,
        best_per_environment=per_environment,
        sensitivity=found.subject,
        reference_sensitivity=found.reference,
        reference_best=rival,
        reference_best_score=_estimate([rival], records, None) if rival else None,
        difference=found.difference,
        region=found.where,
        dimensionality=found.dimensionality,
        importances=importances(
            records.axes, [trial.setting for trial in placed], [sign * _overall(trial, records) for trial in placed]
        ),
        verdict=judged.verdict,
        headline=judged.headline,
        sentence=judged.sentence,
        kernel=tuple(kernel_lines(records, usable, curves[0])),
        notes=tuple(_notes(records, usable, others)),
    )


def _scored(trial: TrialRecord, records: StudyRecords) -> bool:
    return all(trial.scores.get(name) for name in records.environments)


def _placed(trial: TrialRecord, records: StudyRecords) -> bool:
    return all(axis.places(trial.setting[axis.name]) for axis in records.axes)


def _mean(trial: TrialRecord, environment: str) -> float:
    return float(np.mean(list(trial.scores[environment].values())))


def _overall(trial: TrialRecord, records: StudyRecords) -> float:
    return float(np.mean([_mean(trial, name) for name in records.environments]))


# Response curves


def _curve(records: StudyRecords, trials: Sequence[TrialRecord], axis: Axis, environment: str | None) -> ResponseCurve:
    groups = _groups(records, trials, axis)
    points = tuple(Point(value, _estimate(own, records, environment), len(own)) for value, own in groups)
    flat: Plateau | None = None
    inside = [point for point in points if axis.numeric and axis.places(point.value)]
    if len(records.axes) == 1 and len(inside) > 1:
        sign = -1.0 if records.direction == "lower" else 1.0
        flat = plateau(
            [float(point.value) for point in inside],
            [sign * point.estimate.value for point in inside],
            log=axis.logarithmic,
            p=_response_p(records, [trial for trial in trials if axis.places(trial.setting[axis.name])], environment),
        )
    return ResponseCurve(axis, environment, points, flat)


def _response_p(records: StudyRecords, trials: Sequence[TrialRecord], environment: str | None) -> float:
    """p of the hypothesis that the only parameter does not matter, over the seeds that every setting has."""
    names = records.environments if environment is None else (environment,)
    seeds = [seed for seed in records.seeds if all(seed in t.scores[name] for t in trials for name in names)]
    if not seeds:
        return 1.0
    return response_p([[np.mean([t.scores[name][seed] for name in names]) for seed in seeds] for t in trials])


def _groups(records: StudyRecords, trials: Sequence[TrialRecord], axis: Axis) -> list[tuple[Value, list[TrialRecord]]]:
    """Settings by value of the axis; sampled values in groups of equal size when other axes vary too."""
    by_value: dict[Value, list[TrialRecord]] = {}
    for trial in trials:
        by_value.setdefault(trial.setting[axis.name], []).append(trial)
    if not axis.numeric:
        return [(choice, by_value[choice]) for choice in axis.choices if choice in by_value]
    ordered = sorted(by_value.items(), key=lambda item: float(item[0]))
    if not _grouped(records, trials, axis):
        return ordered
    outside = [item for item in ordered if not axis.places(item[0])]
    inside = ordered[len(outside) :]
    parts = [part for part in np.array_split(np.arange(len(inside)), BINS) if len(part)]
    return outside + [
        (_middle(axis, [float(inside[i][0]) for i in part]), [trial for i in part for trial in inside[i][1]])
        for part in parts
    ]


def _grouped(records: StudyRecords, trials: Sequence[TrialRecord], axis: Axis) -> bool:
    return len(records.axes) > 1 and axis.numeric and len({trial.setting[axis.name] for trial in trials}) > 2 * BINS


def _middle(axis: Axis, values: Sequence[float]) -> float:
    """The mean, the geometric one on a logarithmic axis, as a number that can be typed."""
    middle = float(np.exp(np.mean(np.log(values)))) if axis.logarithmic else float(np.mean(values))
    return float(f"{middle:.4g}")


def _estimate(trials: Sequence[TrialRecord], records: StudyRecords, environment: str | None) -> Estimate:
    """The mean over settings and seeds; the seed is the unit, so settings are averaged within a seed first."""
    names = records.environments if environment is None else (environment,)
    groups = []
    for name in names:
        seeds = sorted({seed for trial in trials for seed in trial.scores[name]})
        groups.append([np.mean([t.scores[name][seed] for t in trials if seed in t.scores[name]]) for seed in seeds])
    return bootstrap(groups[0]) if len(groups) == 1 else stratified_bootstrap(groups)


# Notes


def _notes(records: StudyRecords, usable: Sequence[TrialRecord], others: Sequence[TrialRecord]) -> Iterator[str]:
    trials = (*records.trials, *records.reference_trials)
    diverged = [trial for trial in trials if trial.diverged]
    if diverged:
        listed = ", ".join(f"{trial.label} ({counted(trial.diverged, 'job')})" for trial in diverged)
        yield f"diverged, counted as the worst: {listed}"
    for what in ("failed", "missing"):
        count = sum(getattr(trial, what) for trial in trials)
        if count:
            yield f"{counted(count, f'{what} job')} without a value"
    absent = len(records.trials) - len(usable)
    if absent:
        yield f"{counted(absent, 'setting')} without a score in every environment: left out but for the table"
    if records.reference is not None and len(usable) != len(others):
        yield (
            f"{counted(len(usable), 'setting')} of {records.algorithm} against {len(others)} of {records.reference}: "
            "sensitivity grows with the number of settings, so do not compare the two yet"
        )
    unplaced = [trial for trial in usable if not _placed(trial, records)]
    if unplaced:
        yield (
            f"{counted(len(unplaced), 'setting')} with no place on a logarithmic axis: left out of plateau, importance "
            "and plot"
        )
    if records.tune_fraction < 1:
        yield f"tuned on the first {records.tune_fraction:g} of the phases"
    if len(records.axes) > 1:
        yield "the other parameters vary along a curve: it is the mean over all settings with that value"
    if any(_grouped(records, usable, axis) for axis in records.axes):
        yield (
            f"sampled values are averaged in {BINS} groups with equally many values; a group stands at the mean of its "
            "values, the geometric mean on a logarithmic axis"
        )
    if records.reference is not None:
        yield "T - X grows with noise, because a maximum over settings does: compare it at equal seeds only"
    yield RULE
