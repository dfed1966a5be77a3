"""What is tried again, how, and when trying makes no sense any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

from gtr_bench.schedule.assignments import Assignment, halves
from gtr_bench.schedule.ending import Ending
from gtr_bench.schedule.heartbeat import Heartbeat

__all__ = ["Attempts", "StartupStreak", "rest"]

_BEATS = 2
"""Seconds by which the last words of two workers that died at the same step may differ: they speak once a second."""


_MOST_TRIES = 100
"""Of a job in one run, whatever progress they made: a checkpoint that is damaged each time would go round for ever."""


class _Death(NamedTuple):
    """Where a cohort died: its first and last known step, and how many steps it takes in `_BEATS` seconds."""

    first_step: int | None
    step: int
    slack: float

    def same(self, other: _Death) -> bool:
        return self.first_step == other.first_step and abs(self.step - other.step) <= max(self.slack, other.slack)


class Attempts:
    """How often each job was tried in vain, and where cohorts died.

    Without retries nothing is tried again. Otherwise an attempt counts only if it left no checkpoint further than where
    it began. A cohort that met an error or ran out of memory is halved, because one of its members may be bad, and that
    counts once however often it happens; one that never started, or was killed, continues as it is, but is halved too
    when it dies twice at the same step.
    """

    def __init__(self, retries: int) -> None:
        self._retries = retries
        self._failures: Counter[str] = Counter()
        self._tries: Counter[str] = Counter()
        self._deaths: dict[str, _Death] = {}
        self._suspects: set[str] = set()

    def after(self, left: Assignment, ending: Ending, heartbeat: Heartbeat | None) -> list[Assignment]:
        """What to try after a failure; nothing when its jobs were tried often enough.

        Args:
            left: the cohort with the jobs that are not done.
            ending: how its worker failed.
            heartbeat: its last.
        """
        if not self._retries:
            return []
        names = [job.id for job in left.jobs]
        self._tries.update(names)
        if max(self._tries[name] for name in names) >= _MOST_TRIES:
            return []
        # What others leave of the machine's memory matters where the machine, not a limit, was short of it.
        alone = ending.reason == "oom" and not ending.limited
        progressed = heartbeat is not None and heartbeat.progressed
        if self._blames_a_member(left, ending, heartbeat) and len(names) > 1:
            self._suspects.update(names)
            self._failures.update({name: 1 - self._failures[name] for name in names})
            return halves(left, alone=alone)
        if not progressed:
            self._failures.update(names)
        if max(self._failures[name] for name in names) > self._retries:
            return []
        return [replace(left, resumes=left.resumes or progressed, alone=left.alone or alone)]

    def _blames_a_member(self, left: Assignment, ending: Ending, heartbeat: Heartbeat | None) -> bool:
        if ending.asked:
            return False
        if (ending.reason != "killed" and not ending.startup) or self._suspects.issuperset(job.id for job in left.jobs):
            return True
        death, before = _death(left, heartbeat), self._deaths.get(left.id)
        self._deaths[left.id] = death
        return before is not None and before.same(death)


def _death(left: Assignment, heartbeat: Heartbeat | None) -> _Death:
    if heartbeat is None:
        return _Death(None, 0, 0.0)
    speed = (heartbeat.steps_per_second or 0.0) / len(left.records)
    return _Death(heartbeat.first_step, heartbeat.step, _BEATS * speed)


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


def rest(assignment: Assignment, unfinished: Collection[str]) -> Assignment:
    """The same cohort with its unfinished jobs; its worker goes on from the checkpoint, if it has left one."""
    return replace(assignment, jobs=tuple(job for job in assignment.jobs if job.id in unfinished), anew=False)
