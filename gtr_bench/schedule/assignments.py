"""Jobs to run -> assignments: the cohorts a driver hands to workers.

A checkpoint belongs to a cohort as it was grouped then. Where one covers jobs that are still to run, that cohort is
taken up again instead of grouping its jobs anew, whatever `--cohort` or the number of slots says now.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gtr_bench.files import whole_folder
from gtr_bench.learners.registry import kind_of
from gtr_bench.schedule.folders import ResultsFolder
from gtr_bench.suite import group

if TYPE_CHECKING:
    from gtr_bench.suite import Cohort, Job

__all__ = ["Assignment", "assign", "halves", "job_record", "job_steps", "named_cohorts", "narrow", "shape_of"]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One cohort to train.

    Attributes:
        id: the cohort's id and folder name.
        jobs: the members that are to be trained.
        records: what cohort.json lists; more than `jobs` when a checkpoint also holds members that have finished.
        resumes: a checkpoint is there.
        anew: it is removed before the start, because the jobs failed under other code.
        alone: no other worker may run beside it, because it ran out of memory in company.
    """

    id: str
    jobs: tuple[Job, ...]
    records: tuple[dict[str, Any], ...]
    resumes: bool = False
    anew: bool = False
    alone: bool = False

    @property
    def steps(self) -> int:
        """Environment steps of one member; members of a cohort train in lock-step."""
        return job_steps(self.jobs[0])


def job_record(job: Job) -> dict[str, Any]:
    """A job as cohort.json lists it: identity, definition and labels."""
    names = ("id", "definition", "suite", "scale", "algorithm", "sequence", "role", "seed")
    return {name: getattr(job, name) for name in names}


def job_steps(job: Job) -> int:
    """Environment steps of a job over all phases."""
    return sum(int(phase["steps"]) for phase in job.definition["sequence"]["phases"])


def shape_of(record: Mapping[str, Any]) -> str:
    """A key under which speed and memory of workers with equally many members compare.

    Numbers of steps and phases are no part of it, so that a small scale foretells a larger one; that evaluations may
    then be rarer is neglected.

    Raises:
        UnknownNameError: the record's algorithm is not installed.
    """
    definition = record["definition"]
    algorithm, learned = definition["algorithm"]["name"], kind_of(definition).shape(definition)
    phases = definition["sequence"]["phases"]
    environments = {json.dumps([phase["environment"], phase["options"]], sort_keys=True) for phase in phases}
    return json.dumps([algorithm, learned, sorted(environments), definition["network"]], sort_keys=True)


def assign(
    jobs: Sequence[Job], to_run: Iterable[str], folder: ResultsFolder, *, slots: int, cohort: int | None
) -> list[Assignment]:
    """The assignments for the jobs named in `to_run`, longest first.

    Cohorts are formed over all `jobs`, whatever is done already, so that two drivers with the same request form the
    same cohorts and a rerun finds its checkpoints.

    Args:
        jobs: every job of the request.
        to_run: ids of those that are to be trained.
        slots: workers at once.
        cohort: members per cohort at most; None lets the planner choose.
    """
    wanted = set(to_run)
    resumed = _resumable([job for job in jobs if job.id in wanted], folder)
    taken = {job.id for assignment in resumed for job in assignment.jobs}
    fresh = [
        assignment
        for grouped in group(list(jobs), slots=slots, size=cohort)
        if (assignment := narrow(_whole(grouped), wanted - taken)) is not None
    ]
    return sorted([*resumed, *fresh], key=lambda a: (-a.steps * len(a.jobs), a.id))


def narrow(assignment: Assignment, wanted: set[str]) -> Assignment | None:
    """The assignment with only its `wanted` jobs: itself, a new smaller cohort, or None when nothing is left."""
    left = [job for job in assignment.jobs if job.id in wanted]
    if not left:
        return None
    if len(left) == len(assignment.jobs):
        return assignment
    (smaller,) = group(left, slots=1, size=len(left))
    return replace(_whole(smaller), alone=assignment.alone)


def halves(assignment: Assignment, *, alone: bool) -> list[Assignment]:
    """Two assignments with half of its jobs each: a bad member takes fewer others with it, and is found in the end."""
    jobs = list(assignment.jobs)
    return [replace(_whole(cohort), alone=alone) for cohort in group(jobs, slots=1, size=-(-len(jobs) // 2))]


def _whole(cohort: Cohort) -> Assignment:
    return Assignment(cohort.id, tuple(cohort.jobs), tuple(job_record(job) for job in cohort.jobs))


def named_cohorts(jobs: Iterable[Job], folder: ResultsFolder, *, checkpoint: bool = False) -> list[Assignment]:
    """The cohorts that the claims on these jobs name, each with its unfinished jobs among them, by id.

    A job is in one of them at most: a cohort that takes it over names itself. With `checkpoint` those that have one.
    """
    # A job nobody has tried has no folder: one listing tells 10,000 of them apart, instead of 10,000 failed opens.
    tried = set(folder.job_ids())
    members: dict[str, dict[str, Job]] = {}
    for job in jobs:
        cohort_id = folder.cohort_of(job.id) if job.id in tried else None
        if cohort_id is not None:
            members.setdefault(cohort_id, {})[job.id] = job
    found = []
    for cohort_id, named in sorted(members.items()):
        if checkpoint and whole_folder(folder.cohort(cohort_id) / "checkpoint") is None:
            continue
        content = folder.read_cohort(cohort_id)
        if content is None:
            # Without its list of members a checkpoint is of no use; the jobs are grouped and trained anew.
            continue
        records = tuple(job_record(named[r["id"]]) if r["id"] in named else r for r in content["jobs"])
        ours = tuple(named[r["id"]] for r in records if r["id"] in named and not folder.is_done(r["id"]))
        if ours:
            found.append(Assignment(cohort_id, ours, records, resumes=True))
    return found


def _resumable(jobs: Iterable[Job], folder: ResultsFolder) -> list[Assignment]:
    """Cohorts with a checkpoint whose unfinished members are all among `jobs`."""
    return [
        cohort
        for cohort in named_cohorts(jobs, folder, checkpoint=True)
        if len(cohort.jobs) == sum(not folder.is_done(record["id"]) for record in cohort.records)
    ]
