"""A study's report as headings, lines and tables: what the terminal, markdown and HTML all show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gtr_bench.ablation.model import Axis, Point, ResponseCurve, StudyReport, TrialRecord
from gtr_bench.ablation.verdict import region_text
from gtr_bench.ablation.wording import setting_text, value_text
from gtr_bench.metrics.interval import Estimate
from gtr_bench.metrics.sensitivity import Sensitivity
from gtr_bench.report import text
from gtr_bench.report.blocks import Block, Entry, Grid, Heading, Lines
from gtr_bench.wording import counted

__all__ = ["interval_text", "statements", "study_blocks"]

BAR = 30
"""Characters of a text curve."""


def study_blocks(report: StudyReport, *, bar: str = "{}") -> Iterator[Block]:
    """Everything a study's report shows, from first to last; the first line answers.

    Args:
        bar: how a line of a text curve is written; empty: without them, where letters differ in width.
    """
    records = report.records
    yield Lines((report.headline,), "warning")
    yield Heading(1, f"study {records.name}: {records.algorithm} on {records.suite}, scale {records.scale}")
    if records.smoke:
        yield Lines((text.SMOKE,), "warning")
    yield Lines((report.sentence,))
    if report.kernel:
        yield Lines(report.kernel, "warning")
    yield Lines(tuple(_facts(report)))
    for curve in report.curves:
        where = "over all environments" if curve.environment is None else f"in {curve.environment}"
        only = len(records.environments) == 1
        yield Heading(2, f"{curve.axis.name}: {records.metric} {f'in {records.environments[0]}' if only else where}")
        yield _curve(report, curve, bar)
        if curve.plateau is not None:
            flat = curve.plateau
            unit = "decades" if curve.axis.logarithmic else f"in units of {curve.axis.name}"
            unknown = f"; no value can be told from another (p = {text.p_value(flat.p)}), so its true width is unknown"
            line = f"plateau {value_text(flat.low)} to {value_text(flat.high)}: {flat.width:.2f} {unit}"
            yield Lines((line + ("" if flat.told else unknown),), "note")
    if report.sensitivity is not None:
        yield from _sensitivity(report)
    yield from _importances(report)
    yield Heading(2, "Settings")
    yield _settings(report, records.axes, records.trials)
    if records.reference_trials:
        yield Heading(2, f"Settings of {records.reference}")
        yield _settings(report, records.reference_axes, records.reference_trials)
    if report.notes:
        yield Lines(report.notes, "note")
    yield Lines(tuple(_footer(report)), "footer")


def statements(report: StudyReport) -> Iterator[str]:
    """The sentences no rendering may leave out."""
    yield report.headline
    if report.records.smoke:
        yield text.SMOKE
    yield report.sentence
    yield from report.kernel
    yield from _footer(report)


def _grid(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Grid:
    return Grid("", tuple(names), tuple(tuple(Entry(each) for each in row) for row in rows))


def interval_text(estimate: Estimate | None) -> str:
    """`value [low, high]`; a dash for none."""
    if estimate is None:
        return text.ABSENT
    if estimate.low is None or estimate.high is None:
        return text.number(estimate.value)
    return f"{text.number(estimate.value)} [{text.number(estimate.low)}, {text.number(estimate.high)}]"


def _facts(report: StudyReport) -> Iterator[str]:
    records = report.records
    yield (
        f"{counted(len(records.trials), 'setting')} by {records.sampler} (seed {records.sampler_seed}), "
        f"{counted(len(records.seeds), 'seed')}, {counted(len(records.environments), 'environment')}; "
        f"{records.metric} as {records.unit}, {records.direction} is better"
    )
    for axis in records.axes:
        yield f"{axis.name}: {_range(axis)}"
    if report.best is not None:
        yield f"best setting: {setting_text(report.best.setting)}: {interval_text(report.best_score)}"
        if len(records.environments) > 1:
            for name, trial in report.best_per_environment.items():
                yield f"best in {name}: {setting_text(trial.setting)}"
        if report.reference_best is not None:
            score = interval_text(report.reference_best_score)
            yield f"best setting of {records.reference}: {setting_text(report.reference_best.setting)}: {score}"
        yield "the best of many settings looks better than it is: confirm it on seeds that did not choose it"


def _range(axis: Axis) -> str:
    stated = "" if axis.stated is None else f", the suite has {value_text(axis.stated)}"
    if axis.choices:
        return ", ".join(value_text(choice) for choice in axis.choices) + stated
    return f"{axis.low:g} to {axis.high:g}{', logarithmic' if axis.log else ''}{stated}"


def _curve(report: StudyReport, curve: ResponseCurve, bar: str) -> Grid:
    ends = [end for point in curve.points for end in (point.estimate.low, point.estimate.high, point.estimate.value)]
    known = [end for end in ends if end is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    rows = []
    best = curve.best(report.records.direction)
    for point in curve.points:
        marks = f"{' *' if point.value == curve.axis.stated else ''}{' ^' if point is best else ''}"
        row = [
            value_text(point.value) + marks,
            interval_text(point.estimate),
            str(point.settings),
            str(point.estimate.n),
        ]
        rows.append([*row, bar.format(_bar(point, low, high))] if bar else row)
    names = [f"{curve.axis.name} (* the suite's, ^ best)", "mean [95% interval]", "settings", "n"]
    return _grid([*names, f"{text.number(low)} .. {text.number(high)}"] if bar else names, rows)


def _bar(point: Point, low: float, high: float) -> str:
    """The interval as dashes and the mean as an o, on a dotted scale from `low` to `high`."""

    def place(value: float) -> int:
        return round((value - low) / (high - low) * (BAR - 1)) if high > low else 0

    estimate = point.estimate
    # Dots and not spaces: markdown drops those.
    line = ["."] * BAR
    if estimate.low is not None and estimate.high is not None:
        for position in range(place(estimate.low), place(estimate.high) + 1):
            line[position] = "-"
    line[place(estimate.value)] = "o"
    return "".join(line)


def _sensitivity(report: StudyReport) -> Iterator[Block]:
    records = report.records
    yield Heading(2, "Sensitivity")
    rows = []
    for name, axes, found, count in (
        (records.algorithm, records.axes, report.sensitivity, len(records.trials)),
        (records.reference, records.reference_axes, report.reference_sensitivity, len(records.reference_trials)),
    ):
        if name is not None and found is not None:
            rows.append(_sensitivity_row(name, axes, found, count))
    yield _grid(
        ["algorithm", "over", "settings", "T tuned per environment", "X one setting", "sensitivity T - X"], rows
    )
    lines = ["scores mapped per environment so that the 5th and 95th percentiles over all runs of both are 0 and 1"]
    several = len(records.environments) > 1
    if several and report.difference is not None:
        lines.append(
            f"difference of sensitivities: {interval_text(report.difference)}, n = {report.difference.n} seeds; "
            "Student's t bounds, with each maximum taken on the cautious side and one more seed supposed that collapses"
        )
    if several and report.region is not None:
        lines.append(
            f"in the sensitivity-performance plane, seen from {records.reference}: {region_text(report.region)}"
        )
    if not several:
        lines.append("with one environment T and X are the same number: nothing is said about tuning per environment")
    elif len(records.axes) > 1 and report.dimensionality is not None:
        lines.append(
            f"{counted(report.dimensionality, 'parameter')} must be tuned per environment to reach 95 % of T, "
            "among the settings that were tried"
        )
    yield Lines(tuple(lines), "note")


def _sensitivity_row(name: str, axes: Sequence[Axis], found: Sensitivity, count: int) -> list[str]:
    numbers = (text.number(value) for value in (found.tuned, found.cross, found.value))
    return [name, ", ".join(axis.name for axis in axes), str(count), *numbers]


def _importances(report: StudyReport) -> Iterator[Block]:
    if not report.importances:
        return
    yield Heading(2, "Importance")
    names = [axis.name for axis in report.records.axes]
    rows = []
    for each in report.importances:
        seeds = f"{each.evaluator}; seeds {each.seeds[0]}-{each.seeds[-1]}" if each.seeds else each.evaluator
        shares = [
            f"{each.shares[name]:.3f}" + (f" ± {each.spread[name]:.3f}" if each.spread[name] else "")
            if name in each.shares
            else text.ABSENT
            for name in names
        ]
        rows.append([seeds, *shares, each.note])
    yield _grid(["evaluator", *names, "meaning"], rows)


def _settings(report: StudyReport, axes: Sequence[Axis], trials: Sequence[TrialRecord]) -> Grid:
    names = [axis.name for axis in axes]
    rows = [
        [*(value_text(trial.setting[name]) for name in names), *_scores(trial, report), *_counts(trial)]
        for trial in trials
    ]
    return _grid([*names, *report.records.environments, "diverged", "failed", "missing"], rows)


def _scores(trial: TrialRecord, report: StudyReport) -> list[str]:
    found = []
    for name in report.records.environments:
        values = list(trial.scores.get(name, {}).values())
        found.append(text.number(sum(values) / len(values)) if values else text.ABSENT)
    return found


def _counts(trial: TrialRecord) -> list[str]:
    return [str(trial.diverged), str(trial.failed), str(trial.missing)]


def _footer(report: StudyReport) -> Iterator[str]:
    records = report.records
    if records.reconstruction:
        yield text.reconstruction_line([records.registered])
    jobs = {job for trial in (*records.trials, *records.reference_trials) for job in trial.jobs}
    yield (
        f"{counted(len(jobs), 'finished job')}; intervals are 95 % percentile bootstrap intervals over seeds "
        "(too narrow for few seeds); diverged jobs count the worst of their environment"
    )
