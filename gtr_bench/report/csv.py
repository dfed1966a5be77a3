"""A report's cells as one tidy CSV table, numbers unrounded: a row per metric, environment and algorithm."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

from gtr_bench.report.model import MetricTable, Report, SuiteReport, TableCell

__all__ = ["COLUMNS", "render_csv"]

COLUMNS = (
    *("id", "suite", "scale", "smoke", "metric", "primary", "direction", "environment", "algorithm"),
    *("value", "low", "high", "n", "best", "tied", "diverged", "undefined", "failed", "missing", "censored"),
    *("baseline", "difference", "difference_low", "difference_high", "difference_n"),
)


def render_csv(report: Report) -> str:
    """One line of column names, then one line per cell; absent numbers are empty, yes and no are `true` and `false`."""
    stream = StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for suite in report.suites:
        for table in suite.tables:
            for cell in table.cells:
                writer.writerow({name: _text(value) for name, value in _row(suite, table, cell)})
    return stream.getvalue()


def _row(suite: SuiteReport, table: MetricTable, cell: TableCell) -> Iterator[tuple[str, Any]]:
    yield from (("suite", suite.suite), ("scale", suite.scale), ("smoke", suite.smoke), ("metric", table.metric))
    yield from (("primary", table.primary), ("direction", table.direction), ("environment", cell.sequence))
    own = ("id", "algorithm", "value", "low", "high", "n", "best", "tied")
    for name in (*own, "diverged", "undefined", "failed", "missing", "censored"):
        yield name, getattr(cell, name)
    if cell.difference is not None:
        yield from (("baseline", cell.difference.baseline), ("difference", cell.difference.value))
        for name in ("low", "high", "n"):
            yield f"difference_{name}", getattr(cell.difference, name)


def _text(value: Any) -> str:
    """`repr` of a float is the shortest text that reads back as the same number."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
