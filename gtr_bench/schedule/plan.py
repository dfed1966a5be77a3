"""What a run would do: jobs per state, cohorts, time and disk. Starts and writes nothing."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gtr_bench.learners.registry import kind_of
from gtr_bench.schedule.assignments import Assignment, assign
from gtr_bench.schedule.cached import count_cached
from gtr_bench.schedule.folders import ResultsFolder, State, count_states, wanted
from gtr_bench.schedule.resources import free_disk_bytes
from gtr_bench.schedule.speeds import PastSpeeds

if TYPE_CHECKING:
    from gtr_bench.suite import Job

__all__ = ["Plan", "make_plan"]

_BYTES_PER_COHORT = 2_000_000
_BYTES_PER_JOB = 60_000
_BYTES_PER_ITERATION = 200
"""Rounded up from what small runs left; an estimate that only has to tell megabytes from gigabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Counts and estimates.

    Attributes:
        jobs: of the request, each identity once.
        counts: jobs per state, and two parts of `done`: `diverged`, and `cached` (`count_cached`).
        reasons: failed jobs per reason.
        starting: jobs a run would train now: to run, killed, and failed ones with `--retry-failed`.
        cohorts, resumed: that many workers, and how many of them from a checkpoint.
        steps: environment steps of the jobs to train.
        seconds: expected duration on `slots` slots; None when it is unknown.
        cohorts_with_known_speed: how many of `cohorts` have a like in the results folder.
        disk_bytes, free_disk_bytes: expected growth of the folder, and what is free.
    """

    jobs: int
    counts: Mapping[str, int]
    reasons: Mapping[str, int]
    starting: int
    cohorts: int
    resumed: int
    steps: int
    slots: int
    seconds: float | None
    cohorts_with_known_speed: int
    disk_bytes: int
    free_disk_bytes: int


def make_plan(
    jobs: Sequence[Job], folder: ResultsFolder, *, slots: int, cohort: int | None = None, retry_failed: bool = False
) -> Plan:
    """The plan of a run with the same arguments; 10,000 jobs cost 2 to 4 times what hashing their definitions costs."""
    unique = list({job.id: job for job in jobs}.values())
    states = folder.survey(job.id for job in unique)
    to_run = [name for name, state in states.items() if wanted(state, retry_failed=retry_failed)]
    assignments = assign(unique, to_run, folder, slots=slots, cohort=cohort) if to_run else []
    cached = count_cached((job for job in unique if states[job.id].state is State.DONE), folder)
    # Reading past speeds is no small part of a plan: where nothing is left to train nobody needs them.
    speeds = PastSpeeds.read(folder) if assignments else PastSpeeds({})
    times = [speeds.seconds(assignment) for assignment in assignments]
    known = [seconds for seconds in times if seconds is not None]
    reasons: dict[str, int] = {}
    for state in states.values():
        if state.state is State.FAILED:
            reasons[state.reason or "error"] = reasons.get(state.reason or "error", 0) + 1
    return Plan(
        jobs=len(unique),
        counts={**count_states(states.values()), "cached": cached},
        reasons=reasons,
        starting=len(to_run),
        cohorts=len(assignments),
        resumed=sum(assignment.resumes for assignment in assignments),
        steps=sum(assignment.steps * len(assignment.jobs) for assignment in assignments),
        slots=slots,
        seconds=_makespan(known, slots) if len(known) == len(times) else None,
        cohorts_with_known_speed=len(known),
        disk_bytes=sum(_disk_bytes(assignment) for assignment in assignments),
        free_disk_bytes=free_disk_bytes(folder.root),
    )


def _makespan(seconds: Sequence[float], slots: int) -> float:
    """When the last of the cohorts ends if each, in this order, takes the slot that is free first."""
    free = [0.0] * slots
    for duration in seconds:
        heapq.heapreplace(free, free[0] + duration)
    return max(free)


def _disk_bytes(assignment: Assignment) -> int:
    definition = assignment.jobs[0].definition
    iterations = kind_of(definition).iterations(definition)
    return _BYTES_PER_COHORT + len(assignment.jobs) * (_BYTES_PER_JOB + _BYTES_PER_ITERATION * iterations)
