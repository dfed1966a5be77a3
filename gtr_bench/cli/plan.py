"""`gtr-bench plan`: what a run would do, how long it takes and how much disk."""

from __future__ import annotations

import json as json_module
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gtr_bench.cli.options import (
    DEFAULT_RESULTS,
    CohortOption,
    DeviceChoice,
    DeviceOption,
    GpuJobsOption,
    JobsOption,
    JsonOption,
    ResultsOption,
    RetryFailedOption,
    ScaleOption,
    SelectOption,
    SuiteArgument,
)

if TYPE_CHECKING:
    from gtr_bench.schedule.plan import Plan
    from gtr_bench.suite import Suite

__all__ = ["plan_text", "register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plan")(plan)


def plan(
    suite: SuiteArgument,
    scale: ScaleOption = None,
    results: ResultsOption = DEFAULT_RESULTS,
    k: SelectOption = None,
    jobs: JobsOption = None,
    device: DeviceOption = DeviceChoice.AUTO,
    jobs_per_gpu: GpuJobsOption = 1,
    cohort: CohortOption = None,
    retry_failed: RetryFailedOption = False,
    list_jobs: Annotated[bool, typer.Option("--list", help="Also list the jobs with their states.")] = False,
    json: JsonOption = False,
) -> None:
    """Say what `run` with the same options would do; starts nothing.

    Cached jobs are done, but were trained for another suite or scale, or under another name.
    """
    from gtr_bench.cli.collector import no_garbage_collection
    from gtr_bench.schedule.companions import with_companions
    from gtr_bench.schedule.earlier import count_earlier
    from gtr_bench.schedule.folders import ResultsFolder
    from gtr_bench.schedule.plan import make_plan
    from gtr_bench.schedule.selection import select
    from gtr_bench.schedule.slots import make_slots
    from gtr_bench.suite import load_suite

    slots = make_slots(device=device.value, jobs=jobs, jobs_per_gpu=jobs_per_gpu)
    folder = ResultsFolder(results)
    with no_garbage_collection():
        loaded = load_suite(suite, scale=scale)
        every = loaded.jobs()
        selected = with_companions(select(every, k), every, folder, retry_failed=retry_failed)
        made = make_plan(selected, folder, slots=len(slots), cohort=cohort, retry_failed=retry_failed)
        earlier = count_earlier(loaded, folder)
    listed = []
    if list_jobs:
        states = folder.survey(job.id for job in selected)
        listed = [
            {
                "job": job.id,
                "state": states[job.id].state.value,
                "algorithm": job.algorithm,
                "sequence": job.sequence,
                "seed": job.seed,
                "role": job.role,
            }
            for job in selected
        ]
    more = {"earlier": earlier} | ({"job_list": listed} if list_jobs else {})
    rows = [
        f"{row['job']}  {row['state']:<7}  {row['algorithm']} on {row['sequence']}, seed {row['seed']}"
        for row in listed
    ]
    typer.echo("\n".join([plan_text(loaded, results, made, more, json=json), *([] if json else rows)]))


def plan_text(suite: Suite, results: Path, made: Plan, more: Mapping[str, Any], *, json: bool) -> str:
    """A plan for people, or with `more` as JSON on one line."""
    if json:
        data = {"suite": suite.name, "scale": suite.scale, "results": str(results), **asdict(made), **more}
        return json_module.dumps(data, allow_nan=False)
    return "\n".join(
        [f"{suite.name} ({suite.scale})" if suite.scale else suite.name, *_lines(made, more.get("earlier", 0))]
    )


def _lines(made: Plan, earlier: int) -> list[str]:
    from gtr_bench.wording import counted, duration, size

    counts = made.counts
    reasons = ", ".join(f"{reason} {number}" for reason, number in sorted(made.reasons.items()))
    resumed = f", {made.resumed} from a checkpoint" if made.resumed else ""
    resumed += f", {counts['damaged']} of them damaged" if counts["damaged"] else ""
    if made.seconds is not None or not made.cohorts_with_known_speed:
        time = duration(made.seconds)
    else:
        time = f"unknown (speeds are known for {made.cohorts_with_known_speed} of {counted(made.cohorts, 'cohort')})"
    return [
        f"  jobs      {made.jobs:,}",
        f"  done      {counts['done']:,}" + (f" ({counts['diverged']} diverged)" if counts["diverged"] else ""),
        f"  cached    {counts['cached']:,} of them",
        *([f"  earlier   {earlier:,} done, of an earlier version of the suite"] if earlier else []),
        f"  failed    {counts['failed']:,}" + (f" ({reasons})" if reasons else ""),
        f"  running   {counts['running']:,}",
        f"  to run    {made.starting:,} in {counted(made.cohorts, 'cohort')}{resumed}",
        f"  steps     {made.steps:,}",
        f"  time      {time} on {counted(made.slots, 'slot')}",
        f"  disk      {size(made.disk_bytes)} of {size(made.free_disk_bytes)} free",
    ]
