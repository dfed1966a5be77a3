"""One metric as a table: a cell per environment and algorithm, which one is best by the test, and what is noted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, TypeAlias

from gtr_bench.metrics.comparison import HypothesisTest, holm, sign_flip
from gtr_bench.metrics.interval import Estimate, Method, bootstrap
from gtr_bench.metrics.run import Metric, Score
from gtr_bench.report.aggregates import Aggregate, Profile, aggregates_of
from gtr_bench.report.bars import bar_of, bar_sentence
from gtr_bench.report.collect import Record, SuiteRecords
from gtr_bench.report.model import Difference, cell_id
from gtr_bench.report.scores import Scores
from gtr_bench.wording import counted

__all__ = ["LEVEL", "MetricTable", "TableCell", "table_of"]

LEVEL = 0.95

Entries: TypeAlias = Sequence[tuple[Record, Score | None]]


@dataclass(frozen=True)
class TableCell:
    """One algorithm in one environment.

    `value` is the mean over `n` seeds, None for no seed. Of the n, `diverged` counted the worst; `undefined` finished
    jobs have no value of this metric; `failed` and `missing` jobs have none at all. `jobs`, `seeds` and `values` are
    the n, by seed. `best`: the test says that it is better than every other algorithm of its environment; `tied`: the
    test does not separate it from the one with the best mean, which is tied too then.
    """

    sequence: str
    algorithm: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    diverged: int
    undefined: int
    failed: int
    missing: int
    censored: int
    difference: Difference | None
    jobs: tuple[str, ...]
    seeds: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    id: str = ""
    best: bool = False
    tied: bool = False


@dataclass(frozen=True)
class MetricTable:
    """One metric: a cell per environment and algorithm, and aggregates where environments can be compared.

    `reference` says whose reference runs are the bar, empty where the metric reads none.
    """

    metric: str
    primary: bool
    direction: str
    definition: str
    cells: tuple[TableCell, ...]
    aggregates: tuple[Aggregate, ...]
    notes: tuple[str, ...]
    profiles: tuple[Profile, ...] = ()
    reference: str = ""


def table_of(
    runs: Sequence[Record],
    scores: Scores,
    metric: type[Metric],
    algorithms: Sequence[str],
    baseline: str | None,
    suite: SuiteRecords,
    *,
    primary: bool,
    interval: Method = "percentile",
) -> MetricTable:
    """The table of one metric over the records `runs` (references excluded); `interval` is that of its cells."""
    overruled = suite.suite.metric_direction if suite.suite and primary else None
    direction = overruled or metric.direction
    alpha = suite.suite.alpha if suite.suite else 1 - LEVEL
    environments = list(dict.fromkeys(record.sequence for record in runs))
    scored = [(record, scores.score(record, metric)) for record in runs]
    cells: list[TableCell] = []
    for environment in environments:
        here = {
            label: [each for each in scored if each[0].sequence == environment and each[0].algorithm == label]
            for label in algorithms
        }
        rivals = here.get(baseline or "", [])
        row = [
            _cell(
                cell_id(suite.name, suite.scale, metric.name, environment, label),
                entries,
                rivals if label != baseline else [],
                baseline or "",
                scores,
                interval,
            )
            for label, entries in here.items()
            if entries
        ]
        cells += row if direction == "neutral" else _marked(row, direction, alpha)
    aggregates, profiles, notes = aggregates_of(runs, scores, metric, direction, algorithms, baseline)
    bar = bar_of(runs, metric, scores)
    notes += [bar_sentence(bar)] if bar else []
    reasons = Counter(score.reason for _, score in scored if score and score.reason)
    notes += [f"{reason} ({counted(count, 'job')})" for reason, count in sorted(reasons.items())]
    if metric.ratio and len(scores.normalise) > 0:
        notes.append("computed on returns mapped to [0, 1] by the suite's `normalise`")
    return MetricTable(
        metric.name, primary, direction, metric.definition, tuple(cells), aggregates, tuple(notes), profiles, bar
    )


def _cell(
    identity: str, entries: Entries, rivals: Entries, baseline: str, scores: Scores, interval: Method
) -> TableCell:
    first = entries[0][0]
    by_seed = sorted(entries, key=lambda entry: entry[0].seed)
    scored = {record.seed: (record, score) for record, score in by_seed if score is not None and score.defined}
    theirs = {record.seed: score.value for record, score in rivals if score is not None and score.defined}
    differences = [score.value - theirs[seed] for seed, (_, score) in scored.items() if seed in theirs]
    estimate = _estimate((score.value for _, score in scored.values()), interval)
    difference = _estimate(differences, interval)
    states = Counter(record.state for record, _ in entries)
    return TableCell(
        sequence=first.sequence,
        algorithm=first.algorithm,
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


def _estimate(values: Iterable[float], interval: Method) -> Estimate | None:
    listed = list(values)
    return bootstrap(listed, level=LEVEL, method=interval) if listed else None


def _marked(row: Sequence[TableCell], direction: Literal["higher", "lower"], alpha: float) -> list[TableCell]:
    """The cells of one environment with `best` and `tied`; Holm's family is all pairs of its algorithms.

    All pairs and not only those with the best mean: which one that is, is itself read off the data.
    """
    present = [cell for cell in row if cell.n]
    if len(present) < 2:
        return list(row)
    both = list(combinations(present, 2))
    tests = [_test(*each) for each in both]
    adjusted = holm([test.p if test else 1.0 for test in tests])
    sign = 1 if direction == "higher" else -1
    # Over the seeds both have: with other seeds missing on either side, the means may be ordered the other way.
    beats = {
        (one.id, other.id) if sign * test.statistic > 0 else (other.id, one.id)
        for (one, other), test, p in zip(both, tests, adjusted, strict=True)
        if test and p <= alpha
    }
    top = max(present, key=lambda cell: sign * (cell.value or 0.0))
    tied = {cell.id for cell in present if cell is top or (top.id, cell.id) not in beats}
    best = tied == {top.id}
    return [replace(cell, best=best and cell is top, tied=not best and cell.id in tied) for cell in row]


def _test(one: TableCell, other: TableCell) -> HypothesisTest | None:
    """The paired test over the seeds both have; None where there are not two of them."""
    theirs = dict(zip(other.seeds, other.values, strict=True))
    differences = [value - theirs[seed] for seed, value in zip(one.seeds, one.values, strict=True) if seed in theirs]
    return sign_flip([differences]) if len(differences) > 1 else None
