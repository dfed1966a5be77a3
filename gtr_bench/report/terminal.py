"""A report for a terminal, by rich."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Literal

from gtr_bench.report.blocks import Block, Grid, Heading, Lines
from gtr_bench.report.fit import GAP, column_widths
from gtr_bench.report.layout import blocks, brief_blocks, each_note_once
from gtr_bench.report.model import Report
from gtr_bench.report.next import CommandLine
from gtr_bench.screen import Painted, clean_console

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["render_brief", "render_terminal", "terminal_text"]

_STYLES = {"plain": "", "headline": "bold", "warning": "yellow", "note": "dim", "footer": "dim", "command": ""}


def render_terminal(report: Report, *, width: int = 160, colour: bool = False) -> str:
    """The whole report for a terminal `width` columns wide; with escape codes when `colour`.

    Tables too long for a terminal are left to the other formats.
    """
    return terminal_text(each_note_once(blocks(report)), width=width, colour=colour)


def render_brief(report: Report, asked: CommandLine, *, width: int = 160, colour: bool = False) -> str:
    """What somebody wants to know first, as `render_terminal` shows it; `asked` is the command line it answers."""
    return terminal_text(each_note_once(brief_blocks(report, asked)), width=width, colour=colour)


def terminal_text(content: Iterable[Block], *, width: int, colour: bool) -> str:
    """Any blocks as text for a terminal."""
    from rich.text import Text

    stream = StringIO()
    console = clean_console(
        stream,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    for block in content:
        if isinstance(block, Heading):
            console.print(Text(block.text, style="bold underline" if block.level == 1 else "bold"))
        elif isinstance(block, Lines):
            for line in block.texts:
                console.print(Text(line, style=_STYLES[block.kind]), soft_wrap=block.kind == "command")
            console.print()
        elif isinstance(block, Grid) and not block.detail:
            _print_grid(console, block)
            console.print()
    text = "\n".join(line.rstrip() for line in stream.getvalue().splitlines()).rstrip("\n") + "\n"
    return Painted(text) if colour else text


def _print_grid(console: Console, grid: Grid) -> None:
    """As a table where there is room, if need be without columns that may be left out; else row by row."""
    from rich.text import Text

    for count in range(len(grid.optional) + 1):
        left_out = grid.optional[:count]
        shown = grid.without(left_out)
        widths = column_widths(shown, console.width)
        if widths is not None:
            console.print(_table(shown, widths))
            if left_out:
                console.print(Text(f"too narrow for: {', '.join(left_out)}", style="dim"))
            return
    _print_records(console, grid)


def _print_records(console: Console, grid: Grid) -> None:
    """Row by row, a line per column: what a terminal shows that is too narrow for the table."""
    from rich.text import Text

    if grid.title:
        console.print(Text(grid.title, style="bold"))
    width = max(len(name) for name in grid.names)
    for number, row in enumerate(grid.rows):
        if number:
            console.print()
        for name, entry in zip(grid.names, row, strict=True):
            label = Text(f"{name:<{width}}  ", style="dim")
            console.print(label + Text(entry.text, style="bold" if entry.bold else ""))


def _table(grid: Grid, widths: Sequence[int]) -> object:
    from rich.table import Table
    from rich.text import Text

    # Without a box the columns alone separate, which survives pipes, logs and narrow windows.
    table = Table(
        title=Text(grid.title, style="bold") if grid.title else None,
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, GAP, 0, 0),
    )
    for name, width in zip(grid.names, widths, strict=True):
        justify: Literal["right", "left"] = "right" if name in grid.numeric else "left"
        table.add_column(Text(name), justify=justify, header_style="dim", width=width, overflow="fold")
    for row in grid.rows:
        table.add_row(*(Text(entry.text, style="bold" if entry.bold else "") for entry in row))
    return table
