"""What a worker says about itself in heartbeat.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gtr_bench.errors import ResultsError
from gtr_bench.schedule.folders import read_json

__all__ = ["Heartbeat", "WorkerFailure", "read_heartbeat"]


@dataclass(frozen=True, slots=True)
class WorkerFailure:
    """Why a worker gave up. `startup`: before its first training step, so the next cohort may meet the same."""

    reason: str
    message: str
    startup: bool


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One reading. `step` of `steps` environment steps of one member; `steps_per_second` summed over members."""

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


def read_heartbeat(path: Path) -> Heartbeat | None:
    """The worker's last heartbeat; None before the first, or when the file is not one."""
    try:
        return _parse(read_json(path))
    except (ResultsError, KeyError, TypeError, ValueError):
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
        failure=None
        if failure is None
        else WorkerFailure(str(failure["reason"]), str(failure["message"]), bool(failure.get("startup"))),
        profile={str(name): float(seconds) for name, seconds in (data.get("profile") or {}).items()},
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
