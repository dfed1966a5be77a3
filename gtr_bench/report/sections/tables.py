"""A table per metric: cells, aggregates over environments, performance profiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from gtr_bench.report.aggregates import Aggregate, Profile
from gtr_bench.report.blocks import Block, Entry, Grid, Heading, Lines, grid
from gtr_bench.report.collect import SuiteRecords
from gtr_bench.report.model import SuiteReport
from gtr_bench.report.scores import Scores
from gtr_bench.report.sections.base import Asked, Section
from gtr_bench.report.tables import MetricTable, TableCell, table_of
from gtr_bench.report.text import bracketed, difference_text, interval_text, label
from gtr_bench.suite.bars import OWN

__all__ = ["TablesSection"]

PROFILE_STEP = 10
BEST_MARK = "*"
TIED_MARK = "="

VALUE_COLUMN = 2
"""Where `_cell_row` has the value that is set in bold when the test says it is the best."""

_COUNTS = ("diverged", "undefined", "failed", "missing", "censored")
_SHOWN = ("id", "algorithm", "value", "low", "high", "n", "best", "tied", *_COUNTS)


class TablesSection(Section):
    """One table per metric asked for."""

    name: ClassVar[str] = "tables"
    columns: ClassVar[tuple[str, ...]] = (
        *("metric", "primary", "direction", "environment", "algorithm"),
        *("value", "low", "high", "n", "best", "tied", *_COUNTS),
        *("baseline", "difference", "difference_low", "difference_high", "difference_n"),
    )

    def compute(self, found: SuiteRecords, scores: Scores, asked: Asked) -> tuple[MetricTable, ...]:
        """In the order of the metrics."""
        return tuple(
            table_of(
                asked.runs,
                scores,
                metric,
                asked.algorithms,
                asked.baseline,
                found,
                primary=name == asked.primary,
                interval=asked.interval,
            )
            for name, metric in asked.metrics.items()
        )

    def blocks(self, suite: SuiteReport, data: Sequence[MetricTable]) -> Iterator[Block]:
        """A heading per metric."""
        for table in data:
            yield from _table(suite, table)

    def rows(self, suite: SuiteReport, data: Sequence[MetricTable]) -> Iterator[Mapping[str, Any]]:
        """One per cell."""
        for table in data:
            for cell in table.cells:
                yield dict(_fields(table, cell))

    def put(self, plain: dict[str, Any], data: Any) -> None:
        """Before the counts of jobs, where format 2 has it."""
        names = list(plain)
        after = {name: plain.pop(name) for name in names[names.index("jobs") :]}
        plain[self.name] = data
        plain.update(after)


def _fields(table: MetricTable, cell: TableCell) -> Iterator[tuple[str, Any]]:
    yield from (("metric", table.metric), ("primary", table.primary), ("direction", table.direction))
    yield "environment", cell.sequence
    for name in _SHOWN:
        yield name, getattr(cell, name)
    if cell.difference is not None:
        yield from (("baseline", cell.difference.baseline), ("difference", cell.difference.value))
        for name in ("low", "high", "n"):
            yield f"difference_{name}", getattr(cell.difference, name)


def _table(suite: SuiteReport, table: MetricTable) -> Iterator[Block]:
    yield Heading(2, _title(table))
    rows = []
    for cell in table.cells:
        row = [Entry(each) for each in _cell_row(suite, table, cell)]
        row[VALUE_COLUMN] = Entry(row[VALUE_COLUMN].text, cell.best)
        rows.append(tuple(row))
    yield Grid("", tuple(_header(suite, table)), tuple(rows))
    if table.aggregates:
        over = [_aggregate_row(suite, table, each) for each in table.aggregates]
        yield grid(f"{table.metric} over all environments", _aggregate_header(suite, table), over)
    if table.profiles:
        shares = [_profile_row(suite, each) for each in table.profiles]
        yield grid(f"{table.metric}: performance profile", _profile_header(table), shares, detail=True)
    yield Lines(tuple(_lines(table)), "note")


def _title(table: MetricTable) -> str:
    """The metric, whether it is the suite's primary one, and which way is better."""
    better = "" if table.direction == "neutral" else f", {table.direction} is better"
    return f"{table.metric} ({'primary metric' if table.primary else 'metric'}{better})"


def _counts(table: MetricTable) -> list[str]:
    """Counts worth a column: those that are not zero everywhere; the line over the tables has them all."""
    return [name for name in _COUNTS if any(getattr(cell, name) for cell in table.cells)]


def _header(suite: SuiteReport, table: MetricTable) -> list[str]:
    """Column names of a metric's table."""
    mean = "mean [95% interval]" + (", each by its own references" if table.reference == OWN else "")
    names = ["environment", "algorithm", mean, "n", *_counts(table)]
    return [*names, f"minus {suite.baseline}, paired"] if suite.baseline else names


def _cell_row(suite: SuiteReport, table: MetricTable, cell: TableCell) -> list[str]:
    """The texts of one row, in the order of `_header`."""
    mark = f" {BEST_MARK}" if cell.best else f" {TIED_MARK}" if cell.tied else ""
    value = bracketed(cell.value, cell.low, cell.high) + mark
    row = [cell.sequence, label(suite, cell.algorithm), value, str(cell.n)]
    row += [str(getattr(cell, name)) for name in _counts(table)]
    if suite.baseline:
        row.append(difference_text(cell.difference))
    return row


def _aggregate_header(suite: SuiteReport, table: MetricTable) -> list[str]:
    """Column names over all environments."""
    names = ["algorithm", "mean [95% interval]", "median", "IQM"]
    names += ["optimality gap"] if _has(table, "optimality_gap") else []
    names += [f"P(better than {suite.baseline})"] if _has(table, "improvement") else []
    return [*names, "environments", "n"]


def _aggregate_row(suite: SuiteReport, table: MetricTable, row: Aggregate) -> list[str]:
    """The texts of one aggregate, in the order of `_aggregate_header`."""
    shown = [row.mean, row.median, row.iqm]
    shown += [row.optimality_gap] if _has(table, "optimality_gap") else []
    shown += [row.improvement] if _has(table, "improvement") else []
    return [label(suite, row.algorithm), *(interval_text(each) for each in shown), str(row.environments), str(row.n)]


def _has(table: MetricTable, name: str) -> bool:
    return any(getattr(row, name) is not None for row in table.aggregates)


def _profile_header(table: MetricTable) -> list[str]:
    """Column names of the thresholds shown: every tenth of those computed."""
    shown = table.profiles[0].thresholds[::PROFILE_STEP]
    return ["algorithm", *(f"> {threshold:g}" for threshold in shown)]


def _profile_row(suite: SuiteReport, profile: Profile) -> list[str]:
    """Shares of runs above the thresholds of `_profile_header`, with their bands."""
    shown = zip(profile.shares, profile.low, profile.high, strict=True)
    return [label(suite, profile.algorithm), *(bracketed(*each) for each in list(shown)[::PROFILE_STEP])]


def _lines(table: MetricTable) -> list[str]:
    """What stands under a metric's table."""
    lines = [f"{table.metric}: {table.definition}"]
    if any(cell.best or cell.tied for cell in table.cells):
        lines.append(
            f"{BEST_MARK} (bold): better than every other algorithm of its environment by the test; "
            f"{TIED_MARK}: not separated from the best mean by it, with seeds enough to do so"
        )
    return [*lines, *table.notes]
