"""A report for a terminal, by rich."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO

from gtr_bench.report.layout import Block, Grid, Heading, Lines, blocks
from gtr_bench.report.model import Report
from gtr_bench.report.text import NUMERIC

__all__ = ["render_terminal", "terminal_text"]

NAMES = frozenset({"claim", "environment", "algorithm"})
"""Columns that hold names."""

_STYLES = {"plain": "", "warning": "yellow", "note": "dim", "footer": "dim"}


def render_terminal(report: Report, *, width: int = 160, colour: bool = False) -> str:
    """The report for a terminal `width` columns wide; with escape codes when `colour` (but NO_COLOR).

    Tables too long for a terminal are left to the other formats.
    """
    return terminal_text(blocks(report), width=width, colour=colour)


def terminal_text(content: Iterable[Block], *, width: int, colour: bool) -> str:
    """Any blocks as text for a terminal."""
    from rich.console import Console
    from rich.text import Text

    stream = StringIO()
    console = Console(file=stream, width=width, force_terminal=colour, highlight=False, markup=False, emoji=False)
    for block in content:
        if isinstance(block, Heading):
            console.print(Text(block.text, style="bold underline" if block.level == 1 else "bold"))
        elif isinstance(block, Lines):
            for line in block.texts:
                console.print(Text(line, style=_STYLES[block.kind]))
            console.print()
        elif not block.detail:
            console.print(_table(block, width), crop=False)  # a window that is too narrow must not hide a column
            console.print()
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()).rstrip("\n") + "\n"


def _table(grid: Grid, width: int) -> object:
    from rich.table import Table
    from rich.text import Text

    # Without a box the columns alone separate, which survives pipes, logs and narrow windows.
    table = Table(
        title=Text(grid.title, style="bold") if grid.title else None,
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    # Where the window is narrow, long texts break between words, and neither numbers nor names do.
    for place, name in enumerate(grid.names):
        texts = [row[place].text for row in grid.rows]
        parts = texts if name in NUMERIC or name in NAMES else [word for each in texts for word in each.split()]
        table.add_column(
            Text(name),
            justify="right" if name in NUMERIC else "left",
            header_style="dim",
            overflow="fold",
            min_width=min(max(map(len, parts), default=1), width // 3),
        )
    for row in grid.rows:
        table.add_row(*(Text(entry.text, style="bold" if entry.bold else "") for entry in row))
    return table
