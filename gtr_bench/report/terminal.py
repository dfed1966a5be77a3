"""A report for a terminal, by rich."""

from __future__ import annotations

from io import StringIO

from gtr_bench.report import text
from gtr_bench.report.model import MetricTable, Report, SuiteReport

__all__ = ["render_terminal"]


def render_terminal(report: Report, *, width: int = 160, colour: bool = False) -> str:
    """The report for a terminal `width` columns wide; with escape codes when `colour` (but NO_COLOR)."""
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

    def grid(title: str, names: list[str], rows: list[list[str]]) -> Table:
        # Without a box the columns alone separate, which survives pipes, logs and narrow windows.
        table = Table(
            title=Text(title, style="bold"), title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0)
        )
        for name in names:
            count = name == "n" or name in {"diverged", "undefined", "failed", "missing", "censored", "environments"}
            table.add_column(Text(name), justify="right" if count else "left", header_style="dim")
        for row in rows:
            table.add_row(*(Text(each) for each in row))
        return table

    def tables(suite: SuiteReport, table: MetricTable) -> list[RenderableType]:
        rows = [text.cell_row(suite, table, cell) for cell in table.cells]
        parts: list[RenderableType] = [grid(text.table_title(table), text.header(suite, table), rows)]
        if table.aggregates:
            over = [text.aggregate_row(suite, each) for each in table.aggregates]
            parts += ["", grid(f"{table.metric} over all environments", list(text.AGGREGATE_HEADER), over)]
        return [*parts, *(Text(line, style="dim") for line in text.table_lines(table)), ""]

    stream = StringIO()
    console = Console(file=stream, width=width, force_terminal=colour, highlight=False, markup=False, emoji=False)
    for suite in report.suites:
        console.print(Text(f"{suite.suite}, scale {suite.scale}", style="bold underline"))
        for line in text.suite_lines(suite):
            console.print(Text(line, style="yellow" if line == text.SMOKE else ""))
        console.print()
        for table in suite.tables:
            for part in tables(suite, table):
                console.print(part)
    for line in text.provenance_lines(report):
        console.print(Text(line, style="dim"))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"
