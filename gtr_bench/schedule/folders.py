"""Where a results folder keeps what, and the state its files say a job is in (design rule 3).

    results/jobs/<job id>/      job.parquet: done; failure.json: failed; lock: held while a worker trains the job
    results/cohorts/<cohort id>/cohort.json, checkpoint/, heartbeat.json, log.txt

Done = job.parquet exists. Failed = failure.json exists and job.parquet does not. Nothing else decides.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from gtr_bench.errors import RequestError, ResultsError
from gtr_bench.files import write_json
from gtr_bench.schedule.claims import Claims, FlockClaims

__all__ = ["Failure", "JobState", "ResultsFolder", "State", "count_states", "read_json", "wanted"]


_JOB_ID = re.compile("[0-9a-f]{16}")


class State(StrEnum):
    """What a job's files say about it."""

    DONE = "done"
    FAILED = "failed"
    RUNNING = "running"
    TO_RUN = "to_run"


@dataclass(frozen=True, slots=True)
class JobState:
    """`reason` is that of a failed job (error, oom, timeout, killed), or `diverged` for a done job that diverged."""

    state: State
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """The content of failure.json.

    Attributes:
        reason: error, oom, timeout, killed or diverged.
        message: one line for a reader.
        log: path of the worker's log, relative to the results folder.
        step: environment steps of the job when it failed, as its last heartbeat said; None before the first.
        time: seconds since the epoch.
    """

    reason: str
    message: str
    log: str
    step: int | None
    time: float


@dataclass(frozen=True, slots=True)
class ResultsFolder:
    """Paths inside one results folder; construction touches no disk."""

    root: Path

    @property
    def jobs(self) -> Path:
        return self.root / "jobs"

    @property
    def cohorts(self) -> Path:
        return self.root / "cohorts"

    def job(self, job_id: str) -> Path:
        return self.jobs / job_id

    def lock(self, job_id: str) -> Path:
        return self.jobs / job_id / "lock"

    @property
    def claims(self) -> Claims:
        """How its jobs are claimed."""
        return FlockClaims(self.lock)

    def failure(self, job_id: str) -> Path:
        return self.jobs / job_id / "failure.json"

    def cohort(self, cohort_id: str) -> Path:
        return self.cohorts / cohort_id

    def log(self, cohort_id: str) -> Path:
        return self.cohorts / cohort_id / "log.txt"

    def require(self) -> None:
        """Raise RequestError unless the folder exists and can be read."""
        if not self.root.is_dir():
            raise RequestError(
                f"there is no results folder `{self.root}`",
                hint="name another with `--results DIR`, or make one with `gtr-bench run SUITE`",
            )
        if not os.access(self.root, os.R_OK | os.X_OK):
            raise RequestError(f"the results folder `{self.root}` cannot be read", hint="check its permissions")

    def prepare(self) -> None:
        """Create the folder and prove that it can be written; raises RequestError."""
        try:
            for folder in (self.jobs, self.cohorts):
                folder.mkdir(parents=True, exist_ok=True)
                probe = folder / f".write_test.{os.getpid()}"
                probe.touch()
                probe.unlink()
        except OSError as error:
            raise RequestError(
                f"the results folder `{self.root}` cannot be written: {error.strerror or error}",
                hint="check its permissions, or name another with `--results DIR`",
            ) from error

    def job_ids(self) -> list[str]:
        """Ids of the jobs the folder knows, sorted; whatever else lies there (`.DS_Store`) is passed over."""
        try:
            names = os.listdir(self.jobs)
        except FileNotFoundError:
            return []
        return sorted(name for name in names if _JOB_ID.fullmatch(name))

    def is_done(self, job_id: str) -> bool:
        return (self.job(job_id) / "job.parquet").exists()

    def survey(self, job_ids: Iterable[str]) -> dict[str, JobState]:
        """The state of every job, from file names, failure.json and locks only; no Parquet is read."""
        try:
            existing = set(os.listdir(self.jobs))
        except FileNotFoundError:
            existing = set()
        except OSError as error:
            raise RequestError(f"the results folder `{self.root}` cannot be read: {error.strerror}") from error
        untouched = JobState(State.TO_RUN)
        return {job_id: self._state(job_id) if job_id in existing else untouched for job_id in job_ids}

    def _state(self, job_id: str) -> JobState:
        try:
            names = os.listdir(f"{self.root}/jobs/{job_id}")
        except NotADirectoryError:
            return JobState(State.TO_RUN)
        if "job.parquet" in names:
            return JobState(State.DONE, "diverged" if "failure.json" in names else None)
        # A job that is being tried again is running, whatever it left behind before.
        if "lock" in names and self.claims.held(job_id):
            return JobState(State.RUNNING)
        if "failure.json" in names:
            return JobState(State.FAILED, self.read_failure(job_id).reason)
        return JobState(State.TO_RUN)

    def read_failure(self, job_id: str) -> Failure:
        """The job's failure; one that cannot be read is told as an `error` whose message says so."""
        path = self.failure(job_id)
        try:
            data = read_json(path)
            return Failure(**{name: data.get(name) for name in Failure.__dataclass_fields__})  # type: ignore[arg-type]
        except ResultsError as error:
            return Failure(reason="error", message=error.sentence, log="", step=None, time=0.0)

    def write_failure(self, job_id: str, failure: Failure) -> None:
        write_json(self.failure(job_id), asdict(failure))

    def cohort_of(self, job_id: str) -> str | None:
        """The cohort that last trained the job, which its lock file names; None when no driver started it."""
        try:
            # Paths as text: a plan asks this for 10,000 jobs, and building a Path takes longer than the system call.
            with open(f"{self.root}/jobs/{job_id}/lock", encoding="utf-8") as file:
                return file.read().strip() or None
        except (FileNotFoundError, NotADirectoryError):
            return None


def wanted(state: JobState, *, retry_failed: bool) -> bool:
    """Whether a run trains a job: those never finished, those killed, and on request those that failed otherwise.

    A diverged job without job.parquet was killed in the instant between its two files.
    """
    if state.state is State.FAILED:
        return retry_failed or state.reason in {"killed", "diverged"}
    return state.state is State.TO_RUN


def count_states(states: Iterable[JobState]) -> dict[str, int]:
    """Jobs per state, every state named, plus `diverged` (a part of `done`)."""
    seen = list(states)
    counts = Counter(state.state.value for state in seen)
    diverged = sum(state.state is State.DONE and state.reason == "diverged" for state in seen)
    return {**{state.value: counts[state.value] for state in State}, "diverged": diverged}


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; raises ResultsError when the file is missing, unreadable or something else."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultsError(f"`{path}` cannot be read as JSON") from error
    if not isinstance(data, dict):
        raise ResultsError(f"`{path}` is not a JSON object")
    return data
