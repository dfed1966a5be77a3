"""Run a suite: select its jobs, give them to a driver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gtr_bench.schedule.companions import with_companions
from gtr_bench.schedule.driver import Driver
from gtr_bench.schedule.executors.registry import open_executor
from gtr_bench.schedule.folders import ResultsFolder
from gtr_bench.schedule.observer import Observer, Outcome
from gtr_bench.schedule.provenance import provenance
from gtr_bench.schedule.selection import select
from gtr_bench.schedule.settings import Settings
from gtr_bench.store.requests import append_request
from gtr_bench.wording import counted

if TYPE_CHECKING:
    from gtr_bench.suite import Job, Suite

__all__ = ["record_request", "run_jobs", "run_suite"]


def run_suite(
    suite: Suite,
    folder: ResultsFolder,
    *,
    selection: str | None,
    settings: Settings,
    observer: Observer,
    command: Sequence[str],
) -> Outcome:
    """Train the selected jobs of a suite.

    Args:
        selection: an expression as of `select`; None takes all jobs. What a checkpoint holds together is trained
            together.
        command: what the user typed, for the provenance of the results.

    Raises:
        RequestError: the selection, the executor, the folder or the disk does not allow it.
    """
    every = suite.jobs()
    chosen = select(every, selection)
    jobs = with_companions(chosen, every, folder, retry_failed=settings.retry_failed)
    remarks = []
    if len(jobs) > len(chosen):
        more = counted(len(jobs) - len(chosen), "job")
        remarks.append(f"training {more} more than `-k` chooses: a checkpoint holds them together")
    return run_jobs(jobs, suite, folder, settings=settings, observer=observer, command=command, remarks=remarks)


def run_jobs(
    jobs: Sequence[Job],
    suite: Suite,
    folder: ResultsFolder,
    *,
    settings: Settings,
    observer: Observer,
    command: Sequence[str],
    remarks: Sequence[str] = (),
) -> Outcome:
    """As `run_suite`, for jobs of the suite that are chosen already; `remarks` are told after the launch."""
    try:
        origin = provenance(command, suite.text, _portable(suite.path))
        driver = Driver(
            jobs,
            folder,
            executor=open_executor(settings, observer.message),
            settings=settings,
            provenance=origin,
            observer=observer,
            remarks=remarks,
        )
        # Before the first job can finish: what is claimed later is told by that.
        unrecorded = _record(suite, folder, origin)
        # Said after the run: of a folder that cannot be used at all the driver has more to say.
        outcome = driver.run()
        return replace(outcome, message=outcome.message or unrecorded)
    finally:
        observer.close()


def record_request(suite: Suite, folder: ResultsFolder, *, command: Sequence[str]) -> str | None:
    """Record that a suite is asked for whose jobs are all done already; a sentence where that fails."""
    return _record(suite, folder, provenance(command, suite.text, _portable(suite.path)))


def _record(suite: Suite, folder: ResultsFolder, origin: Mapping[str, Any]) -> str | None:
    """Append the suite's text to the ledger; a sentence where it cannot be written, which ends no run."""
    try:
        append_request(folder.root, suite, origin)
    except OSError as error:
        return f"this request is not recorded, so reports cannot tell when it was made: {error.strerror}"
    return None


def _portable(path: str) -> str:
    """Relative to the working directory where that is possible: results travel, home directories do not."""
    absolute, here = Path(path).resolve(), Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else path
