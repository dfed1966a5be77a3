"""A run as a program sees it: one JSON object per line on stdout, `launch` first and `done` last."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, TextIO

from gtr_bench.schedule.observer import FailedCohort, Launch, Observer, Outcome, WaveResult, WorkerView

__all__ = ["NdjsonObserver"]


class NdjsonObserver(Observer):
    """Events: launch, cohort_started, job_done, cohort_finished, cohort_stopped, cohort_preempted, job_failed,
    cohort_failed, message, wave, done."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def _emit(self, event: str, **fields: Any) -> None:
        print(json.dumps({"event": event, **fields}, allow_nan=False), file=self._stream, flush=True)

    def launch(self, launch: Launch) -> None:
        self._emit("launch", **asdict(launch))

    def started(self, worker: WorkerView) -> None:
        self._emit("cohort_started", **_cohort(worker), pid=worker.pid, resumes=worker.assignment.resumes)

    def finished(self, worker: WorkerView, diverged: Sequence[str]) -> None:
        for job in worker.assignment.jobs:
            status = "diverged" if job.id in diverged else "done"
            self._emit("job_done", job=job.id, status=status, path=f"jobs/{job.id}", cohort=worker.assignment.id)
        self._emit("cohort_finished", **_cohort(worker), seconds=round(worker.seconds, 3))

    def stopped(self, worker: WorkerView) -> None:
        self._emit("cohort_stopped", **_cohort(worker), step=_step(worker))

    def preempted(self, worker: WorkerView) -> None:
        self._emit("cohort_preempted", **_cohort(worker), step=_step(worker))

    def failed(self, failed: FailedCohort) -> None:
        if not failed.retried:
            for job_id in failed.job_ids:
                self._emit("job_failed", job=job_id, path=f"jobs/{job_id}", **asdict(failed.failure))
        self._emit(
            "cohort_failed",
            cohort=failed.assignment.id,
            jobs=list(failed.job_ids),
            retried=failed.retried,
            halved=failed.halved,
            reason=failed.failure.reason,
            message=failed.failure.message,
            log=failed.log,
            environment=failed.failure.environment,
            at_fault=failed.failure.at_fault,
        )

    def message(self, text: str) -> None:
        self._emit("message", text=text)

    def wave(self, wave: WaveResult) -> None:
        self._emit("wave", **asdict(wave))

    def done(self, outcome: Outcome) -> None:
        self._emit("done", **asdict(outcome))


def _step(worker: WorkerView) -> int | None:
    return worker.heartbeat.step if worker.heartbeat else None


def _cohort(worker: WorkerView) -> dict[str, Any]:
    first = worker.assignment.jobs[0]
    return {
        "cohort": worker.assignment.id,
        "algorithm": first.algorithm,
        "sequence": first.sequence,
        "jobs": [job.id for job in worker.assignment.jobs],
    }
