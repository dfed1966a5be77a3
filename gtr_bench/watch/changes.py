"""Whether results changed since a report was made of them, without reading any."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["fingerprint"]

_OF_JOBS = ("evaluations.parquet", "iterations.parquet", "job.parquet", "failure.json")
_TEXTS = ("requests", "suites", "sequential")
"""folders with the suites' texts: the ledger of requests, and what earlier versions had"""


def fingerprint(results: Sequence[Path], suite: Path | None = None) -> bytes | None:
    """A digest of the names, inodes, sizes and times of the files that a report is made of; None without jobs.

    Every writer of ours renames a new file into place, so its inode tells too where a clock stands still. What workers
    rewrite every second (heartbeats, logs, checkpoints) is not among them.

    Args:
        results: results folders; one that is missing or cannot be read counts as empty.
        suite: a suite file whose text the report takes as it is now.
    """
    if not any(_names(f"{folder}/jobs") for folder in results):
        return None
    digest = hashlib.blake2b(digest_size=16)
    for path in _paths(results, suite):
        try:
            found = os.stat(path)
        except OSError:
            continue
        digest.update(f"{path}\0{found.st_ino}\0{found.st_size}\0{found.st_mtime_ns}\n".encode(errors="replace"))
    return digest.digest()


def _paths(results: Sequence[Path], suite: Path | None) -> Iterator[str]:
    if suite is not None:
        yield str(suite)
    for folder in results:
        for job in _names(f"{folder}/jobs"):
            yield from (f"{folder}/jobs/{job}/{name}" for name in _OF_JOBS)
        yield from (f"{folder}/cohorts/{name}/cohort.json" for name in _names(f"{folder}/cohorts"))
        for texts in _TEXTS:
            for suites in _names(f"{folder}/{texts}"):
                yield f"{folder}/{texts}/{suites}"
                yield from (f"{folder}/{texts}/{suites}/{name}" for name in _names(f"{folder}/{texts}/{suites}"))


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
