"""Find the log of a job by the beginning of its id."""

from __future__ import annotations

import errno
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gtr_bench.errors import RequestError, UnknownNameError
from gtr_bench.files import is_folder, kind_of_entry, read_regular
from gtr_bench.schedule.folders import ResultsFolder

__all__ = ["JobLog", "find_job", "read_log"]


@dataclass(frozen=True, slots=True)
class JobLog:
    """`text` is empty when the worker printed nothing; `failure` is the content of failure.json, if there is one."""

    job: str
    path: str
    text: str
    failure: dict[str, Any] | None


def find_job(folder: ResultsFolder, prefix: str) -> str:
    """The one job whose id begins so; raises RequestError when there is none or more than one."""
    known = folder.job_ids()
    found = [name for name in known if name.startswith(prefix)]
    if not found:
        if len(known) > 20:
            # A list of a thousand ids helps nobody.
            raise RequestError(f"unknown job `{prefix}`", hint="`gtr-bench plan SUITE --list` lists the ids of a suite")
        raise UnknownNameError("job", prefix, known)
    if len(found) > 1:
        raise RequestError(f"`{prefix}` begins {len(found)} job ids", hint="they are " + ", ".join(found[:5]))
    return found[0]


def read_log(folder: ResultsFolder, prefix: str) -> JobLog:
    """The log of the worker that last trained the job; raises RequestError when no job or no worker is known."""
    job = find_job(folder, prefix)
    cohort = folder.cohort_of(job)
    if cohort is None:
        raise RequestError(f"no worker has trained the job `{job}` yet")
    path = folder.log(cohort)
    failure = asdict(folder.read_failure(job)) if os.path.lexists(folder.failure(job)) else None
    return JobLog(job, str(path), _text(folder, path), failure)


def _text(folder: ResultsFolder, path: Path) -> str:
    """The log's text; empty where there is none, or none that is a file of ours."""
    try:
        if not is_folder(path.parent) and os.path.lexists(path.parent):
            raise OSError(errno.ENOTDIR, f"{kind_of_entry(path.parent)} lies in place of its folder")
        return read_regular(path).decode(errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        folder.warn(f"left out `{path}`: {error.strerror}")
        return ""
