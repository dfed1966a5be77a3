"""Numbers published elsewhere on the worlds of the suite: shown, with their sources, and read by nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from gtr_bench.published.pairs import Pair, differences, measures, pairs_of
from gtr_bench.published.rows import Row, marks_of, published_rows, source_text, value_text
from gtr_bench.report.blocks import NUMERIC, Block, Heading, Lines, grid
from gtr_bench.report.collect import Record, SuiteRecords
from gtr_bench.report.model import SuiteReport
from gtr_bench.report.scores import Scores
from gtr_bench.report.sections.base import Asked, Section
from gtr_bench.report.text import ABSENT

__all__ = ["Beside", "Paired", "PublishedSection"]

TITLE = "Published elsewhere, not compared"
WARNING = (
    "no test, claim or aggregate reads these numbers of other people; networks, tuning and evaluation may differ where "
    "nothing says so"
)
DIFFERENT = "different protocol"
SAME = "same metric and budget"
NONE = "no published row is about a world of this suite"
HEADER = ("pair", "algorithm", "value ± spread (kind)", "seeds", "budget", "source", "metric", "published as")
"""The mark first: a wide table scrolls, and nobody should read a value without it."""
NUMBERS = NUMERIC | {"seeds", "budget"}


@dataclass(frozen=True)
class Paired:
    """A published row beside a sequence: the metric of ours that measures the same, None for none, and what differs.

    A pair without differences has this metric among those shown, and the same budget; `caution` is what is not known
    about the metric.
    """

    row: Row
    metric: str | None
    differences: tuple[str, ...]
    caution: str


@dataclass(frozen=True)
class Beside:
    """A sequence, the steps it is trained for, and the published rows on its world; those without differences first."""

    environment: str
    budget_steps: int
    rows: tuple[Paired, ...]


class PublishedSection(Section):
    """Only where a report is asked for it; nothing else of a report changes with it."""

    name: ClassVar[str] = "published"
    columns: ClassVar[tuple[str, ...]] = (
        *("environment", "published_as", "published_algorithm", "published_metric", "published_value"),
        *("published_spread", "published_spread_kind", "published_seeds", "published_budget_steps"),
        *("published_pair", "published_source", "published_year", "published_note"),
    )
    on_request: ClassVar[bool] = True

    def compute(self, found: SuiteRecords, scores: Scores, asked: Asked) -> tuple[Beside, ...]:
        """The sequences with a published row, in the suite's order; raises RequestError where no rows are installed."""
        rows: dict[str, list[Row]] = {}
        for row in published_rows():
            rows.setdefault(row.environment, []).append(row)
        first: dict[str, Record] = {}
        for record in asked.runs:
            first.setdefault(record.sequence, record)
        beside = []
        for name, record in first.items():
            sequence = record.definition["sequence"]
            budget = sum(phase["steps"] for phase in sequence["phases"])
            paired = [
                _paired(row, pair, sequence, budget, asked)
                for pair in pairs_of(sequence)
                for row in rows[pair.published]
            ]
            if paired:
                paired.sort(key=lambda each: bool(each.differences))
                beside.append(Beside(name, budget, tuple(paired)))
        return tuple(beside)

    def blocks(self, suite: SuiteReport, data: Sequence[Beside]) -> Iterator[Block]:
        """A warning, then a table per environment; the sources stand under the last."""
        yield Heading(2, TITLE)
        if not data:
            yield Lines((NONE,), "note")
            return
        yield Lines((WARNING,), "warning")
        every = [paired for beside in data for paired in beside.rows]
        marks = marks_of(paired.row for paired in every)
        for beside in data:
            title = f"{beside.environment}, here {beside.budget_steps:,} steps"
            yield grid(title, HEADER, [_cells(each, marks) for each in beside.rows], numeric=NUMBERS)
        cautions = dict.fromkeys(f"{p.row.metric}: {p.caution}" for p in every if p.caution)
        yield Lines((*(f"{mark} {source}" for source, mark in marks.items()), *cautions), "note")

    def rows(self, suite: SuiteReport, data: Sequence[Beside]) -> Iterator[Mapping[str, Any]]:
        """In columns of their own, so that no mean over the column `value` takes them in."""
        for beside in data:
            for each in beside.rows:
                row = each.row
                yield {
                    "environment": beside.environment,
                    "published_as": row.environment,
                    "published_algorithm": row.algorithm,
                    "published_metric": row.metric,
                    "published_value": row.value,
                    "published_spread": row.spread,
                    "published_spread_kind": row.spread_kind,
                    "published_seeds": row.seeds,
                    "published_budget_steps": row.budget_steps,
                    "published_pair": _pair_text(each),
                    "published_source": row.source,
                    "published_year": row.year,
                    "published_note": row.note,
                }

    def put(self, plain: dict[str, Any], data: Any) -> None:
        """With the mark of each pair."""
        plain[self.name] = data
        for beside in data:
            for each in beside["rows"]:
                each["pair"] = DIFFERENT if each["differences"] else SAME


def _paired(row: Row, pair: Pair, sequence: Mapping[str, Any], budget: int, asked: Asked) -> Paired:
    measure = measures().get(row.metric)
    found = differences(pair, sequence)
    if measure is None:
        found.insert(0, "metric")
    elif measure.ours not in asked.metrics:
        found.insert(0, "metric not shown here")
    if row.budget_steps is None:
        found.append("budget not stated")
    elif row.budget_steps != budget:
        found.append("budget")
    return Paired(row, measure.ours if measure else None, tuple(found), measure.caution if measure else "")


def _pair_text(paired: Paired) -> str:
    return f"{DIFFERENT}: {'; '.join(paired.differences)}" if paired.differences else SAME


def _cells(paired: Paired, marks: Mapping[str, str]) -> list[str]:
    row = paired.row
    seeds = ABSENT if row.seeds is None else f"{row.seeds:,}"
    budget = ABSENT if row.budget_steps is None else f"{row.budget_steps:,}"
    said = (_pair_text(paired), row.algorithm, value_text(row), seeds, budget)
    return [*said, marks[source_text(row)], row.metric, row.environment]
