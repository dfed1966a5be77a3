"""Estimates of the median over Atari's 57 games from five or ten of them (protocols 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from gtr_bench.environments.atari_games import subsets
from gtr_bench.metrics.aggregates import estimated_median
from gtr_bench.report.blocks import Block, Heading, Lines, grid
from gtr_bench.report.collect import SuiteRecords
from gtr_bench.report.model import Interval, SuiteReport
from gtr_bench.report.scores import Scores
from gtr_bench.report.sections.base import Asked, Section
from gtr_bench.report.text import interval_text, label
from gtr_bench.report.values import NORMALISED, common_unit, joint, values_in

__all__ = ["AtariSubsetsSection"]

HUMAN = "human"
HEADER = ("subset", "metric", "algorithm", "median of 57 games [95% interval]", "n")
NOTE = (
    "estimated from the games of the subset with the weights of a fit over published agents; returns normalised by "
    "`human`, so 1 is a human's level; seeds resampled within each game"
)


@dataclass(frozen=True)
class _Estimate:
    """One algorithm's estimate; None where a game has no seed. `n`: fewest seeds of any game."""

    subset: str
    metric: str
    algorithm: str
    value: Interval | None


def _sequences(found: SuiteRecords, games: Mapping[str, float]) -> list[str] | None:
    """The sequences of one phase each that play these games, in their order; None unless there is one for each."""
    worlds = found.suite.worlds if found.suite else ()
    played = {world.environments: world.id for world in worlds if world.normalised_by == HUMAN}
    names = [played.get((f"atari:{game}",)) for game in games]
    return None if None in names else [name for name in names if name is not None]


class AtariSubsetsSection(Section):
    """A row per subset whose games are all in the suite, metric of returns, and algorithm."""

    name: ClassVar[str] = "atari_subsets"
    columns: ClassVar[tuple[str, ...]] = ("metric", "environment", "algorithm", "value", "low", "high", "n")

    def applies(self, found: SuiteRecords) -> bool:
        """Where all games of a subset are sequences with `normalise = "human"`."""
        return any(_sequences(found, games) for games in subsets().values())

    def compute(self, found: SuiteRecords, scores: Scores, asked: Asked) -> tuple[_Estimate, ...] | None:
        """None where no metric is of returns, or the report leaves games out."""
        shown = {record.sequence for record in asked.runs}
        rows = []
        for subset, games in subsets().items():
            names = _sequences(found, games)
            if names is None or not shown.issuperset(names):
                continue
            together = joint(each for each in asked.runs if each.sequence in names)
            for metric in asked.metrics.values():
                if common_unit(metric, names, scores) != NORMALISED or metric.direction != "higher":
                    continue
                values = values_in(NORMALISED, asked.runs, metric, scores)
                for algorithm in asked.algorithms:
                    groups = [
                        [value for _, value in sorted(values.get(name, {}).get(algorithm, {}).items())]
                        for name in names
                    ]
                    estimate = (
                        estimated_median(groups, tuple(games.values()), method=asked.interval, joint=together)
                        if all(groups)
                        else None
                    )
                    value = Interval(estimate.value, estimate.low, estimate.high, estimate.n) if estimate else None
                    rows.append(_Estimate(subset, metric.name, algorithm, value))
        return tuple(rows) or None

    def blocks(self, suite: SuiteReport, data: Sequence[_Estimate]) -> Iterator[Block]:
        """One table."""
        yield Heading(2, "Atari: estimated median")
        rows = [
            [
                each.subset,
                each.metric,
                label(suite, each.algorithm),
                interval_text(each.value),
                str(each.value.n if each.value else 0),
            ]
            for each in data
        ]
        yield grid("", HEADER, rows)
        yield Lines((NOTE,), "note")

    def rows(self, suite: SuiteReport, data: Sequence[_Estimate]) -> Iterator[Mapping[str, Any]]:
        """The subset stands where the tables have the environment."""
        for each in data:
            row: dict[str, Any] = {"metric": each.metric, "environment": each.subset, "algorithm": each.algorithm}
            if each.value is not None:
                row |= {"value": each.value.value, "low": each.value.low, "high": each.value.high, "n": each.value.n}
            yield row

    def put(self, plain: dict[str, Any], data: Any) -> None:
        """Only where there is something."""
        if data is not None:
            plain[self.name] = data
