"""Build the numbers of a report from the files of one or more results folders.

Nothing here depends on the time, the machine or the order of files, so equal results give equal reports.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gtr_bench import __version__
from gtr_bench.errors import UnknownNameError
from gtr_bench.metrics.interval import RESAMPLES, Method
from gtr_bench.metrics.registry import metrics
from gtr_bench.metrics.run import Metric
from gtr_bench.report.attributes import those_with, told_boundaries
from gtr_bench.report.collect import Record, SuiteRecords, algorithms_of, collect
from gtr_bench.report.curves import curves_of
from gtr_bench.report.iterations import Iterations
from gtr_bench.report.model import Brief, Provenance, Report, SuiteReport
from gtr_bench.report.scores import Scores, load_evaluations, scores_of
from gtr_bench.report.sections.base import Asked, Section
from gtr_bench.report.sections.registry import in_order
from gtr_bench.report.tables import LEVEL
from gtr_bench.report.tuning import tuning_of
from gtr_bench.report.vector_level import levels_of, mixed_line
from gtr_bench.report.waves import Course, given
from gtr_bench.store.reader import Warn, warn_on_stderr
from gtr_bench.suite.bars import DEFAULT_BASELINE, PREVIOUS
from gtr_bench.suite.expand import Suite
from gtr_bench.suite.load import shipped_suites
from gtr_bench.suite.smoke import FULL

__all__ = ["build_report", "provenance_of"]

ALWAYS_SHOWN = "lifetime_return"
_INTERVALS = {
    "t": "Student's t interval over seeds (from ten seeds on bootstrap-t, {}); a paired difference with what its "
    "test does not reject, among all pairs of its environment",
    "percentile": "percentile bootstrap interval over seeds ({}; too narrow for few seeds)",
    "bca": "BCa bootstrap interval over seeds ({}; too narrow for few seeds; aggregates percentile)",
}


@dataclass(frozen=True)
class _Request:
    """What a report is asked to show."""

    metrics: Mapping[str, type[Metric]]
    baseline: str | None
    environments: frozenset[str]
    curves: bool
    interval: Method
    brief: bool


def build_report(
    results: Sequence[Path],
    *,
    suite: str | None = None,
    metric_names: Sequence[str] = (),
    baseline: str | None = None,
    environments: Sequence[str] = (),
    curves: bool = False,
    interval: Method = "t",
    also: Sequence[str] = (),
    brief: bool = False,
    warn: Warn = warn_on_stderr,
) -> Report:
    """The report on one or more results folders, finished or not.

    Args:
        results: results folders; a job in two of them counts once.
        suite: only this suite (a name, or a suite file).
        metric_names: the metrics shown; by default the suite's primary one and `lifetime_return`.
        baseline: the algorithm label the others are compared with; by default `ppo` where the suite has it. With
            `suite.bars.PREVIOUS` each is compared with the one before it.
        environments: sequence ids whose rows are shown, all by default; claims are decided on all of theirs anyway.
        curves: also the learning curves.
        interval: how the tables' intervals are made: `t` is Student's t or bootstrap-t for means, the inverted test for
            paired differences, and percentiles further out for other aggregates over environments.
        also: names of sections that a report has only on request, such as `published`.
        brief: compute no more than the short report on a terminal shows.
        warn: called with a sentence for each file that was left out.

    Raises:
        RequestError: no jobs, or an unknown suite, metric, baseline, environment or section.
        ResultsError: a file was written by a newer program.
    """
    chosen = {name: metrics.get(name) for name in metric_names}
    found = collect(results, suite, warn=warn)
    _check(
        "algorithm",
        [baseline] if baseline not in (None, PREVIOUS) else [],
        {label for each in found for label in algorithms_of(each)},
    )
    _check("environment", environments, {record.sequence for each in found for record in each.records})
    request = _Request(chosen, baseline, frozenset(environments), curves, interval, brief)
    expected = {record.job: record for each in found for record in each.records}
    evaluations = load_evaluations(list(expected.values()), warn=warn)
    shown = [given(each, evaluations) for each in found]
    known = in_order()
    _check("report section", also, set(known))
    sections = {
        name: each
        for name, each in known.items()
        if (name in also or not each.on_request) and (each.has_brief() or not brief)
    }
    suites = [
        _suite_report(each, scores_of(each, evaluations), course, request, sections, warn) for each, course in shown
    ]
    every = [record for each, _ in shown for record in each.records]
    method = (
        f"mean over seeds with a {LEVEL:.0%} {_INTERVALS[interval].format(f'{RESAMPLES:,} resamples')}; differences "
        "are paired by seed; diverged jobs count the worst of their environment; failed and missing jobs have no value "
        "in tables and are counted"
    )
    return Report(tuple(suites), method, provenance_of(every))


def _check(kind: str, names: Iterable[str], known: set[str]) -> None:
    for name in names:
        if name not in known:
            raise UnknownNameError(kind, name, known)


def _suite_report(
    found: SuiteRecords,
    scores: Scores,
    course: Course | None,
    request: _Request,
    sections: Mapping[str, Section],
    warn: Warn,
) -> SuiteReport:
    algorithms = algorithms_of(found)
    primary = found.suite.primary_metric if found.suite else ALWAYS_SHOWN
    baseline = request.baseline or DEFAULT_BASELINE
    compared = baseline in (PREVIOUS, *algorithms) and len(algorithms) > 1
    chosen = request.environments
    records = [each for each in found.records if not chosen or each.sequence in chosen]
    reconstructed = those_with("reconstruction", (record.algorithm_name for record in found.records))
    marked = {each.algorithm: each.algorithm_name for each in found.records if each.algorithm_name in reconstructed}
    reconstructions = tuple(label for label in algorithms if label in marked)
    definitions = {(each.algorithm, each.sequence): each.definition for each in found.records}
    told = {algorithm for (algorithm, _), definition in definitions.items() if told_boundaries(definition)}
    usual = (primary,) if request.brief else (primary, ALWAYS_SHOWN)
    applying = [name for name, each in sections.items() if each.applies(found)]
    asked = Asked(
        metrics=request.metrics or {name: metrics.get(name) for name in dict.fromkeys(usual)},
        primary=primary,
        algorithms=algorithms,
        baseline=baseline if compared else None,
        reconstructions=reconstructions,
        records=records,
        alpha=found.suite.alpha if found.suite else 1 - LEVEL,
        interval=request.interval,
        iterations=Iterations((column for name in applying for column in sections[name].diagnostics), warn),
        course=course,
        brief=request.brief,
    )
    states = Counter(record.state for record in found.records)
    notes = tuple(_notes(found, None if compared else baseline, some=len(records) < len(found.records)))
    return SuiteReport(
        suite=found.name,
        scale=found.scale,
        question=found.suite.question if found.suite else "",
        smoke=found.smoke,
        baseline=asked.baseline,
        algorithms=tuple(algorithms),
        reconstructions=reconstructions,
        jobs={state: states[state] for state in ("complete", "diverged", "failed", "missing")},
        notes=(*notes, *_failures(found)),
        sections={
            name: each.compute(found, scores, asked) if name in applying else None for name, each in sections.items()
        },
        curves=curves_of(asked.runs, scores, algorithms) if request.curves else (),
        reconstructed=tuple(sorted({marked[label] for label in reconstructions})),
        told_boundaries=tuple(label for label in algorithms if label in told),
        brief=_brief(found, found.suite, request, notes) if found.suite else None,
    )


def _brief(found: SuiteRecords, suite: Suite, request: _Request, notes: tuple[str, ...]) -> Brief:
    # The suite's text may come from the ledger: where its file was, the jobs know.
    path = next((str(row["suite_path"]) for each in found.records if (row := each.summary)), suite.path)
    shipped = Path(path).stem == suite.name and suite.name in shipped_suites()
    return Brief(
        metrics=tuple(request.metrics) or (suite.primary_metric,),
        suite=suite.name if shipped else path,
        full_scale=FULL if FULL in suite.scales else "",
        notes=notes,
    )


def _notes(found: SuiteRecords, lonely: str | None, *, some: bool) -> Iterator[str]:
    """What a reader must know; `lonely` is a baseline without anything to compare, `some`: not all environments."""
    yield from found.notes
    tuning = tuning_of(found.suite, found.records)
    yield from () if tuning is None else (tuning.sentence, *tuning.marks)
    if lonely is not None:
        yield f"no differences: `{lonely}` has nothing to be compared with here"
    if some:
        yield "only some environments are shown; claims are decided on all of theirs"
    mixed = mixed_line(levels_of(found.records))
    if mixed is not None:
        yield mixed


def _failures(found: SuiteRecords) -> Iterator[str]:
    """Why jobs failed, and where to read more."""
    reasons = Counter(record.reason for record in found.records if record.state == "failed")
    if reasons:
        listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        yield f"failed: {listed}; `gtr-bench logs JOB` says why"


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
