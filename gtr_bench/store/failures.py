"""failure.json: why a job did not end well, and every attempt; attempts.json keeps them while it is tried again."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from gtr_bench.errors import ResultsError
from gtr_bench.files import read_json, write_json
from gtr_bench.wording import one_line

__all__ = ["Attempt", "Failure", "note_attempt", "read_failure", "write_failure"]

_FAILURE = "failure.json"
_ATTEMPTS = "attempts.json"
_MOST_ATTEMPTS = 100
_REASON = re.compile("[a-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that failed: `reason` (error, oom, timeout, killed), `message`, `step`, `time`, the code's commit."""

    reason: str
    message: str
    step: int | None
    time: float
    git_sha: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """The content of failure.json.

    Attributes:
        reason: error, oom, timeout, killed or diverged.
        message: one line for a reader.
        log: path of the worker's log, relative to the results folder.
        step: environment steps of the job when it failed, as its last heartbeat said; None before the first.
        time: seconds since the epoch.
        git_sha: commit of the code that failed; None outside of a checkout.
        attempts: this one and all before it, the newest 100, oldest first.
        environment: the one it happened in; where that is not known, all that the job meets, parted by commas.
        at_fault: id of the job that made its cohort fail; None where that is not known.
    """

    reason: str
    message: str
    log: str
    step: int | None
    time: float
    git_sha: str | None = None
    attempts: tuple[Attempt, ...] = ()
    environment: str = ""
    at_fault: str | None = None

    def __post_init__(self) -> None:
        # Messages are others': exceptions with whole arrays, or with a terminal's escape codes.
        object.__setattr__(self, "message", one_line(self.message))


def read_failure(folder: Path) -> Failure:
    """The failure of the job with that folder; raises ResultsError where there is none or it is not one."""
    path = folder / _FAILURE
    data = read_json(path)
    try:
        one = _attempt(data)
        log = data.get("log", "")
        if not isinstance(log, str):
            raise ValueError("no path of a log")
        attempts = tuple(_attempt(each) for each in data.get("attempts") or [])
        environment, at_fault = data.get("environment") or "", data.get("at_fault")
        if not isinstance(environment, str) or not (at_fault is None or isinstance(at_fault, str)):
            raise ValueError("no environment or no job at fault")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ResultsError(f"`{path}` is not a failure record") from error
    at_fault = None if at_fault is None else one_line(at_fault, 80)
    return Failure(
        one.reason,
        one.message,
        one_line(log),
        one.step,
        one.time,
        one.git_sha,
        attempts,
        one_line(environment),
        at_fault,
    )


def write_failure(folder: Path, failure: Failure) -> None:
    """Store a failure with all attempts before it. Raises OSError if the disk refuses."""
    attempts = [*_attempts_in(folder), _of(failure)][-_MOST_ATTEMPTS:]
    write_json(folder / _FAILURE, asdict(replace(failure, attempts=tuple(attempts))))
    (folder / _ATTEMPTS).unlink(missing_ok=True)


def note_attempt(folder: Path, failure: Failure | None = None) -> None:
    """Keep what is known of the attempts of a job that is tried again, and take its failure back.

    Args:
        folder: the job's.
        failure: of the attempt that has just ended; None takes what failure.json says.

    Raises:
        OSError: the disk refuses.
    """
    known = _attempts_in(folder)
    if failure is not None:
        known.append(_of(failure))
    if known:
        write_json(folder / _ATTEMPTS, {"attempts": [asdict(each) for each in known[-_MOST_ATTEMPTS:]]})
    (folder / _FAILURE).unlink(missing_ok=True)


def _attempts_in(folder: Path) -> list[Attempt]:
    """All attempts the folder tells of; a file that cannot be read tells of none."""
    found: list[Attempt] = []
    with contextlib.suppress(ResultsError, KeyError, TypeError, ValueError, AttributeError):
        found += [_attempt(each) for each in read_json(folder / _ATTEMPTS)["attempts"]]
    try:
        failure = read_failure(folder)
    except ResultsError:
        return found
    # A file of a version before, or a worker's, has no list.
    return [*found, *(failure.attempts or (_of(failure),))] if failure.reason != "diverged" else found


def _of(failure: Failure) -> Attempt:
    return Attempt(failure.reason, failure.message, failure.step, failure.time, failure.git_sha)


def _attempt(data: Mapping[str, Any]) -> Attempt:
    """Raises KeyError, TypeError, ValueError or AttributeError for anything else."""
    reason, message = data["reason"], data.get("message") or ""
    step, time, commit = data.get("step"), data.get("time") or 0.0, data.get("git_sha")
    if not isinstance(reason, str) or not _REASON.fullmatch(reason) or not isinstance(message, str):
        raise ValueError("no reason")
    if not (step is None or type(step) is int) or not (commit is None or isinstance(commit, str)):
        raise ValueError("no step or no commit")
    if isinstance(time, bool) or not isinstance(time, int | float) or not math.isfinite(time):
        raise ValueError("no time")
    return Attempt(reason, one_line(message), step, float(time), None if commit is None else one_line(commit, 80))
