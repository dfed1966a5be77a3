"""`gtr-bench export`: tidy tables for other tools."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from gtr_bench.cli.given import refuse_given
from gtr_bench.cli.options import ResultsArgument, ResultsOptions, folders_given

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("export", help="One tidy table: every row with its job's labels and parameters. Or event files.")(
        export
    )


def export(
    context: typer.Context,
    results: ResultsArgument = None,
    more_results: ResultsOptions = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE|DIR",
            help="A .csv or .parquet file; of tensorboard a folder.",
            show_default="CSV to stdout",
        ),
    ] = None,
    format: Annotated[
        Literal["table", "tensorboard"],
        typer.Option("--format", "-f", help="A table, or a run folder per job for TensorBoard."),
    ] = "table",
    what: Annotated[
        Literal["evaluations", "iterations", "jobs"], typer.Option("--what", help="Which rows.")
    ] = "evaluations",
    json: Annotated[bool, typer.Option("--json", help="With --out: what was written, as JSON on stdout.")] = False,
) -> None:
    """Join the rows with their labels and write them."""
    import sys

    from gtr_bench.errors import RequestError
    from gtr_bench.store.export import csv_bytes, save, tidy

    folders = folders_given(results, more_results)
    if format == "tensorboard":
        refuse_given(context, {"what": "--what"}, "chooses the rows of a table: event files have all")
        written = _runs(folders, out)
    elif out is not None:
        table = tidy(folders, what)
        save(table, out)
        written = {"path": str(out), "rows": table.num_rows, "columns": table.column_names}
    elif json:
        raise RequestError("`--json` needs `--out FILE`", hint="without it stdout carries the table itself")
    else:
        sys.stdout.buffer.write(csv_bytes(tidy(folders, what)))
        sys.stdout.buffer.flush()
        return
    if json:
        typer.echo(json_module.dumps(written, allow_nan=False))


def _runs(folders: list[Path], out: Path | None) -> dict[str, Any]:
    """Write event files and say how to look at them; what `--json` tells."""
    import shlex
    import sys

    from gtr_bench.errors import RequestError
    from gtr_bench.store.tensorboard import write_runs
    from gtr_bench.wording import counted

    if out is None:
        raise RequestError("`--format tensorboard` needs `--out DIR`", hint="event files are a folder per job")
    runs = write_runs(folders, out)
    print(f"wrote {counted(runs, 'run')}\nnext: tensorboard --logdir {shlex.quote(str(out))}", file=sys.stderr)
    return {"path": str(out), "runs": runs}
