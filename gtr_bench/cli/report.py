"""`gtr-bench report`: numbers from results folders, finished or not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("report", help="Tables of means with intervals, per environment and algorithm.")(report)


def report(
    results: Annotated[
        list[Path] | None, typer.Argument(help="Results folders.", show_default="results", metavar="RESULTS...")
    ] = None,
    format: Annotated[
        Literal["terminal", "markdown", "json"], typer.Option("--format", "-f", help="How to write the numbers.")
    ] = "terminal",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    suite: Annotated[
        str | None,
        typer.Option("--suite", metavar="NAME|PATH", help="Only this suite; a file's text counts as it is now."),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="NAME", help="Show this metric; may be repeated.", show_default="the suite's"),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option("--baseline", metavar="ALGORITHM", help="Differences are taken to it.", show_default="ppo"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write there instead of to stdout.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Also draw learning curves: .png, .svg or .pdf.")
    ] = None,
) -> None:
    """Build the report once and render it."""
    import shutil
    import sys

    from gtr_bench.report.build import build_report
    from gtr_bench.store.writer import write_output

    folders = results or [Path("results")]
    built = build_report(folders, suite=suite, metric_names=metric or [], baseline=baseline)
    if as_json or format == "json":
        from gtr_bench.report.json import render_json

        text = render_json(built)
    elif format == "markdown":
        from gtr_bench.report.markdown import render_markdown

        text = render_markdown(built)
    else:
        from gtr_bench.report.terminal import render_terminal

        # A file or a pipe has no width: a fixed one keeps the text the same wherever it is made.
        interactive = out is None and sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if interactive else 160
        text = render_terminal(built, width=width, colour=interactive)
    if plot is not None:
        from gtr_bench.report.plots import learning_curves

        # The report has already named the files it left out.
        learning_curves(folders, plot, suite=suite, warn=lambda sentence: None)
    if out is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        content = text.encode()
        write_output(out, lambda file: file.write(content))
