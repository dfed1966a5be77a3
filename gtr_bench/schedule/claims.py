"""Claims on jobs: who holds one may train the job, and nobody else.

Held as exclusive flocks that live as long as any process holding their descriptor. The driver takes a claim and a
worker process on the same machine inherits the descriptor: a flock belongs to the open file description, so the job
stays claimed until both have closed it or died, whichever of them is killed first.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol

from gtr_bench.files import is_folder, open_regular, set_aside

__all__ = ["Claim", "Claims", "FlockClaim", "FlockClaims", "is_held"]


class Claim(Protocol):
    """The exclusive right to train one job."""

    @property
    def job_id(self) -> str: ...

    @property
    def descriptor(self) -> int | None:
        """What a worker process of this machine inherits to hold the claim too; None where nothing is inherited."""

    def name_cohort(self, cohort_id: str) -> None:
        """Store which cohort trains the job, so that its log and checkpoint are found at once."""

    def release(self) -> None:
        """Give it back; a worker that inherited it keeps it."""


class Claims(Protocol):
    """How the jobs of a results folder are claimed."""

    def take(self, job_id: str) -> Claim | None:
        """Claim without waiting; None when somebody else holds the job. Raises OSError if the disk refuses."""

    def held(self, job_id: str) -> bool:
        """Whether somebody holds the job. Raises OSError where that cannot be told: then nobody does."""


class FlockClaim:
    """A flock; `take` gets it, `release` (or dying) gives it back."""

    def __init__(self, job_id: str, descriptor: int) -> None:
        self.job_id = job_id
        self.descriptor: int | None = descriptor

    @classmethod
    def take(cls, path: Path, job_id: str) -> FlockClaim | None:
        """Claim without waiting; None when another process holds the file. Raises OSError if the disk refuses.

        What lies in the way is set aside: a link or a file in place of the job's folder, anything but a file in place
        of its lock.
        """
        _set_aside_unless(is_folder, path.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        _set_aside_unless(_is_file, path)
        descriptor = open_regular(path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return cls(job_id, descriptor)

    def name_cohort(self, cohort_id: str) -> None:
        """Write the cohort into the lock file; raises ValueError once the claim is given back."""
        if self.descriptor is None:
            raise ValueError(f"the claim on {self.job_id} was given back")
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, cohort_id.encode() + b"\n", 0)

    def release(self) -> None:
        """Close this process's descriptor; a worker that inherited it keeps the claim."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def __enter__(self) -> FlockClaim:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class FlockClaims:
    """Claims on the lock files `path_of(job_id)`."""

    def __init__(self, path_of: Callable[[str], Path]) -> None:
        self._path_of = path_of

    def take(self, job_id: str) -> FlockClaim | None:
        return FlockClaim.take(self._path_of(job_id), job_id)

    def held(self, job_id: str) -> bool:
        return is_held(self._path_of(job_id))


def is_held(path: Path) -> bool:
    """Whether some process holds the lock file; a missing file is not held. Needs read permission only.

    Raises:
        OSError: it is a link or no file, or may not be read.
    """
    try:
        descriptor = open_regular(path)
    except FileNotFoundError:
        return False
    try:
        # Shared: two readers asking at the same time do not take each other for a worker.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _set_aside_unless(fits: Callable[[Path], bool], path: Path) -> None:
    """Set aside what lies there and does not fit. Two drivers that find it do so once."""
    if os.path.lexists(path) and not fits(path):
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.path.lexists(path) and not fits(path):
                set_aside(path)
        finally:
            os.close(descriptor)


def _is_file(path: Path) -> bool:
    return stat.S_ISREG(os.lstat(path).st_mode)
