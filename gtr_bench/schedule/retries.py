"""What is tried again, how, and when trying makes no sense any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from gtr_bench.schedule.assignments import Assignment, single
from gtr_bench.schedule.ending import Ending

__all__ = ["Attempts", "StartupStreak", "again", "rest"]


class Attempts:
    """How often each job was tried without success."""

    def __init__(self, retries: int) -> None:
        self._retries = retries
        self._failures: Counter[str] = Counter()

    def allow_another(self, names: Collection[str]) -> bool:
        """Note a failure of some jobs; whether they may be tried once more."""
        self._failures.update(names)
        return max(self._failures[name] for name in names) <= self._retries


class StartupStreak:
    """Equal start-up failures in a row, without a worker in between that trained."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._message = ""
        self._count = 0

    def broken(self) -> None:
        """A worker trains: starting works."""
        self._count = 0

    def failed(self, message: str) -> str | None:
        """Note a start-up failure; why the suite should pause, if it should."""
        self._count = self._count + 1 if message == self._message else 1
        self._message = message
        if self._count < self._limit:
            return None
        return f"paused: {self._count} workers in a row failed at their start: {message}"


def again(assignment: Assignment, unfinished: Collection[str], ending: Ending) -> list[Assignment]:
    """How to retry: from the checkpoint when killed or not even started, else each member for itself.

    A cohort that never started met something all its members share; one that ran out of memory or met an error
    may have one bad member. Out of memory is retried with nothing beside it.
    """
    left = rest(assignment, unfinished)
    if ending.reason == "killed" or ending.startup:
        return [left]
    return single(left, alone=ending.reason == "oom")


def rest(assignment: Assignment, unfinished: Collection[str]) -> Assignment:
    """The same cohort with its unfinished jobs; its worker goes on from the checkpoint, if it has left one."""
    return replace(assignment, jobs=tuple(job for job in assignment.jobs if job.id in unfinished))
