"""May another worker start: memory that is there against memory workers of its shape took, and free disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from gtr_bench.schedule.assignments import Assignment, shape_of
from gtr_bench.schedule.process import WorkerProcess

__all__ = ["MemoryGate", "free_disk_bytes"]


def available_memory_bytes() -> int:
    """Memory that can be given to a new process without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)


def free_disk_bytes(path: Path) -> int:
    """Bytes an ordinary user may still write to the file system of `path` or of its nearest existing parent."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


class MemoryGate:
    """Learns what workers of a shape take and says whether one more fits."""

    def __init__(self, unknown_bytes: int, available: Callable[[], int] = available_memory_bytes) -> None:
        self._unknown_bytes = unknown_bytes
        self._available = available
        self._peaks: dict[tuple[str, int], int] = {}

    def expected(self, assignment: Assignment) -> int:
        """Bytes a worker on this assignment will take at its peak: seen ones of its shape, else the default."""
        return self._peaks.get(_shape(assignment), self._unknown_bytes)

    def learn(self, worker: WorkerProcess) -> None:
        """Remember a finished worker's peak."""
        if worker.peak_memory_bytes:
            shape = _shape(worker.assignment)
            self._peaks[shape] = max(self._peaks.get(shape, 0), worker.peak_memory_bytes)

    def fits(self, assignment: Assignment, running: Iterable[WorkerProcess]) -> bool:
        """Whether the memory suffices, counting what running workers will still grow by."""
        growth = sum(max(0, self.expected(worker.assignment) - worker.memory_bytes) for worker in running)
        return self.expected(assignment) + growth <= self._available()


def _shape(assignment: Assignment) -> tuple[str, int]:
    return shape_of(assignment.records[0]), len(assignment.records)
