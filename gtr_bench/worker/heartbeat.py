"""The worker's sign of life: one small JSON file, replaced atomically about once a second."""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from typing import Any

from gtr_bench.learn.training import Training
from gtr_bench.store.provenance import peak_memory_bytes
from gtr_bench.worker.device_memory import peak_device_memory_bytes

__all__ = ["Heartbeat"]

_INTERVAL = 1.0  # seconds


class Heartbeat:
    """Writes heartbeat.json of a cohort (fields: docs/design.md)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last = 0.0
        self._fields: dict[str, Any] = {"phase": 0, "phases": 0, "step": 0, "steps": 0, "steps_per_second": None}
        self._fields |= {"training_return": None, "profile": {}}
        self._fields |= {"first_step": None, "peak_memory_bytes": None, "peak_device_memory_bytes": None}
        self._start = (time.monotonic(), 0)

    def silent_seconds(self) -> float:
        """Seconds since the last word."""
        return time.monotonic() - self._last

    def started(self, training: Training) -> None:
        """Speed counts from here; said at once, because a watcher waits for it."""
        self._start = (time.monotonic(), training.step)
        self._fields["first_step"] = training.step
        self.say("running", training)

    def follow(self, training: Training, state: str) -> None:
        """Say where training stands, if the last word is a second old."""
        if time.monotonic() - self._last >= _INTERVAL:
            self.say(state, training)

    def say(self, state: str, training: Training | None = None, failure: dict[str, Any] | None = None) -> None:
        """Write now; without `training` the position last written is kept."""
        if training is not None:
            seconds = time.monotonic() - self._start[0]
            speed = (training.step - self._start[1]) * training.members / seconds if seconds > 0 else None
            mean = training.training_return
            self._fields |= {
                "phase": training.phase,
                "phases": training.phases,
                "step": training.step,
                "steps": training.steps,
                "steps_per_second": speed,
                "training_return": mean if mean is not None and math.isfinite(mean) else None,
                "profile": dict(training.clock.seconds),
                "peak_memory_bytes": peak_memory_bytes(),
                "peak_device_memory_bytes": peak_device_memory_bytes(),
            }
        self._last = time.monotonic()
        content = {"pid": os.getpid(), "time": time.time(), "state": state, "failure": failure} | self._fields
        partial = self._path.with_name(f".{self._path.name}.partial")
        partial.write_text(json.dumps(content, allow_nan=False))
        os.replace(partial, self._path)
