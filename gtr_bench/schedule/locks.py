"""Claims on jobs: exclusive flocks that live as long as any process holding their descriptor.

The driver takes a claim and hands the descriptors to the worker, which inherits them: a flock belongs to the open
file description, so the job stays claimed until both have closed it or died, whichever of them is killed first.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

__all__ = ["Claim", "is_held"]


class Claim:
    """The exclusive right to train one job; `take` gets it, `release` (or dying) gives it back."""

    def __init__(self, job_id: str, descriptor: int) -> None:
        self.job_id = job_id
        self.descriptor = descriptor

    @classmethod
    def take(cls, path: Path, job_id: str) -> Claim | None:
        """Claim without waiting; None when another process holds the job. Raises OSError if the disk refuses."""
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return cls(job_id, descriptor)

    def name_cohort(self, cohort_id: str) -> None:
        """Write into the lock file which cohort trains the job, so that its log and checkpoint are found at once."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, cohort_id.encode() + b"\n", 0)

    def release(self) -> None:
        """Close this process's descriptor; a worker that inherited it keeps the claim."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> Claim:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def is_held(path: Path) -> bool:
    """Whether some process holds the lock file; a missing file is not held. Needs read permission only."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
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
