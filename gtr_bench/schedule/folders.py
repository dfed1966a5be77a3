"""Where a results folder keeps what; what its files say of a job is `store.state`'s affair (design rule 3).

    results/jobs/<job id>/      job.parquet: done; failure.json: failed; lock: held while a worker trains the job
    results/cohorts/<cohort id>/cohort.json, checkpoint/, heartbeat.json, log.txt

A results folder is not trusted: only what has a job's or cohort's id for a name is one, links are not followed, and
nothing outside of it is written or removed. What cannot be used is named on stderr and left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gtr_bench.errors import RequestError, ResultsError
from gtr_bench.files import clear, is_folder, kind_of_entry, read_json, read_regular, set_aside
from gtr_bench.schedule.claims import Claims, FlockClaims
from gtr_bench.store.cohorts import IDENTIFIER, read_cohort
from gtr_bench.store.failures import Failure, note_attempt, read_failure, write_failure
from gtr_bench.store.state import (
    DAMAGED,
    JOB_FILE,
    TABLES,
    JobState,
    State,
    count_states,
    damage_of,
    state_of,
)
from gtr_bench.store.warn import warn_on_stderr

__all__ = ["Failure", "JobState", "ResultsFolder", "State", "count_states", "read_json", "wanted"]

_LONGEST_LOCK = 100


@dataclass(frozen=True, slots=True)
class ResultsFolder:
    """Paths inside one results folder; construction touches no disk."""

    root: Path
    _told: set[str] = field(default_factory=set, init=False, repr=False, compare=False)

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

    def warn(self, sentence: str) -> None:
        """Tell the user on stderr; each sentence once, however often a folder is looked at."""
        if sentence not in self._told:
            self._told.add(sentence)
            warn_on_stderr(sentence)

    def prepare(self) -> None:
        """Create the folder and prove that it can be written; raises RequestError."""
        try:
            for folder in (self.jobs, self.cohorts):
                if folder.is_symlink():
                    # It may be the user's own, for room elsewhere, or lead to what is nobody's to write.
                    raise RequestError(
                        f"`{folder}` is a link, and nothing outside of the results folder is written",
                        hint="make the results folder itself the link, or name its place with `--results DIR`",
                    )
                if os.path.lexists(folder) and not is_folder(folder):
                    self.warn(f"`{folder}` is {kind_of_entry(folder)}: kept as `{set_aside(folder).name}`")
                folder.mkdir(parents=True, exist_ok=True)
                probe = folder / f".write_test.{os.getpid()}"
                clear(probe)
                open(probe, "xb").close()
                probe.unlink()
        except OSError as error:
            raise RequestError(
                f"the results folder `{self.root}` cannot be written: {error.strerror or error}",
                hint="check its permissions, or name another with `--results DIR`",
            ) from error

    def job_ids(self) -> list[str]:
        """Ids of the jobs the folder knows, sorted; whatever else lies there (`.DS_Store`) is passed over."""
        entries = {name: usable for name, usable in self._entries().items() if IDENTIFIER.fullmatch(name)}
        for name in (name for name, usable in entries.items() if not usable):
            self.warn(self._not_a_folder(name))
        return sorted(name for name, usable in entries.items() if usable)

    def is_done(self, job_id: str) -> bool:
        """Whether the job is done and every byte of its files is as it was written."""
        folder = self.job(job_id)
        return os.path.lexists(folder / JOB_FILE) and is_folder(folder) and damage_of(folder, thorough=True) is None

    def survey(self, job_ids: Iterable[str], *, thorough: bool = False) -> dict[str, JobState]:
        """The state of every job, from its files and locks (`store.state`); what is wrong with one is told on stderr.

        Args:
            job_ids: ids, known to the folder or not.
            thorough: read the tables of done jobs too; a run does, a plan need not.

        Raises:
            RequestError: the folder cannot be read.
        """
        existing = self._entries()
        untouched = JobState(State.TO_RUN)
        states = {
            job_id: self._state(job_id, usable, thorough) if (usable := existing.get(job_id)) is not None else untouched
            for job_id in job_ids
        }
        for state in states.values():
            if state.problem:
                self.warn(state.problem)
        return states

    def _entries(self) -> dict[str, bool]:
        """What lies among the jobs, and whether it is a folder: a link to one is none."""
        if not is_folder(self.jobs):
            if os.path.lexists(self.jobs):
                self.warn(f"left out `{self.jobs}`: {kind_of_entry(self.jobs)}, not a folder")
            return {}
        try:
            with os.scandir(self.jobs) as entries:
                return {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
        except OSError as error:
            raise RequestError(f"the results folder `{self.root}` cannot be read: {error.strerror}") from error

    def _state(self, job_id: str, usable: bool, thorough: bool) -> JobState:
        if not usable:
            return JobState(State.TO_RUN, DAMAGED, self._not_a_folder(job_id))
        return state_of(f"{self.root}/jobs/{job_id}", lambda: self.claims.held(job_id), thorough=thorough)

    def _not_a_folder(self, job_id: str) -> str:
        path = self.job(job_id)
        return f"left out `{path}`: {kind_of_entry(path)}, not a folder"

    def read_failure(self, job_id: str) -> Failure:
        """The job's failure; one that cannot be read is told as an `error` whose message says so."""
        try:
            return read_failure(self.job(job_id))
        except ResultsError as error:
            return Failure(reason="error", message=error.sentence, log="", step=None, time=0.0)

    def write_failure(self, job_id: str, failure: Failure) -> None:
        """Store a job's failure, with all attempts before it."""
        write_failure(self.job(job_id), failure)

    def note_attempt(self, job_id: str, failure: Failure) -> None:
        """Store the failure of an attempt that is followed by another."""
        note_attempt(self.job(job_id), failure)

    def clean_job(self, job_id: str) -> None:
        """Make a claimed job's folder ready for a worker: what is damaged is set aside, what writers left is removed.

        Raises:
            OSError: the disk refuses.
        """
        folder = self.job(job_id)
        damaged = os.path.lexists(folder / JOB_FILE)
        for name in (JOB_FILE, *TABLES):
            path = folder / name
            if os.path.lexists(path) and (damaged or not path.is_file() or path.is_symlink()):
                self.warn(f"`{path}` is damaged: kept as `{set_aside(path).name}`, the job is trained anew")
        # A writer killed in the middle leaves its file; under the claim no other can be writing here.
        for partial in folder.glob(".*.partial"):
            clear(partial)
        for name in ("failure.json", "attempts.json"):
            if (folder / name).is_symlink() or is_folder(folder / name):
                clear(folder / name)
        note_attempt(folder)

    def clean_cohort(self, cohort_id: str) -> Path:
        """The cohort's folder, made where there is none, without what a worker would write through or take for its own.

        Raises:
            OSError: the disk refuses.
        """
        folder = self.cohort(cohort_id)
        if os.path.lexists(folder) and not is_folder(folder):
            self.warn(f"`{folder}` is {kind_of_entry(folder)}: kept as `{set_aside(folder).name}`")
        folder.mkdir(parents=True, exist_ok=True)
        with os.scandir(folder) as entries:
            for entry in entries:
                strange = not entry.is_file(follow_symlinks=False) and not entry.is_dir(follow_symlinks=False)
                # An old heartbeat would be taken for this worker's; others are written in place or renamed over.
                if strange or entry.name == "heartbeat.json" or entry.name.endswith(".json.partial"):
                    clear(Path(entry.path))
                elif entry.name in {"cohort.json", "log.txt"} and entry.is_dir(follow_symlinks=False):
                    set_aside(Path(entry.path))
        return folder

    def cohort_of(self, job_id: str) -> str | None:
        """The cohort that last trained the job, which its lock file names; None when no driver started it."""
        path = f"{self.root}/jobs/{job_id}/lock"
        try:
            # Paths as text: a plan asks this for 10,000 jobs, and building a Path takes longer than the system call.
            named = read_regular(path, _LONGEST_LOCK).decode("ascii", errors="replace").strip()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.warn(f"left out `{path}`: {error.strerror}")
            return None
        if not named:
            return None
        if not IDENTIFIER.fullmatch(named):
            self.warn(f"left out `{path}`: it names no cohort")
            return None
        return named

    def read_cohort(self, cohort_id: str) -> dict[str, Any] | None:
        """The content of a cohort's cohort.json; None where there is none, or one that is named and left out."""
        folder = self.cohort(cohort_id)
        if not os.path.lexists(folder):
            return None
        if not is_folder(folder):
            self.warn(f"left out `{folder}`: {kind_of_entry(folder)}, not a folder")
            return None
        if not os.path.lexists(folder / "cohort.json"):
            return None
        try:
            return read_cohort(folder / "cohort.json")
        except ResultsError as error:
            self.warn(f"left out: {error.sentence}")
            return None


def wanted(state: JobState, *, retry_failed: bool) -> bool:
    """Whether a run trains a job: those never finished, those killed, and on request those that failed otherwise.

    A diverged job without job.parquet was killed in the instant between its two files.
    """
    if state.state is State.FAILED:
        return retry_failed or state.reason in {"killed", "diverged"}
    return state.state is State.TO_RUN
