"""Which environment a worker failed in, and which of its jobs was at fault, as far as that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gtr_bench.schedule.assignments import Assignment
from gtr_bench.schedule.heartbeat import Heartbeat

if TYPE_CHECKING:
    from gtr_bench.suite import Job

__all__ = ["Blame", "blame"]


class Blame(NamedTuple):
    """`environment`: its name, or all that it may be, parted by commas; `job`: None where several may be at fault."""

    environment: str
    job: Job | None


def blame(assignment: Assignment, heartbeat: Heartbeat | None) -> Blame:
    """What the worker said of its failure, else what follows from where it was when it spoke last.

    Members of a cohort train in lock-step, so all are in the same phase. During an evaluation it may be another's
    world, and before training any.
    """
    failure = heartbeat.failure if heartbeat is not None else None
    (job,) = assignment.jobs if len(assignment.jobs) == 1 else (None,)
    if failure is not None and failure.member is not None and failure.member < len(assignment.records):
        found = assignment.records[failure.member]["id"]
        job = next((each for each in assignment.jobs if each.id == found), job)
    if failure is not None and failure.environment is not None:
        return Blame(failure.environment, job)
    phases = [each["environment"] for each in assignment.jobs[0].definition["sequence"]["phases"]]
    if heartbeat is not None and heartbeat.state in ("running", "failed") and heartbeat.phase < heartbeat.phases:
        phases = phases[heartbeat.phase : heartbeat.phase + 1] or phases
    return Blame(", ".join(dict.fromkeys(phases)), job)
