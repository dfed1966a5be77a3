"""A report as GitHub-flavoured markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gtr_bench.report.blocks import Block, Entry, Grid, Heading, Lines
from gtr_bench.report.layout import blocks
from gtr_bench.report.model import Report

__all__ = ["markdown_text", "render_markdown"]


def render_markdown(report: Report) -> str:
    """The report as markdown; every name that came from a file is escaped."""
    return markdown_text(blocks(report))


def markdown_text(content: Iterable[Block]) -> str:
    """Any blocks as markdown."""
    lines: list[str] = []
    for block in content:
        if isinstance(block, Heading):
            lines += [f"{'#' * (block.level + 1)} {_escape(block.text)}", ""]
        elif isinstance(block, Lines):
            lines += ["---", ""] if block.kind == "footer" else []
            for line in block.texts:
                lines += [f"**{_escape(line)}**" if block.kind in ("headline", "warning") else _escape(line), ""]
        elif isinstance(block, Grid):
            lines += _grid(block)
    return "\n".join(lines).rstrip("\n") + "\n"


def _grid(grid: Grid) -> Iterator[str]:
    """A table, its title above it, and the empty line that ends it."""
    if grid.title:
        yield from (f"#### {_escape(grid.title)}", "")
    rule = ["---"] * len(grid.names)
    for row in ([_escape(name) for name in grid.names], rule, *([_entry(each) for each in row] for row in grid.rows)):
        yield "| " + " | ".join(row) + " |"
    yield ""


def _entry(entry: Entry) -> str:
    return f"**{_escape(entry.text)}**" if entry.bold else _escape(entry.text)


def _escape(value: str) -> str:
    """Text in which nothing but code in backticks is read as markdown, HTML or the end of a table cell.

    Underscores inside words and brackets that start no link are left alone: they mean nothing there, and the source of
    a table should be readable too.
    """
    escaped = re.sub(r"[\\*<>|#~]|\](?=[(\[:])|(?<!\w)_|_(?!\w)", r"\\\g<0>", value)
    return " ".join(escaped.split())
