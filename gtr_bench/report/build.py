"""Build the numbers of a report from the files of one or more results folders.

Nothing here depends on the time, the machine or the order of files, so equal results give equal reports.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

from gtr_bench import __version__
from gtr_bench.errors import UnknownNameError
from gtr_bench.metrics.interval import RESAMPLES, Estimate, bootstrap, stratified_bootstrap
from gtr_bench.metrics.registry import metrics
from gtr_bench.metrics.run import Metric, Score
from gtr_bench.report.collect import Record, SuiteRecords, algorithms_of, collect
from gtr_bench.report.curves import curves_of
from gtr_bench.report.model import (
    SMOKE_SCALES,
    Aggregate,
    Cell,
    Difference,
    Interval,
    MetricTable,
    Provenance,
    Report,
    SuiteReport,
    cell_id,
)
from gtr_bench.report.scores import Scores, load_evaluations, scores_of
from gtr_bench.schedule.wording import counted
from gtr_bench.store.reader import Warn, warn_on_stderr

__all__ = ["build_report"]

Entries: TypeAlias = Sequence[tuple[Record, Score | None]]

LEVEL = 0.95
DEFAULT_BASELINE = "ppo"
ALWAYS_SHOWN = "lifetime_return"


def build_report(
    results: Sequence[Path],
    *,
    suite: str | None = None,
    metric_names: Sequence[str] = (),
    baseline: str | None = None,
    curves: bool = False,
    warn: Warn = warn_on_stderr,
) -> Report:
    """The report on one or more results folders, finished or not.

    Args:
        results: results folders; a job in two of them counts once.
        suite: only this suite (a name, or a suite file).
        metric_names: the metrics shown; by default the suite's primary one and `lifetime_return`.
        baseline: the algorithm label the others are compared with; by default `ppo` where the suite has it.
        curves: also the learning curves.
        warn: called with a sentence for each file that was left out.

    Raises:
        RequestError: no jobs, or an unknown suite, metric or baseline.
        ResultsError: a file was written by a newer program.
    """
    chosen = {name: metrics.get(name) for name in metric_names}
    found = collect(results, suite, warn=warn)
    if baseline is not None and not any(baseline in algorithms_of(each) for each in found):
        raise UnknownNameError("algorithm", baseline, {label for each in found for label in algorithms_of(each)})
    every = [record for each in found for record in each.records]
    evaluations = load_evaluations(list({record.job: record for record in every}.values()), warn=warn)
    suites = [_suite_report(each, scores_of(each, evaluations), chosen, baseline, curves=curves) for each in found]
    method = (
        f"mean over seeds with a {LEVEL:.0%} percentile bootstrap interval over seeds ({RESAMPLES:,} resamples; "
        "too narrow for few seeds); differences are paired by seed; diverged jobs count the environment's floor; "
        "failed and missing jobs have no value and are counted"
    )
    return Report(tuple(suites), method, _provenance(every))


def _suite_report(
    found: SuiteRecords, scores: Scores, chosen: dict[str, type[Metric]], baseline: str | None, *, curves: bool
) -> SuiteReport:
    algorithms = algorithms_of(found)
    primary = found.suite.primary_metric if found.suite else ALWAYS_SHOWN
    shown = chosen or {name: metrics.get(name) for name in dict.fromkeys((primary, ALWAYS_SHOWN))}
    against = baseline or DEFAULT_BASELINE
    notes = list(found.notes)
    if against not in algorithms or len(algorithms) == 1:
        notes.append(f"no differences: `{against}` has nothing to be compared with here")
        against = ""
    runs = [record for record in found.records if record.role == "run"]
    states = Counter(record.state for record in found.records)
    reasons = Counter(record.reason for record in found.records if record.state == "failed")
    if reasons:
        listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        notes.append(f"failed: {listed}; `gtr-bench logs JOB` says why")
    reconstructed = {record.algorithm for record in runs if record.algorithm_name == "gtr"}
    tables = tuple(
        _table(runs, scores, metric, algorithms, against, primary=name == primary, suite=found)
        for name, metric in shown.items()
    )
    return SuiteReport(
        suite=found.name,
        scale=found.scale,
        question=found.suite.question if found.suite else "",
        smoke=found.scale in SMOKE_SCALES,
        baseline=against or None,
        algorithms=tuple(algorithms),
        reconstructions=tuple(label for label in algorithms if label in reconstructed),
        tables=tables,
        jobs={state: states[state] for state in ("complete", "diverged", "failed", "missing")},
        notes=tuple(notes),
        curves=curves_of(runs, scores, algorithms) if curves else (),
    )


def _table(
    runs: Sequence[Record],
    scores: Scores,
    metric: type[Metric],
    algorithms: Sequence[str],
    baseline: str,
    *,
    primary: bool,
    suite: SuiteRecords,
) -> MetricTable:
    sequences = list(dict.fromkeys(record.sequence for record in runs))
    grouped: dict[tuple[str, str], list[tuple[Record, Score | None]]] = {
        (sequence, algorithm): [] for sequence in sequences for algorithm in algorithms
    }
    for record in runs:
        grouped[record.sequence, record.algorithm].append((record, scores.score(record, metric)))
    cells = []
    for (sequence, algorithm), entries in grouped.items():
        if entries:
            rivals = grouped.get((sequence, baseline), []) if algorithm != baseline else []
            identity = cell_id(suite.name, suite.scale, metric.name, sequence, algorithm)
            cells.append(_cell(identity, sequence, algorithm, entries, rivals, baseline, scores))
    aggregates, notes = _aggregates(runs, scores, metric, sequences, algorithms)
    reasons = Counter(score.reason for entries in grouped.values() for _, score in entries if score and score.reason)
    notes += [f"{reason} ({counted(count, 'job')})" for reason, count in sorted(reasons.items())]
    if metric.ratio and len(scores.normalise) > 0:
        notes.append("computed on returns mapped to [0, 1] by the suite's `normalise`")
    overruled = suite.suite.metric_direction if suite.suite and primary else None
    return MetricTable(
        metric.name,
        primary,
        overruled or metric.direction,
        metric.definition,
        tuple(cells),
        tuple(aggregates),
        tuple(notes),
    )


def _cell(
    identity: str, sequence: str, algorithm: str, entries: Entries, rivals: Entries, baseline: str, scores: Scores
) -> Cell:
    by_seed = sorted(entries, key=lambda entry: entry[0].seed)
    scored = {record.seed: (record, score) for record, score in by_seed if score is not None and score.defined}
    theirs = {record.seed: score.value for record, score in rivals if score is not None and score.defined}
    pairs = [score.value - theirs[seed] for seed, (_, score) in scored.items() if seed in theirs]
    estimate = _estimate(score.value for _, score in scored.values())
    difference = bootstrap(pairs, level=LEVEL) if pairs else None
    states = Counter(record.state for record, _ in entries)
    return Cell(
        sequence=sequence,
        algorithm=algorithm,
        value=estimate.value if estimate else None,
        low=estimate.low if estimate else None,
        high=estimate.high if estimate else None,
        n=len(scored),
        diverged=sum(scores.diverged(record) for record, _ in scored.values()),
        undefined=sum(score is not None and not score.defined for _, score in entries),
        failed=states["failed"],
        missing=states["missing"],
        censored=sum(score.censored for _, score in scored.values()),
        difference=(
            Difference(baseline, difference.value, difference.low, difference.high, difference.n)
            if difference
            else None
        ),
        jobs=tuple(record.job for record, _ in scored.values()),
        seeds=tuple(scored),
        values=tuple(score.value for _, score in scored.values()),
        id=identity,
    )


def _estimate(values: Iterable[float]) -> Estimate | None:
    listed = list(values)
    return bootstrap(listed, level=LEVEL) if listed else None


def _interval(estimate: Estimate) -> Interval:
    return Interval(estimate.value, estimate.low, estimate.high, estimate.n)


def _aggregates(
    runs: Sequence[Record],
    scores: Scores,
    metric: type[Metric],
    sequences: Sequence[str],
    algorithms: Sequence[str],
) -> tuple[list[Aggregate], list[str]]:
    """Mean and IQM over environments, where there are several and their numbers can be compared."""
    if len(sequences) < 2:
        return [], []
    if metric.unit == "steps":
        return [], ["no aggregate: steps of different environments are not comparable"]
    if metric.unit == "return" and any(sequence not in scores.normalise for sequence in sequences):
        return [], ["no aggregate: not every sequence has `normalise`, so returns are not comparable"]
    found = []
    values: dict[str, dict[str, list[float]]] = {label: {name: [] for name in sequences} for label in algorithms}
    for record in runs:
        score = scores.score(record, metric, normalised=True)
        if score is not None and score.defined:
            values[record.algorithm][record.sequence].append(score.value)
    for algorithm, groups in values.items():
        n = min(len(group) for group in groups.values())
        if n == 0:
            found.append(Aggregate(algorithm, None, None, None, None, None, len(groups), 0))
            continue
        mean, median, middle = (
            _interval(stratified_bootstrap(list(groups.values()), statistic, level=LEVEL))
            for statistic in ("mean", "median", "iqm")
        )
        found.append(Aggregate(algorithm, mean, median, middle, None, None, len(groups), n))
    what = "returns mapped to [0, 1] by the suite's `normalise`; " if metric.unit == "return" else ""
    note = (
        f"aggregates: {what}mean = mean over environments of the mean over seeds; IQM = mean of all runs pooled, "
        "without the lowest and the highest quarter; seeds resampled within each environment"
    )
    return found, [note]


def _provenance(records: Sequence[Record]) -> Provenance:
    finished = {record.job: record.summary for record in records if record.summary}

    def distinct(values: Iterable[str | None]) -> tuple[str, ...]:
        return tuple(sorted({value or "unknown" for value in values}))

    rows = list(finished.values())
    dirty = {True: " (dirty)", False: "", None: ""}
    return Provenance(
        jobs=len(finished),
        jobs_digest=_digest("\n".join(sorted(finished))),
        gtr_bench=distinct(row["gtr_bench_version"] for row in rows),
        git=distinct(row["git_sha"] and row["git_sha"][:12] + dirty[row["git_dirty"]] for row in rows),
        packages_digests=distinct(row["packages"] and _digest(row["packages"]) for row in rows),
        devices=distinct(row["device"] for row in rows),
        reported_by=__version__,
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
