"""`-k` beside checkpoints: one holds the members of a cohort together, and none of them can go on from it alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gtr_bench.schedule.assignments import named_cohorts
from gtr_bench.schedule.folders import ResultsFolder, wanted

if TYPE_CHECKING:
    from gtr_bench.suite import Job

__all__ = ["with_companions"]


def with_companions(
    chosen: Sequence[Job], every: Sequence[Job], folder: ResultsFolder, *, retry_failed: bool
) -> list[Job]:
    """The chosen jobs, and those which the checkpoint of an unfinished one among them holds too.

    Trained without them a job would start from zero, and leave the others a checkpoint that fits no more.

    Args:
        chosen: some of `every`.
        every: the jobs of the suite.
        folder: where checkpoints lie.
        retry_failed: whether the run also trains jobs that failed.
    """
    ids = {job.id for job in chosen}
    if len(ids) == len({job.id for job in every}):
        return list(chosen)
    states = folder.survey(job.id for job in every)
    to_run = [job for job in every if wanted(states[job.id], retry_failed=retry_failed)]
    for cohort in named_cohorts(to_run, folder, checkpoint=True):
        members = {job.id for job in cohort.jobs}
        unfinished = sum(not folder.is_done(record["id"]) for record in cohort.records)
        # One whose checkpoint cannot be taken up in any case draws nobody in.
        if ids & members and len(members) == unfinished:
            ids |= members
    return [job for job in every if job.id in ids]
