"""What a report says of how a suite's values were chosen: the suite's own record, held against its jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gtr_bench.report.collect import Record
from gtr_bench.report.text import ranges
from gtr_bench.suite.expand import Suite
from gtr_bench.suite.identity import parameters_of
from gtr_bench.suite.model import TunedTable
from gtr_bench.wording import counted

__all__ = ["EDITED", "TunedAlgorithm", "TuningRecord", "tuning_of"]

EDITED = "edited after tuning"
NOT_TUNED = "not tuned"
NOT_SHOWN = "not part of this scale"


@dataclass(frozen=True)
class TunedAlgorithm:
    """One algorithm of the suite or of its record.

    `trials` is 0 for one that was not tuned; `mark` is `EDITED` or `NOT_TUNED`, else empty; `shown` says whether it has
    jobs here.
    """

    algorithm: str
    trials: int
    values: Mapping[str, Any]
    ranges: Mapping[str, str]
    score: float | None
    suite_score: float | None
    diverged: int
    failed: int
    mark: str
    shown: bool


@dataclass(frozen=True)
class TuningRecord:
    """The record of a tuned suite; `marks` are what a reader must not miss, one sentence each."""

    sentence: str
    suite: str
    scale: str
    metric: str
    direction: str
    budget: int
    sampler: str
    seeds: tuple[int, ...]
    tune_fraction: float
    phases: Mapping[str, int]
    command: str
    gtr_bench: str
    finished: str
    algorithms: tuple[TunedAlgorithm, ...]
    marks: tuple[str, ...]


def tuning_of(suite: Suite | None, records: Sequence[Record]) -> TuningRecord | None:
    """The record of a suite, None where it has none.

    Args:
        suite: as it is reported.
        records: of its jobs, references included.
    """
    if suite is None or suite.tuned is None:
        return None
    tuned = suite.tuned
    algorithms = tuple(_algorithms(suite, tuned, records))
    return TuningRecord(
        sentence=_sentence(tuned, algorithms),
        suite=tuned.suite,
        scale=tuned.scale,
        metric=tuned.metric,
        direction=tuned.direction,
        budget=tuned.budget,
        sampler=tuned.sampler,
        seeds=tuple(tuned.seeds),
        tune_fraction=tuned.tune_fraction,
        phases=tuned.phases,
        command=tuned.command,
        gtr_bench=tuned.gtr_bench,
        finished=tuned.finished,
        algorithms=algorithms,
        marks=tuple(_marks(suite, tuned, algorithms, records)),
    )


def _algorithms(suite: Suite, tuned: TunedTable, records: Sequence[Record]) -> Iterator[TunedAlgorithm]:
    """Those of the suite in its order, then those that were tuned and are not shown."""
    for name in [*suite.algorithms, *(each for each in tuned.algorithm if each not in suite.algorithms)]:
        shown, found = name in suite.algorithms, tuned.algorithm.get(name)
        if found is None:
            yield TunedAlgorithm(name, 0, {}, {}, None, None, 0, 0, NOT_TUNED, shown)
            continue
        used = [parameters_of(each.definition) for each in records if each.algorithm == name]
        edited = any(own.get(key, found) != value for own in used for key, value in found.values.items())
        yield TunedAlgorithm(
            algorithm=name,
            trials=found.trials,
            values=found.values,
            ranges=found.ranges,
            score=found.score,
            suite_score=found.suite_score,
            diverged=found.diverged,
            failed=found.failed,
            mark=EDITED if edited else "",
            shown=shown,
        )


def _sentence(tuned: TunedTable, algorithms: Sequence[TunedAlgorithm]) -> str:
    """What was tuned, with how many trials, on which seeds."""
    counts = sorted({each.trials for each in algorithms if each.trials})
    trials = counted(counts[0], "trial") if len(counts) == 1 else f"{counts[0]} to {counts[-1]} trials"
    lengths = sorted(set(tuned.phases.values()))
    phases = counted(lengths[0], "phase") if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]} phases"
    return (
        f"tuned by {tuned.metric} ({tuned.direction} is better) with {trials} per algorithm ({tuned.sampler}) on seeds "
        f"{ranges(tuple(tuned.seeds))} and the first {phases} of "
        f"{tuned.suite}, scale {tuned.scale}"
    )


def _marks(
    suite: Suite, tuned: TunedTable, algorithms: Sequence[TunedAlgorithm], records: Sequence[Record]
) -> Iterator[str]:
    shared = {record.seed for record in records} & set(tuned.seeds)
    if shared:
        yield f"seeds used in tuning are reported: {ranges(tuple(shared))}"
    shown = [each for each in algorithms if each.shown]
    if len({each.trials for each in shown}) > 1:
        yield "unequal tuning: " + ", ".join(f"{each.algorithm} {counted(each.trials, 'trial')}" for each in shown)
    searched = {each.algorithm: len(each.ranges) for each in shown if each.trials}
    if len(set(searched.values())) > 1:
        yield "unequal search: " + ", ".join(f"{name} {counted(n, 'parameter')}" for name, n in searched.items())
    edited = [each.algorithm for each in shown if each.mark == EDITED]
    if edited:
        yield f"{EDITED}: the values of {', '.join(edited)} are not those that the tuning chose"
    if tuned.metric != suite.primary_metric:
        yield f"tuned by {tuned.metric}, not by the primary metric {suite.primary_metric}"
