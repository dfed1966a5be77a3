"""What the driver asks of the place where workers run: is there room, start this one, has it ended.

An executor is one file, found by name (`executors/registry.py`); the driver knows neither processes nor cards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gtr_bench.schedule.assignments import Assignment
    from gtr_bench.schedule.claims import Claim

__all__ = ["Demand", "Executor", "Exit", "Handle", "Usage"]


@dataclass(frozen=True, slots=True)
class Demand:
    """What a worker will take: threads, and the bytes of host and card memory that workers like it have taken.

    None is unknown: nothing like it has been measured.
    """

    cores: int
    host_bytes: int | None = None
    device_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """The most memory an executor has seen a worker hold; None where it cannot tell."""

    host_bytes: int | None = None
    device_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Exit:
    """How a worker ended: its exit code, negative for the signal that killed it.

    `out_of_memory`: the executor knows that it was killed for taking more memory than it was given.
    """

    code: int
    out_of_memory: bool = False


class Handle(Protocol):
    """A worker that was started."""

    @property
    def pid(self) -> int | None:
        """Its process on this machine; None where it runs elsewhere."""

    @property
    def waiting(self) -> bool:
        """Whether it is still queued for a machine: what may not take too long has not begun."""

    def poll(self) -> Exit | None:
        """How it ended; None while it has not. Asked often, and again after the end."""

    def stop(self) -> None:
        """Ask it to checkpoint and exit with 75."""

    def kill(self) -> None:
        """End it and whatever it has started at once."""

    def usage(self) -> Usage:
        """What it has been seen to take so far."""


class Executor(Protocol):
    """A place where workers run."""

    @property
    def slots(self) -> int:
        """Workers at once, at most."""

    @property
    def device(self) -> str:
        """Where workers train: `cpu` or `cuda`."""

    @property
    def detached(self) -> bool:
        """Whether workers outlive the driver; a later one then finds them with `attach`."""

    def room(self, demand: Demand) -> bool:
        """Whether `submit` may be called now. With none of its workers running, False is for those who can wait."""

    def submit(self, assignment: Assignment, document: Path, demand: Demand, claims: Sequence[Claim]) -> Handle:
        """Start `python -m gtr_bench.worker DOCUMENT`, or queue it; a log goes to `log.txt` beside the document.

        `GTR_BENCH_DRIVER` must be absent from the environment of a worker that is to outlive the driver.

        Raises:
            OSError: the disk or the system refuses; the claims are still the caller's.
        """

    def attach(self, cohort: Path) -> Handle | None:
        """The worker an earlier driver submitted on the cohort of this folder, ended or not; None if there is none."""
