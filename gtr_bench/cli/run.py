"""`gtr-bench run`: train what a suite asks for and is not done yet."""

from __future__ import annotations

import contextlib
import shlex
import sys
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
    NoProgressOption,
    ResultsOption,
    RetryFailedOption,
    ScaleOption,
    SelectOption,
    SuiteArgument,
)
from gtr_bench.cli.until_decided import MaxSeedsOption, UntilDecidedOption, WaveOption, check_waves, run_waves

if TYPE_CHECKING:
    from gtr_bench.schedule.observer import Outcome

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)


def run(
    suite: SuiteArgument,
    scale: ScaleOption = None,
    results: ResultsOption = DEFAULT_RESULTS,
    k: SelectOption = None,
    jobs: JobsOption = None,
    device: DeviceOption = DeviceChoice.AUTO,
    jobs_per_gpu: GpuJobsOption = 1,
    cohort: CohortOption = None,
    threads: Annotated[int, typer.Option(min=1, max=256, metavar="N", help="Threads per worker.")] = 1,
    checkpoint_every: Annotated[
        float, typer.Option(min=0.1, max=86_400, metavar="SECONDS", help="Time between checkpoints.")
    ] = 60.0,
    timeout: Annotated[
        float | None, typer.Option(min=0.1, metavar="SECONDS", help="Longest run of one worker.  [default: none]")
    ] = None,
    stall_timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="Longest silence of a worker before it counts as hung.")
    ] = 600.0,
    memory_limit: Annotated[
        int | None,
        typer.Option(min=100, metavar="MB", help="Most memory of a worker and its children.  [default: none]"),
    ] = None,
    retries: Annotated[
        int, typer.Option(min=0, max=100, metavar="N", help="Further tries of a job after error, oom or killed.")
    ] = 1,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop everything at the first failure.")] = False,
    retry_failed: RetryFailedOption = False,
    log_limit: Annotated[
        int, typer.Option(min=1_000, metavar="BYTES", help="Size of a worker's log; head and tail are kept.")
    ] = 1_000_000,
    profile: Annotated[bool, typer.Option("--profile", help="Print what the workers' time went into.")] = False,
    until_decided: UntilDecidedOption = False,
    wave: WaveOption = None,
    max_seeds: MaxSeedsOption = None,
    no_progress: NoProgressOption = False,
    json: JsonOption = False,
) -> None:
    """Train the jobs of SUITE that are not done.

    Safe to repeat: the same command continues where it was interrupted. Ctrl-C stops at a checkpoint, twice kills.
    """
    from gtr_bench.schedule.display import make_display
    from gtr_bench.schedule.folders import ResultsFolder
    from gtr_bench.schedule.ndjson import NdjsonObserver
    from gtr_bench.schedule.run import run_suite
    from gtr_bench.schedule.settings import Settings
    from gtr_bench.suite import load_suite

    settings = Settings(
        device=device.value,
        jobs=jobs,
        jobs_per_gpu=jobs_per_gpu,
        cohort=cohort,
        threads=threads,
        checkpoint_seconds=checkpoint_every,
        timeout=timeout,
        stall_timeout=stall_timeout,
        memory_limit_bytes=None if memory_limit is None else memory_limit << 20,
        retries=retries,
        fail_fast=fail_fast,
        retry_failed=retry_failed,
        log_limit=log_limit,
        profile=profile,
    )
    check_waves(k, until_decided=until_decided, wave=wave, max_seeds=max_seeds)
    loaded, folder = load_suite(suite, scale=scale), ResultsFolder(results)
    observer = NdjsonObserver(sys.stdout) if json else make_display(sys.stderr, progress=not no_progress)
    command = ["gtr-bench", *sys.argv[1:]]
    asked: dict[str, Any] = {"settings": settings, "observer": observer, "command": command}
    reported: str | None = None
    # With --json a print in somebody's environment or algorithm must not get between the records.
    with contextlib.redirect_stdout(sys.stderr) if json else contextlib.nullcontext():
        if until_decided:
            outcome, reported = run_waves(loaded, folder, wave=wave, max_seeds=max_seeds, **asked)
        else:
            outcome = run_suite(loaded, folder, selection=k, **asked)
    for line in _summary(outcome, reported or suite, str(results), shlex.join(command), profile=profile):
        print(line, file=sys.stderr)
    raise typer.Exit(outcome.exit_code)


def _summary(outcome: Outcome, suite: str, results: str, command: str, *, profile: bool) -> list[str]:
    """A line per outcome, and the command to type next."""
    from gtr_bench.wording import counted, duration

    counts = outcome.counts
    diverged = f", {counts['diverged']} of them diverged" if counts["diverged"] else ""
    lines = [
        f"done: {counted(counts['done'], 'job')}{diverged}; trained {outcome.trained} in {duration(outcome.seconds)}"
    ]
    if counts["failed"]:
        reasons = ", ".join(f"{reason} {number}" for reason, number in sorted(outcome.reasons.items()))
        lines.append(
            f"failed: {counted(counts['failed'], 'job')} ({reasons}); "
            f"why: gtr-bench logs JOB --results {shlex.quote(results)}"
        )
    left = counts["to_run"] + counts["running"]
    if left:
        lines.append(f"left: {counted(left, 'job')}")
    if outcome.message:
        lines.append(outcome.message)
    if profile:
        lines += _profile_lines(outcome)
    if left:
        lines.append(f"to continue: {command}")
    elif counts["failed"]:
        again = command if "--retry-failed" in command else f"{command} --retry-failed"
        lines.append(f"to try the failed ones again: {again}")
    if counts["done"]:
        lines.append(f"next: gtr-bench report {shlex.quote(results)} --suite {shlex.quote(suite)}")
    return lines


def _profile_lines(outcome: Outcome) -> list[str]:
    """Shares of the workers' time."""
    total = sum(outcome.profile.values())
    if not total:
        return ["profile: nothing was trained"]
    return [f"profile: {name:<11} {seconds / total:>6.1%}" for name, seconds in outcome.profile.items()]
