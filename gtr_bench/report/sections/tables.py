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
from gtr_bench.report.text import ABSENT, FEW_DIGITS, bracketed, difference_text, interval_text, label, number
from gtr_bench.suite.bars import OWN

__all__ = ["TablesSection"]

MOST_ROWS = 12
"""cells that the short report shows one by one"""
PROFILE_STEP = 10
BEST = "better than every other algorithm of its environment by the test"
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
                brief=asked.brief,
            )
            for name, metric in asked.metrics.items()
        )

    def blocks(self, suite: SuiteReport, data: Sequence[MetricTable]) -> Iterator[Block]:
        """A heading per metric."""
        for table in data:
            yield from _table(suite, table)

    def brief(self, suite: SuiteReport, data: Sequence[MetricTable]) -> Iterator[Block]:
        """The metrics asked for, else the primary one."""
        for table in data:
            if suite.brief is None or table.metric in suite.brief.metrics:
                yield from _brief_table(suite, table)

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
    value = bracketed(cell.value, cell.low, cell.high) + _mark(cell)
    row = [cell.sequence, label(suite, cell.algorithm), value, str(cell.n)]
    row += [str(getattr(cell, name)) for name in _counts(table)]
    if suite.baseline:
        row.append(difference_text(cell.difference))
    return row


def _mark(cell: TableCell) -> str:
    """What the test says of a cell, behind its value."""
    return f" {BEST_MARK}" if cell.best else f" {TIED_MARK}" if cell.tied else ""


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
            f"{BEST_MARK} (bold): {BEST}; {TIED_MARK}: not separated from the best mean by it, with seeds enough to do "
            "so"
        )
    return [*lines, *table.notes]


def _brief_table(suite: SuiteReport, table: MetricTable) -> Iterator[Block]:
    """The cells row by row; of many, what all environments come to together and the means alone."""
    yield Heading(2, _title(table))
    if len(table.cells) <= MOST_ROWS:
        rows = [_marked_bold(_brief_row(suite, table, cell), cell) for cell in table.cells]
        names = tuple(_header(suite, table))
        yield Grid("", names, tuple(rows), optional=(*names[:VALUE_COLUMN:-1],))
    else:
        if table.aggregates:
            over = [[*_brief_aggregate(suite, each), str(each.environments), str(each.n)] for each in table.aggregates]
            yield grid("", ("algorithm", "mean over environments [95% interval]", "environments", "n"), over)
        yield _means(suite, table)
    yield Lines((f"{table.metric}: {table.definition}", *_mark_lines(table)), "note")


def _brief_row(suite: SuiteReport, table: MetricTable, cell: TableCell) -> list[str]:
    """The texts of one row, in the order of `_header`; pairs are counted where they are not as many as the seeds."""
    value = bracketed(cell.value, cell.low, cell.high, FEW_DIGITS) + _mark(cell)
    row = [cell.sequence, label(suite, cell.algorithm), value, str(cell.n)]
    row += [str(getattr(cell, name)) for name in _counts(table)]
    if suite.baseline and (found := cell.difference):
        pairs = "" if found.n == cell.n else f", n = {found.n}"
        row.append(bracketed(found.value, found.low, found.high, FEW_DIGITS) + pairs)
    elif suite.baseline:
        row.append(ABSENT)
    return row


def _marked_bold(texts: Sequence[str], cell: TableCell) -> tuple[Entry, ...]:
    return tuple(Entry(each, bold=cell.best and place == VALUE_COLUMN) for place, each in enumerate(texts))


def _brief_aggregate(suite: SuiteReport, row: Aggregate) -> list[str]:
    return [label(suite, row.algorithm), interval_text(row.mean, FEW_DIGITS)]


def _means(suite: SuiteReport, table: MetricTable) -> Grid:
    """Environments by algorithms, or the other way round where there are more algorithms."""
    cells = {(cell.sequence, cell.algorithm): cell for cell in table.cells}
    environments = dict.fromkeys(cell.sequence for cell in table.cells)
    algorithms = {cell.algorithm: label(suite, cell.algorithm) for cell in table.cells}

    def entry(environment: str, algorithm: str) -> Entry:
        cell = cells.get((environment, algorithm))
        if cell is None or cell.value is None:
            return Entry(ABSENT)
        return Entry(number(cell.value, FEW_DIGITS) + _mark(cell), bold=cell.best)

    if len(algorithms) > len(environments):
        rows = [(Entry(shown), *(entry(each, name) for each in environments)) for name, shown in algorithms.items()]
        return Grid("", ("algorithm, mean", *environments), tuple(rows))
    rows = [(Entry(name), *(entry(name, each) for each in algorithms)) for name in environments]
    return Grid("", ("environment, mean", *algorithms.values()), tuple(rows))


def _mark_lines(table: MetricTable) -> Iterator[str]:
    """What the marks mean that the table has."""
    if any(cell.best for cell in table.cells):
        yield f"{BEST_MARK} {BEST}"
    if any(cell.tied for cell in table.cells):
        yield f"{TIED_MARK} not separated from the best mean of its environment by the test, with seeds enough to do so"
