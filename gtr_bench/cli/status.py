"""`gtr-bench status`: what is done, what runs and what failed in a results folder."""

from __future__ import annotations

import json as json_module
import shlex
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from gtr_bench.cli import completion
from gtr_bench.cli.options import DEFAULT_RESULTS, JsonOption, ResultsOption, ScaleOption

if TYPE_CHECKING:
    from gtr_bench.schedule.status import Status

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status")(status)


def status(
    suite: Annotated[
        str | None,
        typer.Argument(
            metavar="[SUITE]",
            help="Only the jobs of this suite, those never started included.",
            autocompletion=completion.suites,
        ),
    ] = None,
    scale: ScaleOption = None,
    results: ResultsOption = DEFAULT_RESULTS,
    json: JsonOption = False,
) -> None:
    """Show jobs per state, running cohorts and failures; reads only what the workers left."""
    from gtr_bench.schedule.earlier import count_earlier, earlier_of_all
    from gtr_bench.schedule.folders import ResultsFolder
    from gtr_bench.schedule.status import read_status

    folder = ResultsFolder(results)
    folder.require()
    job_ids = None
    if suite is None:
        earlier = earlier_of_all(folder)
    else:
        from gtr_bench.suite import load_suite

        loaded = load_suite(suite, scale=scale)
        job_ids = [job.id for job in loaded.jobs()]
        count = count_earlier(loaded, folder)
        earlier = {f"{loaded.name}-{loaded.scale}": count} if count else {}
    found = read_status(folder, job_ids)
    if json:
        typer.echo(json_module.dumps(asdict(found) | {"earlier": earlier}, allow_nan=False))
        return
    for line in _lines(found, earlier, str(results)):
        typer.echo(line)


def _lines(found: Status, earlier: Mapping[str, int], results: str) -> list[str]:
    from gtr_bench.wording import compact, counted, duration

    counts = found.counts
    lines = [
        f"done      {counts['done']:,}" + (f" ({counts['diverged']} diverged)" if counts["diverged"] else ""),
        f"failed    {counts['failed']:,}",
        f"running   {counts['running']:,}",
        f"to run    {counts['to_run']:,}" + (f" ({counts['damaged']} damaged)" if counts["damaged"] else ""),
    ]
    for name, count in earlier.items():
        lines.append(f"earlier   {count:,} done, of an earlier version of {name}")
    for cohort in found.running:
        line = f"running: {cohort.algorithm} on {cohort.sequence} ({counted(cohort.jobs, 'job')}): {cohort.state}"
        if cohort.silent_seconds is not None:
            line += f" for {duration(cohort.silent_seconds)}"
        if cohort.phase is not None:
            share = f"{cohort.step / cohort.steps:.0%}" if cohort.step is not None and cohort.steps else "-"
            line += f", phase {cohort.phase + 1}/{cohort.phases}, {share} of steps"
            line += f", {compact(cohort.steps_per_second)} steps/s"
        lines.append(line)
    for failed in found.failures:
        where = f" ({failed.environment})" if failed.environment else ""
        lines.append(f"failed: {failed.job}{where}: {failed.reason}: {failed.message}")
    if found.failures:
        lines.append(f"log of a job: gtr-bench logs {found.failures[0].job} --results {shlex.quote(results)}")
    return lines
