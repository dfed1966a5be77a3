"""`gtr-bench export`: tidy tables for other tools."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Literal

import typer

from gtr_bench.cli.options import ResultsArgument, ResultsOptions, folders_given

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("export", help="One tidy table: every row with its job's labels and parameters.")(export)


def export(
    results: ResultsArgument = None,
    more_results: ResultsOptions = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="A .csv or .parquet file.", show_default="CSV to stdout"),
    ] = None,
    what: Annotated[
        Literal["evaluations", "iterations", "jobs"], typer.Option("--what", help="Which rows.")
    ] = "evaluations",
    json: Annotated[bool, typer.Option("--json", help="With --out: what was written, as JSON on stdout.")] = False,
) -> None:
    """Join the rows with their labels and write them."""
    import sys

    from gtr_bench.errors import RequestError
    from gtr_bench.store.export import csv_bytes, save, tidy

    if json and out is None:
        raise RequestError("`--json` needs `--out FILE`", hint="without it stdout carries the table itself")
    table = tidy(folders_given(results, more_results), what)
    if out is None:
        sys.stdout.buffer.write(csv_bytes(table))
        sys.stdout.buffer.flush()
    else:
        save(table, out)
        if json:
            written = {"path": str(out), "rows": table.num_rows, "columns": table.column_names}
            typer.echo(json_module.dumps(written, allow_nan=False))
