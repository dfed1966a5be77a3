"""`gtr-bench compare`: what changed between two sets of results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from gtr_bench.cli.given import one_format
from gtr_bench.cli.options import DEFAULT_RESULTS, FORMAT_OPTION, JsonOption, OutOption, metric_option

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("compare")(compare)


def compare(
    context: typer.Context,
    a: Annotated[str, typer.Argument(metavar="A", help="Before: a results folder, or a commit.")],
    b: Annotated[str, typer.Argument(metavar="B", help="After: a results folder, or a commit.")],
    results: Annotated[
        list[Path] | None,
        typer.Option(
            "--results", metavar="DIR", help="Where a commit's jobs are; may be repeated.", show_default="results"
        ),
    ] = None,
    metric: Annotated[
        list[str] | None, metric_option("Compare this metric; may be repeated.", "lifetime_return")
    ] = None,
    alpha: Annotated[float, typer.Option("--alpha", metavar="P", help="Level of the tests, after Holm.")] = 0.05,
    margin: Annotated[
        float, typer.Option("--margin", metavar="X", help="Only worse by more than this is a regression.")
    ] = 0.0,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 also where something could not be judged.")
    ] = False,
    format: Annotated[Literal["terminal", "markdown", "json"], FORMAT_OPTION] = "terminal",
    json: JsonOption = False,
    out: OutOption = None,
) -> None:
    """Which learning curves changed from A to B, by a test.

    A and B are results folders, or the first digits of commits. Exit code 1 on a regression, else 3 where too few seeds
    cannot decide, else 0; 2 when there is nothing to compare.
    """
    import sys

    from gtr_bench.cli.collector import no_garbage_collection
    from gtr_bench.cli.output import layout, write_text
    from gtr_bench.compare.build import compare as compare_results
    from gtr_bench.compare.model import exit_code
    from gtr_bench.compare.render import render_comparison, summary
    from gtr_bench.errors import RequestError

    form = one_format(context, format, json=json)
    if not 0 < alpha < 1:
        raise RequestError(f"`--alpha {alpha:g}` should lie between 0 and 1", hint="0.05 is the usual level")
    if not 0 <= margin < float("inf"):
        raise RequestError(f"`--margin {margin:g}` should be a number that is not negative")
    with no_garbage_collection():
        found = compare_results(
            a, b, results=results or [DEFAULT_RESULTS], metric_names=metric or [], alpha=alpha, margin=margin
        )
    width, colour = layout(out)
    write_text(render_comparison(found, form, width=width, colour=colour), out)
    print(summary(found), file=sys.stderr)
    if strict and found.unjudged:
        print(f"`--strict`: {', '.join(found.unjudged)}", file=sys.stderr)
    raise typer.Exit(exit_code(found, strict=strict))
