"""Where a command's text goes: to stdout, whose width and colours it may use, or to a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gtr_bench.cli.terminal import PIPE_COLUMNS, columns, wants_colour
from gtr_bench.screen import cleaned

if TYPE_CHECKING:
    from gtr_bench.report.model import Report
    from gtr_bench.report.next import CommandLine

__all__ = ["layout", "report_text", "write_text"]


def layout(out: Path | None) -> tuple[int, bool]:
    """How wide a text for people may be, and whether it has colours; a file gets what a pipe gets, never colours."""
    return (columns(sys.stdout), wants_colour(sys.stdout)) if out is None else (PIPE_COLUMNS, False)


def report_text(report: Report, kind: str, out: Path | None, *, brief: CommandLine | None = None) -> str:
    """A report in one of `report.formats`, laid out for where it goes; for a terminal the short one where asked."""
    from gtr_bench.report.formats import render
    from gtr_bench.report.terminal import render_brief, render_terminal

    if kind != "terminal":
        return render(report, kind)
    width, colour = layout(out)
    if brief is not None:
        return render_brief(report, brief, width=width, colour=colour)
    return render_terminal(report, width=width, colour=colour)


def write_text(text: str, out: Path | None) -> None:
    """Write to a file in one step, or to stdout."""
    from gtr_bench.store.writer import write_output

    if out is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        content = cleaned(text).encode()
        write_output(out, lambda file: file.write(content))
