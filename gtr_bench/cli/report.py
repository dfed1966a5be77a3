"""`gtr-bench report`: numbers from results folders, finished or not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from gtr_bench.cli import completion

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("report", help="Decide the claims of a suite and show the numbers behind them.")(report)


def report(
    results: Annotated[
        list[Path] | None, typer.Argument(help="Results folders.", show_default="results", metavar="RESULTS...")
    ] = None,
    format: Annotated[
        Literal["terminal", "markdown", "html", "latex", "csv", "json"],
        typer.Option("--format", "-f", help="How to write the numbers."),
    ] = "terminal",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    suite: Annotated[
        str | None,
        typer.Option(
            "--suite",
            metavar="NAME|PATH",
            help="Only this suite; a file's text counts as it is now.",
            autocompletion=completion.known_suites,
        ),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            metavar="NAME",
            help="Show this metric; may be repeated.",
            show_default="the suite's",
            autocompletion=completion.metrics,
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline",
            metavar="ALGORITHM",
            help="Differences are taken to it.",
            show_default="ppo",
            autocompletion=completion.baselines,
        ),
    ] = None,
    environments: Annotated[
        list[str] | None,
        typer.Option(
            "--environments",
            metavar="NAME,...",
            help="Show only these; claims are decided on all of theirs.",
            autocompletion=completion.environments,
        ),
    ] = None,
    interval: Annotated[
        Literal["percentile", "bca"],
        typer.Option("--interval", help="Bootstrap interval of the tables' means and differences."),
    ] = "percentile",
    explain: Annotated[
        str | None,
        typer.Option(
            "--explain",
            metavar="CELL",
            help="What lies behind a cell: its id, or the end of it.",
            autocompletion=completion.cells,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write there instead of to stdout.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Also draw learning curves: .png, .svg or .pdf.")
    ] = None,
) -> None:
    """Build the report once and render it."""
    import sys

    folders = results or [Path("results")]
    kind = "json" if as_json else format
    if explain is not None:
        text = _explained(folders, explain, suite, kind)
    else:
        shown = [name for given in environments or [] for name in given.split(",") if name]
        text = _reported(folders, suite, metric or [], baseline, shown, kind, interval, interactive=out is None)
    if plot is not None:
        from gtr_bench.report.plots import learning_curves

        # The report has already named the files it left out.
        learning_curves(folders, plot, suite=suite, warn=lambda sentence: None)
    if out is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        from gtr_bench.store.writer import write_output

        content = text.encode()
        write_output(out, lambda file: file.write(content))


def _explained(folders: list[Path], cell: str, suite: str | None, kind: str) -> str:
    from gtr_bench.errors import RequestError
    from gtr_bench.report.explain import explain, render_explanation, render_explanation_json

    if kind not in ("terminal", "json"):
        raise RequestError(f"a cell is not explained as {kind}", hint="leave `--format` away, or use `--json`")
    found = explain(folders, cell, suite=suite)
    return render_explanation_json(found) if kind == "json" else render_explanation(found)


def _reported(
    folders: list[Path],
    suite: str | None,
    metric: list[str],
    baseline: str | None,
    environments: list[str],
    kind: str,
    interval: Literal["percentile", "bca"],
    *,
    interactive: bool,
) -> str:
    """The report as text; `interactive` when it may go to a terminal, whose width and colours then count."""
    import sys

    from gtr_bench.cli.collector import no_garbage_collection
    from gtr_bench.cli.terminal import columns, wants_colour
    from gtr_bench.report.build import build_report
    from gtr_bench.report.formats import render

    with no_garbage_collection():
        built = build_report(
            folders,
            suite=suite,
            metric_names=metric,
            baseline=baseline,
            environments=environments,
            curves=kind == "html",
            interval=interval,
        )
    if kind == "terminal" and interactive:
        from gtr_bench.report.terminal import render_terminal

        return render_terminal(built, width=columns(sys.stdout), colour=wants_colour(sys.stdout))
    return render(built, kind)
