"""`gtr-bench report`: numbers from results folders, finished or not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gtr_bench.cli import completion
from gtr_bench.cli.given import one_format, refuse_given
from gtr_bench.cli.options import (
    FORMAT_OPTION,
    OutOption,
    ResultsArgument,
    ResultsOptions,
    folders_given,
    metric_option,
)

if TYPE_CHECKING:
    from gtr_bench.report.model import Report

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("report", help="Decide the claims of a suite and show the numbers behind them.")(report)


def report(
    context: typer.Context,
    results: ResultsArgument = None,
    more_results: ResultsOptions = None,
    format: Annotated[Literal["terminal", "markdown", "html", "latex", "csv", "json"], FORMAT_OPTION] = "terminal",
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
    metric: Annotated[list[str] | None, metric_option("Show this metric; may be repeated.", "the suite's")] = None,
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
    full: Annotated[
        bool, typer.Option("--full", help="On a terminal: all metrics, tests and diagnostics; other formats have them.")
    ] = False,
    interval: Annotated[
        Literal["t", "percentile", "bca"],
        typer.Option(
            "--interval", help="Interval of the tables' means and differences; t inverts tests of differences."
        ),
    ] = "t",
    published: Annotated[
        bool, typer.Option("--published", help="Also numbers published elsewhere on these worlds; nothing uses them.")
    ] = False,
    explain: Annotated[
        str | None,
        typer.Option(
            "--explain",
            metavar="CELL|CLAIM",
            help="What lies behind a cell or a claim: its id, or the end of it.",
            autocompletion=completion.cells,
        ),
    ] = None,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="With --format html: a picture of each world.")
    ] = True,
    out: OutOption = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Also draw a figure: .png, .svg, .pdf or .html.")
    ] = None,
    figure: Annotated[
        Literal["curves", "claims", "profiles"], typer.Option("--figure", help="What --plot draws.")
    ] = "curves",
) -> None:
    """Build the report once and render it."""
    from gtr_bench.cli.output import report_text, write_text
    from gtr_bench.report.figures.save import check_suffix, save_chart
    from gtr_bench.report.figures.suites import suites_chart
    from gtr_bench.report.next import CommandLine

    folders = folders_given(results, more_results)
    kind = one_format(context, format, json=as_json)
    if plot is not None:
        check_suffix(plot)
    else:
        refuse_given(context, {"figure": "--figure"}, "goes with `--plot`", "add `--plot FILE`")
    if explain is not None:
        refuse_given(context, {"plot": "--plot"}, "does not go with `--explain`", "draw the figure in a second command")
        text = _explained(folders, explain, suite, kind)
    else:
        shown = [name for given in environments or [] for name in given.split(",") if name]
        also = ["published"] if published else []
        curves = kind == "html" or (plot is not None and figure == "curves")
        # The short report has no profiles.
        brief = kind == "terminal" and not full and not (plot is not None and figure == "profiles")
        built = _built(folders, suite, metric or [], baseline, shown, interval, also, curves=curves, brief=brief)
        if kind == "html" and pictures:
            from gtr_bench.report.pictures import with_pictures

            built = with_pictures(built)
        named = tuple(folders if results or more_results else ())
        text = report_text(built, kind, out, brief=None if full else CommandLine(named, suite))
        if plot is not None:
            save_chart(suites_chart(built.suites, figure), plot)
    write_text(text, out)


def _explained(folders: list[Path], cell: str, suite: str | None, kind: str) -> str:
    from gtr_bench.errors import RequestError
    from gtr_bench.report.explain import explain, render_explanation, render_explanation_json

    if kind not in ("terminal", "json"):
        raise RequestError(f"a cell is not explained as {kind}", hint="leave `--format` away, or use `--json`")
    found = explain(folders, cell, suite=suite)
    return render_explanation_json(found) if kind == "json" else render_explanation(found)


def _built(
    folders: list[Path],
    suite: str | None,
    metric: list[str],
    baseline: str | None,
    environments: list[str],
    interval: Literal["t", "percentile", "bca"],
    also: list[str],
    *,
    curves: bool,
    brief: bool,
) -> Report:
    from gtr_bench.cli.collector import no_garbage_collection
    from gtr_bench.report.build import build_report

    with no_garbage_collection():
        return build_report(
            folders,
            suite=suite,
            metric_names=metric,
            baseline=baseline,
            environments=environments,
            curves=curves,
            interval=interval,
            also=also,
            brief=brief,
        )
