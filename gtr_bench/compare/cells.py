"""Which jobs of both sides belong together: by labels, and within a cell by seed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from gtr_bench.compare.definitions import incomparable, parameter_differences, version_differences
from gtr_bench.compare.model import CellName
from gtr_bench.compare.sides import Key, Loaded
from gtr_bench.metrics.run import Metric
from gtr_bench.report.attributes import those_with
from gtr_bench.report.collect import Record, State, algorithms_of
from gtr_bench.report.columns import Columns
from gtr_bench.report.scores import Scores, rules_of
from gtr_bench.suite.expand import Suite
from gtr_bench.wording import counted

__all__ = ["Direction", "Matched", "cells_of", "match", "names_of", "scores_of_both", "suite_of_both", "values_of"]

Direction: TypeAlias = Literal["higher", "lower", "neutral"]
CellKey: TypeAlias = tuple[str, str]
"""Environment (the sequence's id) and algorithm label."""
BothSides: TypeAlias = tuple[tuple[int, ...], tuple[int, ...]]
"""Seeds of A and of B."""


@dataclass(frozen=True)
class Matched:
    """The finished runs of one cell on both sides, and what became of the others.

    Attributes:
        name: the cell.
        before, after: finished runs by seed; parallel when `paired`.
        paired: they are the seeds both sides have; without a common seed all finished ones of either side.
        alone: finished seeds of A and of B without a partner.
        identical: pairs with equal evaluations.
        lost: seeds that fail in B and count against it, see `_lost`.
        failed: seeds that failed in A and are finished in B, and the other way round; unpaired, all that failed.
        unfinished: seeds of A and of B that have not ended.
        diverged: seeds that diverged in A alone and in B alone, of the pairs; unpaired, all that diverged.
        obstacle: why the returns do not compare at all; empty where they do.
        scores: of both sides.
        suite: what the suite says, where its text can be expanded.
        parameters, versions: what differs between the definitions of the sides.
        reconstructed: the algorithm's registered name where its form is this project's reconstruction, of both sides.
    """

    name: CellName
    before: tuple[Record, ...]
    after: tuple[Record, ...]
    paired: bool
    alone: BothSides
    identical: int
    lost: tuple[int, ...]
    failed: BothSides
    unfinished: BothSides
    diverged: BothSides
    obstacle: str
    scores: tuple[Scores, Scores]
    suite: Suite | None
    parameters: tuple[str, ...]
    versions: tuple[str, ...]
    reconstructed: tuple[str, ...]

    def direction(self, metric: type[Metric]) -> Direction:
        """Which way is better; a suite may turn its primary metric round."""
        overruled = self.suite.metric_direction if self.suite and self.suite.primary_metric == metric.name else None
        return overruled or metric.direction

    @property
    def comparable(self) -> bool:
        """Whether there is something to test, or to call identical."""
        return not self.obstacle and bool(self.before) and bool(self.after)

    @property
    def all_identical(self) -> bool:
        """No pair differs in any evaluation."""
        return self.paired and self.identical == len(self.before) > 0

    @property
    def speed(self) -> float | None:
        """Median of steps per second, B / A, over pairs; unpaired the ratio of the medians."""
        rates = [
            [each.summary.get("steps_per_second") or math.nan for each in side] for side in (self.before, self.after)
        ]
        known = [[rate for rate in side if rate > 0] for side in rates]
        if self.paired:
            ratios = [new / old for old, new in zip(*rates, strict=True) if old > 0 and new > 0]
            return statistics.median(ratios) if ratios else None
        return statistics.median(known[1]) / statistics.median(known[0]) if all(known) else None


def cells_of(side: Loaded, key: Key) -> dict[CellKey, list[Record]]:
    """The runs of one suite and scale by cell, references left out."""
    found: dict[CellKey, list[Record]] = {}
    for record in side.suites[key].records if key in side.suites else ():
        if record.role == "run":
            found.setdefault((record.sequence, record.algorithm), []).append(record)
    return found


def names_of(side: Loaded) -> list[CellName]:
    """All cells of a side."""
    return [CellName(*key, *place) for key in side.suites for place in cells_of(side, key)]


def suite_of_both(a: Loaded, b: Loaded, key: Key) -> Suite | None:
    """The suite as B has it, else as A has it; None where neither text can be expanded here."""
    return b.suites[key].suite or a.suites[key].suite


def scores_of_both(a: Loaded, b: Loaded, key: Key) -> tuple[Scores, Scores]:
    """Both sides by one measure: B's suite says what counts as 0 and 1; the rest is common.

    A bar or oracle is A's where A has one: what changed in B does not move it.
    """
    rules = rules_of(suite_of_both(a, b, key), algorithms_of(b.suites[key]))
    first, second = (Scores(side.suites[key].records, side.evaluations, *rules) for side in (a, b))
    first.compared = second.compared = (first, second)
    return first, second


def match(
    name: CellName,
    before: Sequence[Record],
    after: Sequence[Record],
    scores: tuple[Scores, Scores],
    suite: Suite | None,
) -> Matched:
    """Pair the finished runs of a cell that both sides have."""
    done = [
        {each.seed: each for each in side if each.summary and each.job in own.evaluations}
        for side, own in zip((before, after), scores, strict=True)
    ]
    common = sorted(done[0].keys() & done[1].keys())
    chosen = [tuple(side[seed] for seed in common or sorted(side)) for side in done]
    states = [{each.seed: each.state for each in side} for side in (before, after)]
    failed, unfinished = ([_in_state(side, state) for side in states] for state in ("failed", "missing"))
    diverged = [{each.seed for each in side if own.diverged(each)} for side, own in zip(chosen, scores, strict=True)]
    if common:
        failed = [failed[0] & done[1].keys(), failed[1] & done[0].keys()]
        diverged = [diverged[0] - diverged[1], diverged[1] - diverged[0]]
    return Matched(
        name=name,
        before=chosen[0],
        after=chosen[1],
        paired=bool(common),
        alone=_sorted([side.keys() - set(common) for side in done] if common else [set(), set()]),
        identical=sum(_equal(scores, *pair) for pair in zip(*chosen, strict=True)) if common else 0,
        lost=tuple(sorted(_lost(states[0], states[1], set(done[0])))),
        failed=_sorted(failed),
        unfinished=_sorted(unfinished),
        diverged=_sorted(diverged),
        obstacle=incomparable(before[0].definition, after[0].definition),
        scores=scores,
        suite=suite,
        parameters=parameter_differences(before[0].definition, after[0].definition),
        versions=version_differences(*([each.definition for each in side] for side in (before, after))),
        reconstructed=tuple(sorted(those_with("reconstruction", (before[0].algorithm_name, after[0].algorithm_name)))),
    )


def _lost(before: Mapping[int, State], after: Mapping[int, State], done: Set[int]) -> Set[int]:
    """Seeds that fail in B and are done in A; without any, those A does not have, if a larger share fails than in A.

    Without this a side whose seeds are others would be judged by the runs that survived.
    """
    failed = _in_state(after, "failed")
    fresh = failed - before.keys()
    more = _share(after) > _share(before)
    return failed & done or (fresh if more else set())


def _in_state(side: Mapping[int, State], state: State) -> set[int]:
    return {seed for seed, own in side.items() if own == state}


def _share(side: Mapping[int, State]) -> float:
    """Of the jobs that have ended, how many failed."""
    ended = [state for state in side.values() if state != "missing"]
    return sum(state == "failed" for state in ended) / len(ended) if ended else 0.0


def _sorted(sides: Sequence[Set[int]]) -> BothSides:
    first, second = (tuple(sorted(side)) for side in sides)
    return first, second


def _equal(scores: tuple[Scores, Scores], one: Record, other: Record) -> bool:
    """The same evaluations at the same steps, to the bit, and diverged at the same step or not at all."""
    if (one.state, one.summary["diverged_step"]) != (other.state, other.summary["diverged_step"]):
        return False
    rows: list[Columns] = [own.evaluations[each.job] for own, each in zip(scores, (one, other), strict=True)]
    return all(np.array_equal(rows[0][name], rows[1][name], equal_nan=True) for name in rows[0])


def values_of(matched: Matched, metric: type[Metric]) -> tuple[list[float], list[float], str]:
    """Defined values of both sides (parallel when paired), and why others are not; how many, where some are."""
    scored = [
        [own.score(each, metric) for each in side]
        for own, side in zip(matched.scores, (matched.before, matched.after), strict=True)
    ]
    reason = next((score.reason for side in scored for score in side if score and not score.defined), "")
    if matched.paired:
        both = [(x.value, y.value) for x, y in zip(*scored, strict=True) if x and y and x.defined and y.defined]
        first, second = [x for x, _ in both], [y for _, y in both]
        left = f"{len(scored[0]) - len(both)} of {counted(len(scored[0]), 'pair')}"
    else:
        first, second = ([score.value for score in side if score and score.defined] for side in scored)
        missing = [len(side) - len(defined) for side, defined in zip(scored, (first, second), strict=True)]
        left = f"{missing[0]} and {missing[1]} runs"
    return first, second, f"{left} left out: {reason}" if reason and first and second else reason
