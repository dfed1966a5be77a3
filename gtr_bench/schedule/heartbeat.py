"""What a worker says about itself in heartbeat.json."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gtr_bench.errors import ResultsError
from gtr_bench.schedule.folders import read_json

__all__ = ["SILENT_SECONDS", "Heartbeat", "HeartbeatFile", "WorkerFailure", "read_heartbeat"]

SILENT_SECONDS = 30.0
"""A worker that trains or evaluates speaks once a second; one without a word for so long is shown as silent."""


@dataclass(frozen=True, slots=True)
class WorkerFailure:
    """Why a worker gave up. `startup`: before its first training step, so the next cohort may meet the same.

    `environment` and `member` of the cohort: whose fault it was; None where the worker does not know.
    """

    reason: str
    message: str
    startup: bool
    environment: str | None = None
    member: int | None = None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One reading.

    `step` of `steps` environment steps of one member; `first_step` is where this worker began, None before that is
    known; `saved_step` is that of the newest checkpoint it has left, None before the first; `note` is a sentence for
    the user; `steps_per_second` is summed over members. The peaks are the worker's own words, None where it says
    nothing.
    """

    state: str
    time: float
    phase: int
    phases: int
    step: int
    steps: int
    steps_per_second: float | None
    training_return: float | None
    failure: WorkerFailure | None
    profile: Mapping[str, float] = field(default_factory=dict)
    first_step: int | None = None
    saved_step: int | None = None
    note: str | None = None
    peak_memory_bytes: int | None = None
    peak_device_memory_bytes: int | None = None

    @property
    def moved(self) -> bool:
        """Whether the worker has taken a step."""
        return self.first_step is not None and self.step > self.first_step

    @property
    def progressed(self) -> bool:
        """Whether the worker has left a checkpoint further than where it began: the next one goes on from there."""
        return None not in (self.first_step, self.saved_step) and (self.saved_step or 0) > (self.first_step or 0)


class HeartbeatFile:
    """A heartbeat.json that is looked at again and again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version = (0, 0)

    def news(self) -> Heartbeat | None:
        """The heartbeat, if it is another than the last time."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        version = (status.st_ino, status.st_mtime_ns)
        if version == self._version:
            return None
        heartbeat = read_heartbeat(self._path)
        if heartbeat is not None:
            self._version = version
        return heartbeat


def read_heartbeat(path: Path) -> Heartbeat | None:
    """The worker's last heartbeat; None before the first, or when the file is not one."""
    try:
        return _parse(read_json(path))
    except (ResultsError, KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None


def _parse(data: Mapping[str, Any]) -> Heartbeat:
    failure = data.get("failure")
    return Heartbeat(
        state=str(data["state"]),
        time=float(data["time"]),
        phase=int(data.get("phase") or 0),
        phases=int(data.get("phases") or 0),
        step=int(data.get("step") or 0),
        steps=int(data.get("steps") or 0),
        steps_per_second=_number(data.get("steps_per_second")),
        training_return=_number(data.get("training_return")),
        failure=None if failure is None else _failure(failure),
        profile={str(name): float(seconds) for name, seconds in (data.get("profile") or {}).items()},
        first_step=_whole(data.get("first_step")),
        saved_step=_whole(data.get("saved_step")),
        note=None if data.get("note") is None else str(data["note"]),
        peak_memory_bytes=_whole(data.get("peak_memory_bytes")),
        peak_device_memory_bytes=_whole(data.get("peak_device_memory_bytes")),
    )


def _failure(data: Mapping[str, Any]) -> WorkerFailure:
    environment = data.get("environment")
    return WorkerFailure(
        str(data["reason"]),
        str(data["message"]),
        bool(data.get("startup")),
        None if environment is None else str(environment),
        _whole(data.get("member")),
    )


def _number(value: Any) -> float | None:
    if value is not None and not math.isfinite(value):
        raise ValueError(f"{value} is no speed and no return")
    return None if value is None else float(value)


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
