"""The rows of a report's sections as one tidy CSV table, numbers unrounded."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

from gtr_bench.report.model import Report
from gtr_bench.report.sections.registry import section

__all__ = ["COLUMNS", "render_csv"]

COLUMNS = ("id", "suite", "scale", "smoke")
"""The first ones; those of each section follow."""


def render_csv(report: Report) -> str:
    """One line of column names, then a line per row; absent numbers are empty, yes and no are `true` and `false`."""
    names = dict.fromkeys(name for suite in report.suites for name in suite.sections)
    columns = dict.fromkeys([*COLUMNS, *(column for name in names for column in section(name).columns)])
    stream = StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    for suite in report.suites:
        labels = {"suite": suite.suite, "scale": suite.scale, "smoke": suite.smoke}
        for name, data in suite.sections.items():
            if data is not None:
                for row in section(name).rows(suite, data):
                    writer.writerow({column: _text(value) for column, value in {**labels, **row}.items()})
    return stream.getvalue()


def _text(value: Any) -> str:
    """`repr` of a float is the shortest text that reads back as the same number."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
