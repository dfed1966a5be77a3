"""The state of a job, told by the files in its folder: what run, plan, status, reports and waves ask (design rule 3).

Done: job.parquet is whole, and the tables beside it have the sizes that it states. Damaged: job.parquet is there and
that does not hold; such a job is to be run, and what lies there is set aside first. Reads no Parquet.
"""

from __future__ import annotations

import errno
import os
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gtr_bench.errors import ResultsError
from gtr_bench.files import open_regular, read_regular
from gtr_bench.store.checksum import has_ends, is_sealed, is_whole, matches
from gtr_bench.store.failures import read_failure

__all__ = [
    "DAMAGED",
    "JOB_FILE",
    "TABLES",
    "TABLES_KEY",
    "JobState",
    "State",
    "count_states",
    "damage_in",
    "damage_of",
    "state_of",
    "stated",
    "way_out",
]

JOB_FILE = "job.parquet"
TABLES = ("evaluations.parquet", "iterations.parquet")
TABLES_KEY = "gtr_bench_tables"
"""Key in job.parquet's metadata; the value is `NAME=BYTES:CRC-32,` of each table that lay beside it."""

DAMAGED = "damaged"
_TAIL = 65536
"""bytes at the end of job.parquet in which its metadata are; its footer has about 6 kB"""
_MOST_JOB_BYTES = 64_000_000
_MOST_TABLE_BYTES = 1 << 32
# As of `checksum`: a key of 16 bytes, then a value whose length takes one or two.
_STATED = re.compile(rb"\x18\x10gtr_bench_tables\x18[\x00-\xff]{1,2}?((?:[a-z]+\.parquet=\d{1,15}:[0-9a-f]{8},)+)\x00")


class State(StrEnum):
    """What a job's files say about it."""

    DONE = "done"
    FAILED = "failed"
    RUNNING = "running"
    TO_RUN = "to_run"


@dataclass(frozen=True, slots=True)
class JobState:
    """`reason` is that of a failed job (error, oom, timeout, killed), `diverged` for a done job that diverged, or
    `damaged` for one to run whose files are; `problem` is a sentence on what is wrong with a file, if something is.
    """

    state: State
    reason: str | None = None
    problem: str = ""


def count_states(states: Iterable[JobState]) -> dict[str, int]:
    """Jobs per state, every state named, plus `diverged` (a part of `done`) and `damaged` (a part of `to_run`)."""
    seen = list(states)
    counts = Counter(state.state.value for state in seen)
    diverged = sum(state.state is State.DONE and state.reason == "diverged" for state in seen)
    damaged = sum(state.state is State.TO_RUN and state.reason == DAMAGED for state in seen)
    return {**{state.value: counts[state.value] for state in State}, "diverged": diverged, DAMAGED: damaged}


def state_of(folder: str, held: Callable[[], bool], *, thorough: bool = False) -> JobState:
    """The state of the job with that folder.

    Args:
        folder: path of a folder that is there.
        held: whether somebody holds the job; asked where a lock is. May raise OSError: then nobody does.
        thorough: also read the tables of a done job and compare their checksums.
    """
    try:
        names = os.listdir(folder)
    except OSError as error:
        return JobState(State.TO_RUN, DAMAGED, f"`{folder}` cannot be listed: {error.strerror}")
    damage = damage_of(folder, thorough=thorough) if JOB_FILE in names else None
    if JOB_FILE in names and damage is None:
        return JobState(State.DONE, "diverged" if "failure.json" in names else None)
    problem = f"`{folder}` is damaged: {damage}; {way_out()}" if damage is not None else ""
    if "lock" in names:
        try:
            # A job that is being tried again is running, whatever it left behind before.
            if held():
                return JobState(State.RUNNING)
        except OSError as error:
            problem = problem or f"left out `{folder}/lock`: {error.strerror}"
    if damage is not None:
        return JobState(State.TO_RUN, DAMAGED, problem)
    if "failure.json" not in names:
        return JobState(State.TO_RUN, None, problem)
    try:
        return JobState(State.FAILED, read_failure(Path(folder)).reason, problem)
    except ResultsError as error:
        return JobState(State.FAILED, "error", problem or error.sentence)


def damage_of(folder: str | Path, *, thorough: bool = False) -> str | None:
    """What is wrong with the files of a job that has a job.parquet; None where they are whole."""
    try:
        content = read_regular(f"{folder}/{JOB_FILE}", _MOST_JOB_BYTES)
    except OSError as error:
        return f"`{JOB_FILE}`: {error.strerror}"
    return damage_in(content, folder, thorough=thorough)


def damage_in(content: bytes, folder: str | Path, *, thorough: bool = False) -> str | None:
    """As `damage_of`, of a job.parquet that is read already."""
    if not is_whole(content):
        return f"`{JOB_FILE}` is not whole"
    found = _STATED.findall(content, max(0, len(content) - _TAIL))
    # What states its tables was written with a checksum: one that is not found has lost a bit of its name.
    if not matches(content) or (found and not is_sealed(content)):
        return f"`{JOB_FILE}` does not match its checksum"
    told = dict(entry.split("=") for entry in found[-1].decode().strip(",").split(",")) if found else None
    for name in TABLES:
        damage = _damage_of_table(f"{folder}/{name}", name, told, thorough=thorough)
        if damage is not None:
            return damage
    return None


def _damage_of_table(path: str, name: str, told: dict[str, str] | None, *, thorough: bool) -> str | None:
    """What is wrong with a table; `told` are those stated, None where job.parquet is older than that."""
    wanted, _, checksum = told.get(name, "").partition(":") if told is not None else ("", "", "")
    size = None
    try:
        descriptor = open_regular(path)
        try:
            size = os.fstat(descriptor).st_size
            ends = os.pread(descriptor, 4, 0) + os.pread(descriptor, 8, max(0, size - 8))
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno != errno.ENOENT:
            return f"`{name}`: {error.strerror}"
    if told is not None and wanted != ("" if size is None else str(size)):
        has = "is missing" if size is None else f"has {size:,} bytes"
        return f"`{name}` {has}, `{JOB_FILE}` says {f'{int(wanted):,}' if wanted else 'none'}"
    if size is None:
        return None
    if not has_ends(ends, size):
        return f"`{name}` is not whole"
    if thorough:
        try:
            content = read_regular(path, _MOST_TABLE_BYTES)
            if not matches(content) or (checksum and checksum != f"{zlib.crc32(content):08x}"):
                return f"`{name}` does not match its checksum"
        except OSError as error:
            return f"`{name}`: {error.strerror}"
    return None


def stated(folder: Path) -> str:
    """The value of `TABLES_KEY` for the tables that lie in a job's folder now. Raises OSError where one is no file."""
    told = []
    for name in TABLES:
        try:
            content = read_regular(folder / name)
        except FileNotFoundError:
            continue
        told.append(f"{name}={len(content)}:{zlib.crc32(content):08x},")
    return "".join(told)


def way_out() -> str:
    """What to do about a damaged job."""
    return "run the suite again to train the job anew"
