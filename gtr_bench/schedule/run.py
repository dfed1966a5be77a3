"""Run a suite: select its jobs, give them to a driver."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gtr_bench.schedule.driver import Driver
from gtr_bench.schedule.executors.registry import open_executor
from gtr_bench.schedule.folders import ResultsFolder
from gtr_bench.schedule.observer import Observer, Outcome
from gtr_bench.schedule.provenance import provenance
from gtr_bench.schedule.selection import select
from gtr_bench.schedule.settings import Settings
from gtr_bench.store.suites import keep_suite

if TYPE_CHECKING:
    from gtr_bench.suite import Job, Suite

__all__ = ["run_jobs", "run_suite"]


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
        selection: an expression as of `select`; None takes all jobs.
        command: what the user typed, for the provenance of the results.

    Raises:
        RequestError: the selection, the executor, the folder or the disk does not allow it.
    """
    jobs = select(suite.jobs(), selection)
    return run_jobs(jobs, suite, folder, settings=settings, observer=observer, command=command)


def run_jobs(
    jobs: Sequence[Job],
    suite: Suite,
    folder: ResultsFolder,
    *,
    settings: Settings,
    observer: Observer,
    command: Sequence[str],
) -> Outcome:
    """As `run_suite`, for jobs of the suite that are chosen already."""
    try:
        driver = Driver(
            jobs,
            folder,
            executor=open_executor(settings, observer.message),
            settings=settings,
            provenance=provenance(command, suite.text, _portable(suite.path)),
            observer=observer,
        )
        # Where the folder cannot be written the driver says so, unless there is nothing to train: then nobody minds.
        with contextlib.suppress(OSError):
            keep_suite(folder.root, suite)
        return driver.run()
    finally:
        observer.close()


def _portable(path: str) -> str:
    """Relative to the working directory where that is possible: results travel, home directories do not."""
    absolute, here = Path(path).resolve(), Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else path
