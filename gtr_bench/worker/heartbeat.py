"""The worker's sign of life: one small JSON file, replaced atomically about once a second."""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from typing import Any

from gtr_bench.learners.base import Run
from gtr_bench.store.provenance import peak_memory_bytes
from gtr_bench.worker.device_memory import peak_device_memory_bytes

__all__ = ["HeartbeatWriter"]

_INTERVAL = 1.0  # seconds


class HeartbeatWriter:
    """Writes heartbeat.json of a cohort (fields: docs/design.md)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last = 0.0
        self._world = ("", -1)
        self._fields: dict[str, Any] = {"phase": 0, "phases": 0, "step": 0, "steps": 0, "steps_per_second": None}
        self._fields |= {"training_return": None, "profile": {}}
        self._fields |= {
            "note": None,
            "first_step": None,
            "saved_step": None,
            "peak_memory_bytes": None,
            "peak_device_memory_bytes": None,
        }
        self._start = (time.monotonic(), 0)

    def silent_seconds(self) -> float:
        """Seconds since the last word."""
        return time.monotonic() - self._last

    def started(self, run: Run) -> None:
        """Speed counts from here; said at once, because a watcher waits for it."""
        self._start = (time.monotonic(), run.step)
        self._fields["first_step"] = run.step
        self.say("running", run)

    def note(self, sentence: str) -> None:
        """Something the user should read, in the log and, with the next word, by the driver."""
        print(sentence, flush=True)
        self._fields["note"] = sentence

    def saved(self, run: Run) -> None:
        """There is a checkpoint of where the run stands; said at once, because what happens next may end the worker."""
        self._fields["saved_step"] = run.step
        self.say("running", run)

    def follow(self, run: Run, state: str) -> None:
        """Say where the run stands, if the last word is a second old.

        Or at once where the world is another: what ends the process in its first second must not be put down to the
        one before.
        """
        world = (state, run.phase)
        if world != self._world or time.monotonic() - self._last >= _INTERVAL:
            self._world = world
            self.say(state, run)

    def say(self, state: str, run: Run | None = None, failure: dict[str, Any] | None = None) -> None:
        """Write now; without `run` the position last written is kept."""
        if run is not None:
            seconds = time.monotonic() - self._start[0]
            speed = (run.step - self._start[1]) * run.members / seconds if seconds > 0 else None
            mean = run.training_return
            self._fields |= {
                "phase": run.phase,
                "phases": run.phases,
                "step": run.step,
                "steps": run.steps,
                "steps_per_second": speed,
                "training_return": mean if mean is not None and math.isfinite(mean) else None,
                "profile": dict(run.clock.seconds),
                "peak_memory_bytes": peak_memory_bytes(),
                "peak_device_memory_bytes": peak_device_memory_bytes(),
            }
        self._last = time.monotonic()
        content = {"pid": os.getpid(), "time": time.time(), "state": state, "failure": failure} | self._fields
        partial = self._path.with_name(f".{self._path.name}.partial")
        partial.write_text(json.dumps(content, allow_nan=False))
        os.replace(partial, self._path)
