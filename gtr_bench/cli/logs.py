"""`gtr-bench logs`: what the worker of a job printed, and why the job failed."""

from __future__ import annotations

import json as json_module
import sys
from typing import Annotated

import typer

from gtr_bench.cli import completion
from gtr_bench.cli.options import DEFAULT_RESULTS, JsonOption, ResultsOption

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("logs")(logs)


def logs(
    job: Annotated[
        str, typer.Argument(metavar="JOB", help="Id of a job, or the beginning of one.", autocompletion=completion.jobs)
    ],
    results: ResultsOption = DEFAULT_RESULTS,
    lines: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the last N lines.")] = None,
    json: JsonOption = False,
) -> None:
    """Print the log of the worker that last trained JOB."""
    from gtr_bench.schedule.folders import ResultsFolder
    from gtr_bench.schedule.logs import read_log

    folder = ResultsFolder(results)
    folder.require()
    found = read_log(folder, job)
    text = found.text if lines is None else "".join(found.text.splitlines(keepends=True)[-lines:])
    if json:
        data = {"job": found.job, "path": found.path, "failure": found.failure, "text": text}
        typer.echo(json_module.dumps(data, allow_nan=False))
        return
    if found.failure is not None:
        where = f" ({found.failure['environment']})" if found.failure["environment"] else ""
        print(f"{found.job} failed{where}: {found.failure['reason']}: {found.failure['message']}", file=sys.stderr)
    if not text:
        print(f"the worker of {found.job} printed nothing", file=sys.stderr)
    typer.echo(text, nl=False)
