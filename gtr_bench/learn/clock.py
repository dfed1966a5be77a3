"""Where a worker's time goes: seconds per activity, for `--profile` and the heartbeat."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["ACTIVITIES", "Clock"]

ACTIVITIES = ("environment", "policy", "update", "diagnostics", "evaluation", "storing")


class Clock:
    """Sums of wall seconds by activity; inside `measure` nothing else is counted."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(ACTIVITIES, 0.0)
        self._paused = False

    def add(self, activity: str, seconds: float) -> None:
        """Count seconds measured by the caller (hot loops)."""
        if not self._paused:
            self.seconds[activity] += seconds

    @contextmanager
    def measure(self, activity: str) -> Iterator[None]:
        """Count the block's wall time as `activity`; what it reports itself is not counted again."""
        start, outer = time.perf_counter(), self._paused
        self._paused = True
        try:
            yield
        finally:
            self._paused = outer
            self.add(activity, time.perf_counter() - start)
