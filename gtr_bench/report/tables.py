"""One metric as a table: a cell per environment and algorithm, which one is best by the test, and what is noted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, TypeAlias

from gtr_bench.metrics.comparison import HypothesisTest, flip_test, holm, holm_steps
from gtr_bench.metrics.interval import Estimate, Method, bootstrap
from gtr_bench.metrics.inversion import invert
from gtr_bench.metrics.relabelled import Linear, Searched, flip
from gtr_bench.metrics.run import Metric, Score
from gtr_bench.report.aggregates import Aggregate, Profile, aggregates_of
from gtr_bench.report.bars import bar_of, bar_sentence
from gtr_bench.report.collect import Record, SuiteRecords
from gtr_bench.report.model import Difference, cell_id
from gtr_bench.report.scores import Scores
from gtr_bench.suite.bars import rival_of
from gtr_bench.wording import counted

__all__ = ["LEVEL", "MetricTable", "TableCell", "TestedPair", "table_of", "tested_pairs"]

LEVEL = 0.95

Entries: TypeAlias = Sequence[tuple[Record, Score | None]]


@dataclass(frozen=True)
class TableCell:
    """One algorithm in one environment.

    `value` is the mean over `n` seeds, None for no seed. Of the n, `diverged` counted the worst; `undefined` finished
    jobs have no value of this metric; `failed` and `missing` jobs have none at all. `jobs`, `seeds` and `values` are
    the n, by seed. `best`: the test says that it is better than every other algorithm of its environment; `tied`: the
    test could, and does not, separate it from the one with the best mean, which is tied too then.
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
    interval: Method = "t",
    brief: bool = False,
) -> MetricTable:
    """The table of one metric over the records `runs` (references excluded).

    `interval` is that of its means. With `t` a difference has the interval that inverts the test behind `best`.
    With `brief` aggregates are means alone.
    """
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
        identities = {label: cell_id(suite.name, suite.scale, metric.name, environment, label) for label in algorithms}
        row = [_cell(identities[label], entries, scores, interval) for label, entries in here.items() if entries]
        pairs = tested_pairs(row, alpha)
        row = row if direction == "neutral" else _marked(row, pairs, direction, alpha)
        cells += [
            _beside(cell, row, pairs, rival_of(baseline, cell.algorithm, algorithms), alpha, interval) for cell in row
        ]
    aggregates, profiles, notes = aggregates_of(
        runs, scores, metric, direction, algorithms, baseline, interval, brief=brief
    )
    bar = bar_of(runs, metric, scores)
    notes += [bar_sentence(bar)] if bar else []
    reasons = Counter(score.reason for _, score in scored if score and score.reason)
    notes += [f"{reason} ({counted(count, 'job')})" for reason, count in sorted(reasons.items())]
    if metric.ratio and len(scores.normalise) > 0:
        notes.append("computed on returns mapped to [0, 1] by the suite's `normalise`")
    return MetricTable(
        metric.name, primary, direction, metric.definition, tuple(cells), aggregates, tuple(notes), profiles, bar
    )


def _cell(identity: str, entries: Entries, scores: Scores, interval: Method) -> TableCell:
    first = entries[0][0]
    by_seed = sorted(entries, key=lambda entry: entry[0].seed)
    scored = {record.seed: (record, score) for record, score in by_seed if score is not None and score.defined}
    estimate = _estimate((score.value for _, score in scored.values()), interval)
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
        difference=None,
        jobs=tuple(record.job for record, _ in scored.values()),
        seeds=tuple(scored),
        values=tuple(score.value for _, score in scored.values()),
        id=identity,
    )


def _estimate(values: Iterable[float], interval: Method) -> Estimate | None:
    listed = list(values)
    return bootstrap(listed, level=LEVEL, method=interval) if listed else None


