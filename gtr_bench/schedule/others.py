"""Other drivers on the same results folder: the jobs in their hands, and what they settle meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from gtr_bench.schedule.claims import Claim
from gtr_bench.schedule.folders import JobState, ResultsFolder, State, wanted
from gtr_bench.schedule.tally import Tally

if TYPE_CHECKING:
    from gtr_bench.suite import Job

__all__ = ["Others"]

_LOOK_EVERY_SECONDS = 1.0


class Others:
    """Claims jobs for this driver, and keeps the tally of what others do with those it does not get.

    `jobs`: ids of those somebody else is training.
    """

    def __init__(self, folder: ResultsFolder, tally: Tally) -> None:
        self.jobs: set[str] = set()
        self._folder = folder
        self._tally = tally
        self._failures_chosen: dict[str, float] = {}
        self._looked_at = 0.0

    def note(self, states: Mapping[str, JobState], to_run: Iterable[str]) -> None:
        """The states at the start, and the jobs this driver will train."""
        self.jobs = {name for name, state in states.items() if state.state is State.RUNNING}
        for name in to_run:
            if states[name].state is State.FAILED:
                self._failures_chosen[name] = self._folder.read_failure(name).time

    def claim(self, jobs: Iterable[Job]) -> list[Claim]:
        """Claims on the jobs that another driver has neither taken nor settled since the last look."""
        claims: list[Claim] = []
        try:
            for job in jobs:
                claim = self._folder.claims.take(job.id)
                if claim is None:
                    self.jobs.add(job.id)
                    continue
                claims.append(claim)
                if self._folder.is_done(job.id):
                    self._tally.note_done(job.id)
                elif self._failed(job.id):
                    self._tally.note_failed([job.id])
                else:
                    continue
                claims.pop().release()
        except BaseException:
            for claim in claims:
                claim.release()
            raise
        return claims

    def _failed(self, job_id: str) -> bool:
        """Whether another driver has stored a failure, of a kind not run again unasked, since this run looked."""
        if not self._folder.failure(job_id).exists():
            return False
        failure = self._folder.read_failure(job_id)
        if self._failures_chosen.get(job_id) == failure.time:
            return False
        return not wanted(JobState(State.FAILED, failure.reason), retry_failed=False)

    def left_behind(self) -> list[str]:
        """Jobs another driver was training and has left unfinished; looks at most once a second."""
        now = time.monotonic()
        if not self.jobs or now - self._looked_at < _LOOK_EVERY_SECONDS:
            return []
        self._looked_at = now
        orphans = []
        for name, state in self._folder.survey(self.jobs).items():
            if state.state is State.RUNNING:
                continue
            self.jobs.discard(name)
            if state.state is State.DONE:
                self._tally.note_done(name)
            elif state.state is State.FAILED:
                self._tally.note_failed([name])
            else:
                orphans.append(name)
        return orphans
