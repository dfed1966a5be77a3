"""A report as GitHub-flavoured markdown."""

from __future__ import annotations

import re

from gtr_bench.report import text
from gtr_bench.report.model import Report, SuiteReport

__all__ = ["render_markdown"]


def render_markdown(report: Report) -> str:
    """The report as markdown; every name that came from a file is escaped."""
    lines = []
    for suite in report.suites:
        lines += [f"## {_escape(suite.suite)}, scale {_escape(suite.scale)}", ""]
        lines += _paragraphs(
            [f"**{line}**" if line == text.SMOKE else _escape(line) for line in text.suite_lines(suite)]
        )
        for table in suite.tables:
            lines += [f"### {_escape(text.table_title(table))}", ""]
            lines += _grid(text.header(suite, table), [text.cell_row(suite, table, cell) for cell in table.cells])
            lines += _aggregates(suite, table.metric, [text.aggregate_row(suite, each) for each in table.aggregates])
            lines += _paragraphs([_escape(line) for line in text.table_lines(table)])
    lines += ["---", "", *_paragraphs([_escape(line) for line in text.provenance_lines(report)])]
    return "\n".join(lines).rstrip("\n") + "\n"


def _aggregates(suite: SuiteReport, metric: str, rows: list[list[str]]) -> list[str]:
    if not rows:
        return []
    return [f"#### {_escape(metric)} over all environments", "", *_grid(list(text.AGGREGATE_HEADER), rows)]


def _grid(names: list[str], rows: list[list[str]]) -> list[str]:
    """A table and the empty line that ends it."""
    lines = [names, ["---"] * len(names)]
    lines += [[_escape(each) for each in row] for row in rows]
    return ["| " + " | ".join(line) + " |" for line in lines] + [""]


def _paragraphs(lines: list[str]) -> list[str]:
    return [each for line in lines for each in (line, "")]


def _escape(value: str) -> str:
    """Text in which nothing but code in backticks is read as markdown, HTML or the end of a table cell.

    Underscores inside words and brackets that start no link are left alone: they mean nothing there, and the source of
    a table should be readable too.
    """
    escaped = re.sub(r"[\\*<>|#~]|\](?=[(\[:])|(?<!\w)_|_(?!\w)", r"\\\g<0>", value)
    return " ".join(escaped.split())