@dataclass(frozen=True)
class TestedPair:
    """Two cells' differences over the seeds both have, tested; the family is all pairs of their environment.

    `adjusted` is Holm's p, `left` how many pairs were left at the step that decided this one.
    """

    one: str
    other: str
    n: int
    test: HypothesisTest
    relabelled: Linear | Searched
    adjusted: float = 1.0
    left: int = 1

    def can_decide(self, alpha: float, pairs: int) -> bool:
        """Whether so many differences could be told apart at the first step among so many pairs."""
        return pairs * 2.0 ** (1 - self.n) <= alpha


def tested_pairs(row: Sequence[TableCell], alpha: float) -> list[TestedPair]:
    """All pairs and not only those with the best mean: which one that is, is itself read off the data."""
    both = list(combinations([cell for cell in row if cell.n], 2))
    tested = [pair for each in both if (pair := _pair(*each))]
    ps = [pair.test.p for pair in tested] + [1.0] * (len(both) - len(tested))
    steps = zip(tested, holm(ps), holm_steps(ps, [alpha] * len(ps)), strict=False)
    return [replace(pair, adjusted=adjusted, left=left) for pair, adjusted, left in steps]


def _pair(one: TableCell, other: TableCell) -> TestedPair | None:
    """None where the two have no two seeds in common."""
    theirs = dict(zip(other.seeds, other.values, strict=True))
    differences = [value - theirs[seed] for seed, value in zip(one.seeds, one.values, strict=True) if seed in theirs]
    if len(differences) < 2:
        return None
    relabelled = flip([differences])
    return TestedPair(one.id, other.id, len(differences), flip_test(relabelled, [differences]), relabelled)


def _marked(
    row: Sequence[TableCell], pairs: Sequence[TestedPair], direction: Literal["higher", "lower"], alpha: float
) -> list[TableCell]:
    """The cells of one environment with `best` and `tied`; a pair with too few seeds to decide leaves no mark."""
    present = [cell for cell in row if cell.n]
    if len(present) < 2:
        return list(row)
    sign, count = 1 if direction == "higher" else -1, math.comb(len(present), 2)
    # Over the seeds both have: with other seeds missing on either side, the means may be ordered the other way.
    beats = {
        (pair.one, pair.other) if sign * pair.test.statistic > 0 else (pair.other, pair.one)
        for pair in pairs
        if pair.adjusted <= alpha
    }
    able = {frozenset((pair.one, pair.other)) for pair in pairs if pair.can_decide(alpha, count)}
    top = max(present, key=lambda cell: sign * (cell.value or 0.0))
    others = {cell.id for cell in present if cell is not top}
    even = {name for name in others if (top.id, name) not in beats}
    tied = {name for name in even if frozenset((top.id, name)) in able}
    tied |= {top.id} if tied else set()
    return [replace(cell, best=not even and cell is top, tied=cell.id in tied) for cell in row]


def _beside(
    cell: TableCell,
    row: Sequence[TableCell],
    pairs: Sequence[TestedPair],
    baseline: str | None,
    alpha: float,
    method: Method,
) -> TableCell:
    """The cell with its difference to the baseline's, over the seeds both have."""
    rival = next((each for each in row if each.algorithm == baseline), None)
    if baseline is None or rival is None or rival is cell:
        return cell
    theirs = dict(zip(rival.seeds, rival.values, strict=True))
    differences = [value - theirs[seed] for seed, value in zip(cell.seeds, cell.values, strict=True) if seed in theirs]
    if not differences:
        return cell
    n, pair = len(differences), next((each for each in pairs if {each.one, each.other} == {cell.id, rival.id}), None)
    if method != "t" or pair is None:
        found = bootstrap(differences, level=LEVEL, method=method)
        return replace(cell, difference=Difference(baseline, found.value, found.low, found.high, n))
    low, high = invert(pair.relabelled, (lambda p: pair.left * p <= alpha,) * 2, two_sided=True)
    value = pair.test.statistic
    if pair.one != cell.id:
        value, low, high = -value, -high, -low
    return replace(cell, difference=Difference(baseline, value, low, high, n))
