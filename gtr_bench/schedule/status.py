"""What goes on in a results folder, told from its files alone: any process may ask, also while a run goes on."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gtr_bench.schedule.folders import ResultsFolder, State, count_states
from gtr_bench.schedule.heartbeat import SILENT_SECONDS, read_heartbeat

__all__ = ["FailedJob", "RunningCohort", "Status", "read_status"]


@dataclass(frozen=True, slots=True)
class RunningCohort:
    """A cohort some worker trains; `jobs` counts those of the request. None where it has not said anything yet.

    `state` is `silent` where it has not for `silent_seconds`, which are None while it speaks; it has no speed then.
    """

    cohort: str
    algorithm: str
    sequence: str
    jobs: int
    state: str
    phase: int | None
    phases: int | None
    step: int | None
    steps: int | None
    steps_per_second: float | None
    silent_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A failed job, with the path of its log relative to the results folder, and as in `store.failures.Failure`."""

    job: str
    reason: str
    message: str
    log: str
    environment: str = ""
    at_fault: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """Jobs per state (`folders.count_states`), running cohorts and failed jobs."""

    counts: Mapping[str, int]
    running: Sequence[RunningCohort]
    failures: Sequence[FailedJob]


def read_status(folder: ResultsFolder, job_ids: Sequence[str] | None = None) -> Status:
    """The status of some jobs, or of all a results folder knows."""
    if job_ids is None:
        job_ids = folder.job_ids()
    states = folder.survey(job_ids)
    members: dict[str, int] = {}
    failures = []
    for job_id, state in states.items():
        if state.state is State.RUNNING:
            cohort = folder.cohort_of(job_id)
            if cohort is not None:
                members[cohort] = members.get(cohort, 0) + 1
        elif state.state is State.FAILED:
            failure = folder.read_failure(job_id)
            failures.append(
                FailedJob(job_id, failure.reason, failure.message, failure.log, failure.environment, failure.at_fault)
            )
    running = [_running(folder, cohort, jobs) for cohort, jobs in sorted(members.items())]
    return Status(count_states(states.values()), running, failures)


def _running(folder: ResultsFolder, cohort: str, jobs: int) -> RunningCohort:
    content = folder.read_cohort(cohort)
    # The claim is taken a moment before the file is written.
    labels = [content["jobs"][0][name] if content is not None else "?" for name in ("algorithm", "sequence")]
    beat = read_heartbeat(folder.cohort(cohort) / "heartbeat.json")
    if beat is None or beat.phases == 0:
        return RunningCohort(cohort, labels[0], labels[1], jobs, "starting", None, None, None, None, None)
    silent = time.time() - beat.time
    state, speed, silence = beat.state, beat.steps_per_second, None
    if silent >= SILENT_SECONDS:
        state, speed, silence = "silent", None, round(silent, 1)
    return RunningCohort(
        cohort, labels[0], labels[1], jobs, state, beat.phase, beat.phases, beat.step, beat.steps, speed, silence
    )
