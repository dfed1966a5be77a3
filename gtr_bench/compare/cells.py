"""Which jobs of both sides belong together: by labels, and within a cell by seed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from gtr_bench.compare.definitions import incomparable, parameter_differences, version_differences
from gtr_bench.compare.model import CellName
from gtr_bench.compare.sides import Key, Loaded
from gtr_bench.metrics.run import Metric
from gtr_bench.report.attributes import those_with
from gtr_bench.report.collect import Record, algorithms_of
from gtr_bench.report.columns import Columns
from gtr_bench.report.scores import Scores, rules_of
from gtr_bench.suite.expand import Suite

__all__ = ["Direction", "Matched", "cells_of", "match", "names_of", "scores_of_both", "suite_of_both", "values_of"]

Direction: TypeAlias = Literal["higher", "lower", "neutral"]
CellKey: TypeAlias = tuple[str, str]
"""Environment (the sequence's id) and algorithm label."""


@dataclass(frozen=True)
class Matched:
    """The finished runs of one cell on both sides, and what became of the others.

    Attributes:
        name: the cell.
        before, after: finished runs by seed; parallel when `paired`.
        paired: they are the seeds both sides have; without a common seed all finished ones of either side.
        alone: finished seeds of A and of B without a partner.
        identical: pairs with equal evaluations.
        failed, diverged: seeds finished (not diverged) in A that failed (diverged) in B.
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
    alone: tuple[tuple[int, ...], tuple[int, ...]]
    identical: int
    failed: tuple[int, ...]
    diverged: tuple[int, ...]
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
    """Both sides by one measure: B's suite says what counts as 0 and 1; bounds, worst scores and bars are common.

    A bar is A's where A has one: what changed in B does not move it.
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
    became = {each.seed: each for each in after}
    lost = [seed for seed in sorted(done[0]) if seed in became and became[seed].state == "failed"]
    return Matched(
        name=name,
        before=chosen[0],
        after=chosen[1],
        paired=bool(common),
        alone=_alone(done, common),
        identical=sum(_equal(scores, *pair) for pair in zip(*chosen, strict=True)) if common else 0,
        failed=tuple(lost),
        diverged=tuple(
            seed for seed in common if scores[1].diverged(done[1][seed]) and not scores[0].diverged(done[0][seed])
        ),
        obstacle=incomparable(before[0].definition, after[0].definition),
        scores=scores,
        suite=suite,
        parameters=parameter_differences(before[0].definition, after[0].definition),
        versions=version_differences(*([each.definition for each in side] for side in (before, after))),
        reconstructed=tuple(sorted(those_with("reconstruction", (before[0].algorithm_name, after[0].algorithm_name)))),
    )


def _alone(done: Sequence[Mapping[int, Record]], common: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    first, second = (tuple(sorted(side.keys() - set(common))) if common else () for side in done)
    return first, second


def _equal(scores: tuple[Scores, Scores], one: Record, other: Record) -> bool:
    """The same evaluations at the same steps, to the bit, and diverged at the same step or not at all."""
    if (one.state, one.summary["diverged_step"]) != (other.state, other.summary["diverged_step"]):
        return False
    rows: list[Columns] = [own.evaluations[each.job] for own, each in zip(scores, (one, other), strict=True)]
    return all(np.array_equal(rows[0][name], rows[1][name], equal_nan=True) for name in rows[0])


def values_of(matched: Matched, metric: type[Metric]) -> tuple[list[float], list[float], str]:
    """Defined values of both sides (parallel when paired), and why others are not."""
    scored = [
        [own.score(each, metric) for each in side]
        for own, side in zip(matched.scores, (matched.before, matched.after), strict=True)
    ]
    reason = next((score.reason for side in scored for score in side if score and not score.defined), "")
    if matched.paired:
        both = [(x.value, y.value) for x, y in zip(*scored, strict=True) if x and y and x.defined and y.defined]
        return [x for x, _ in both], [y for _, y in both], reason
    first, second = ([score.value for score in side if score and score.defined] for side in scored)
    return first, second, reason
