"""Build the numbers of a report from the files of one or more results folders.

Nothing here depends on the time, the machine or the order of files, so equal results give equal reports.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gtr_bench import __version__
from gtr_bench.errors import UnknownNameError
from gtr_bench.metrics.continual import LifetimeReturn
from gtr_bench.metrics.interval import RESAMPLES, Method
from gtr_bench.metrics.registry import metrics
from gtr_bench.metrics.run import Metric
from gtr_bench.report.absences import absences_of
from gtr_bench.report.claims import claims_of
from gtr_bench.report.collect import Record, SuiteRecords, algorithms_of, collect
from gtr_bench.report.curves import curves_of
from gtr_bench.report.mechanism import mechanism_of
from gtr_bench.report.model import SMOKE_SCALES, Mechanism, Provenance, Report, SuiteReport
from gtr_bench.report.scores import Scores, load_evaluations, scores_of
from gtr_bench.report.tables import LEVEL, table_of
from gtr_bench.report.values import unit_of, values_in
from gtr_bench.report.waves import Course, given
from gtr_bench.store.reader import Warn, warn_on_stderr

__all__ = ["build_report", "provenance_of"]

DEFAULT_BASELINE = "ppo"
ALWAYS_SHOWN = "lifetime_return"
_INTERVALS = {"percentile": "percentile", "bca": "BCa (aggregates, claims and mechanism: percentile)"}


@dataclass(frozen=True)
class _Asked:
    """What a report is asked to show."""

    metrics: Mapping[str, type[Metric]]
    baseline: str | None
    environments: frozenset[str]
    curves: bool
    interval: Method


def build_report(
    results: Sequence[Path],
    *,
    suite: str | None = None,
    metric_names: Sequence[str] = (),
    baseline: str | None = None,
    environments: Sequence[str] = (),
    curves: bool = False,
    interval: Method = "percentile",
    warn: Warn = warn_on_stderr,
) -> Report:
    """The report on one or more results folders, finished or not.

    Args:
        results: results folders; a job in two of them counts once.
        suite: only this suite (a name, or a suite file).
        metric_names: the metrics shown; by default the suite's primary one and `lifetime_return`.
        baseline: the algorithm label the others are compared with; by default `ppo` where the suite has it.
        environments: sequence ids whose rows are shown, all by default; claims are decided on all of theirs anyway.
        curves: also the learning curves.
        interval: how the intervals of the tables' cells are made; all others are percentile intervals.
        warn: called with a sentence for each file that was left out.

    Raises:
        RequestError: no jobs, or an unknown suite, metric, baseline or environment.
        ResultsError: a file was written by a newer program.
    """
    chosen = {name: metrics.get(name) for name in metric_names}
    found = collect(results, suite, warn=warn)
    _check("algorithm", [baseline] if baseline else [], {label for each in found for label in algorithms_of(each)})
    _check("environment", environments, {record.sequence for each in found for record in each.records})
    asked = _Asked(chosen, baseline, frozenset(environments), curves, interval)
    expected = {record.job: record for each in found for record in each.records}
    evaluations = load_evaluations(list(expected.values()), warn=warn)
    shown = [given(each, evaluations) for each in found]
    suites = [_suite_report(each, scores_of(each, evaluations), course, asked, warn) for each, course in shown]
    every = [record for each, _ in shown for record in each.records]
    method = (
        f"mean over seeds with a {LEVEL:.0%} {_INTERVALS[interval]} bootstrap interval over seeds ({RESAMPLES:,} "
        "resamples; too narrow for few seeds); differences are paired by seed; diverged jobs count the environment's "
        "floor; failed and missing jobs have no value and are counted"
    )
    return Report(tuple(suites), method, provenance_of(every))


def _check(kind: str, names: Iterable[str], known: set[str]) -> None:
    for name in names:
        if name not in known:
            raise UnknownNameError(kind, name, known)


def _suite_report(found: SuiteRecords, scores: Scores, course: Course | None, asked: _Asked, warn: Warn) -> SuiteReport:
    algorithms = algorithms_of(found)
    primary = found.suite.primary_metric if found.suite else ALWAYS_SHOWN
    shown = asked.metrics or {name: metrics.get(name) for name in dict.fromkeys((primary, ALWAYS_SHOWN))}
    baseline = asked.baseline or DEFAULT_BASELINE
    notes = list(found.notes)
    compared = baseline in algorithms and len(algorithms) > 1
    if not compared:
        notes.append(f"no differences: `{baseline}` has nothing to be compared with here")
    records = [each for each in found.records if not asked.environments or each.sequence in asked.environments]
    if len(records) < len(found.records):
        notes.append("only some environments are shown; claims are decided on all of theirs")
    runs = [record for record in records if record.role == "run"]
    states = Counter(record.state for record in found.records)
    reasons = Counter(record.reason for record in found.records if record.state == "failed")
    if reasons:
        listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        notes.append(f"failed: {listed}; `gtr-bench logs JOB` says why")
    reconstructed = {record.algorithm for record in found.records if record.algorithm_name == "gtr"}
    reconstructions = tuple(label for label in algorithms if label in reconstructed)
    against = baseline if compared else None
    return SuiteReport(
        suite=found.name,
        scale=found.scale,
        question=found.suite.question if found.suite else "",
        smoke=found.scale in SMOKE_SCALES,
        baseline=against,
        algorithms=tuple(algorithms),
        reconstructions=reconstructions,
        tables=tuple(
            table_of(runs, scores, metric, algorithms, against, found, primary=name == primary, interval=asked.interval)
            for name, metric in shown.items()
        ),
        jobs={state: states[state] for state in ("complete", "diverged", "failed", "missing")},
        notes=tuple(notes),
        claims=claims_of(found, scores, course),
        mechanism=_mechanism(found, scores, runs, reconstructions, against, warn),
        missing=absences_of(records, scores),
        curves=curves_of(runs, scores, algorithms) if asked.curves else (),
    )


def _mechanism(
    found: SuiteRecords,
    scores: Scores,
    runs: Sequence[Record],
    subjects: Sequence[str],
    baseline: str | None,
    warn: Warn,
) -> Mechanism | None:
    unit = unit_of(LifetimeReturn, {record.sequence for record in runs}, scores)
    returns = values_in(unit, runs, LifetimeReturn, scores) if unit else None
    alpha = found.suite.alpha if found.suite else 1 - LEVEL
    return mechanism_of(runs, algorithms_of(found), subjects, baseline, returns, alpha, warn=warn)


def provenance_of(records: Sequence[Record]) -> Provenance:
    """What made the finished ones of `records`."""
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
