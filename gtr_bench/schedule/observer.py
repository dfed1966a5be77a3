"""What a driver tells whoever watches: a display, a JSON stream, a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from gtr_bench.schedule.assignments import Assignment
from gtr_bench.schedule.folders import Failure
from gtr_bench.schedule.heartbeat import SILENT_SECONDS, Heartbeat

if TYPE_CHECKING:
    from gtr_bench.schedule.running import Running

__all__ = [
    "FailedCohort",
    "Fanout",
    "Launch",
    "Observer",
    "Outcome",
    "Snapshot",
    "StatementResult",
    "Stop",
    "WaveResult",
    "WorkerView",
]


class Stop(StrEnum):
    """Why a run ended before its jobs did."""

    INTERRUPTED = "interrupted"
    FAIL_FAST = "fail_fast"
    PAUSED = "paused"
    DISK = "disk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What a run is about to do; `counts` are jobs per state before it (`folders.count_states`)."""

    suite: str
    scale: str
    results: str
    jobs: int
    counts: Mapping[str, int]
    starting: int
    cohorts: int
    resumed: int
    slots: int


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A running worker as a watcher sees it. `pid` is its process on this machine, if it is one.

    `silent_seconds`: since its last sign of life.
    """

    assignment: Assignment
    heartbeat: Heartbeat | None
    pid: int | None
    seconds: float
    silent_seconds: float = 0.0

    @classmethod
    def of(cls, worker: Running) -> WorkerView:
        return cls(worker.assignment, worker.heartbeat, worker.pid, worker.seconds, worker.silent_seconds)

    @property
    def silent(self) -> bool:
        return self.silent_seconds >= SILENT_SECONDS

    @property
    def steps_per_second(self) -> float | None:
        """As it said last; None before it says any, and while it is silent."""
        return None if self.heartbeat is None or self.silent else self.heartbeat.steps_per_second


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a run: environment steps over all jobs, done and in total, jobs done and waiting, workers.

    `seconds` since the run began. `last_speed` is the steps per second last seen, which count while workers start.
    `waiting` are the cohorts of the queued jobs, the next to start first.
    """

    workers: Sequence[WorkerView]
    jobs: int
    done: int
    failed: int
    queued: int
    elsewhere: int
    done_steps: int
    total_steps: int
    seconds: float
    last_speed: float = 0.0
    waiting: Sequence[Assignment] = ()

    @property
    def steps_per_second(self) -> float:
        speed = sum(view.steps_per_second or 0.0 for view in self.workers)
        return speed if speed or any(view.silent for view in self.workers) else self.last_speed

    @property
    def remaining_seconds(self) -> float | None:
        """At the present speed of all workers together; None before there is one."""
        speed = self.steps_per_second
        return (self.total_steps - self.done_steps) / speed if speed > 0 else None


@dataclass(frozen=True, slots=True)
class FailedCohort:
    """A worker that failed. `retried`: its jobs run again; otherwise `failure` was stored for each of `job_ids`.

    `halved`: they do so in two cohorts, from their start.
    """

    assignment: Assignment
    failure: Failure
    job_ids: Sequence[str]
    retried: bool
    hint: str | None
    last_lines: Sequence[str]
    log: str
    halved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended.

    Attributes:
        counts: jobs per state now, and `diverged` (`folders.count_states`).
        reasons: failed jobs per reason.
        exit_code: 0 all done, 1 some failed or the run stopped early, 130 interrupted.
        stop, message: why it ended early, if it did; else what else is to be told of it.
        trained: jobs this run finished.
        seconds: how long it took.
        profile: seconds of worker time per activity, summed over workers.
    """

    counts: Mapping[str, int]
    reasons: Mapping[str, int]
    exit_code: int
    stop: Stop | None
    message: str | None
    trained: int
    seconds: float
    profile: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementResult:
    """A statement after a wave: `supported`, `refuted`, `undecided` or `open`; `effect` is in `unit`."""

    id: str
    verdict: str
    effect: float | None
    unit: str
    p: float | None
    wave: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveResult:
    """What a wave of seeds decided: wave `number` of at most `waves`, and the share of level `alpha` that is spent."""

    number: int
    waves: int
    seeds: Sequence[int]
    jobs: int
    alpha: float
    spent: float
    statements: Sequence[StatementResult]


class Observer:
    """Ignores everything; a watcher overrides what it cares about."""

    def launch(self, launch: Launch) -> None:
        """The request is understood and the run begins."""

    def started(self, worker: WorkerView) -> None:
        """A worker was started, or found running."""

    def progress(self, snapshot: Snapshot) -> None:
        """Several times a second."""

    def finished(self, worker: WorkerView, diverged: Sequence[str]) -> None:
        """Every member of a cohort has finished; `diverged` are the ids of those that diverged."""

    def stopped(self, worker: WorkerView) -> None:
        """A worker stopped because it was asked to, leaving its checkpoint."""

    def preempted(self, worker: WorkerView) -> None:
        """A worker stopped although this run did not ask; it is started again from its checkpoint."""

    def failed(self, failed: FailedCohort) -> None:
        """A worker failed."""

    def message(self, text: str) -> None:
        """Anything else a person should read."""

    def wave(self, wave: WaveResult) -> None:
        """All jobs of a wave have ended and what they decide is known; only with `--until-decided`."""

    def done(self, outcome: Outcome) -> None:
        """The run is over."""

    def close(self) -> None:
        """Give a terminal back; called also when the driver itself fails."""


class Fanout(Observer):
    """Passes everything on to several observers, in order."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def launch(self, launch: Launch) -> None:
        for observer in self._observers:
            observer.launch(launch)

    def started(self, worker: WorkerView) -> None:
        for observer in self._observers:
            observer.started(worker)

    def progress(self, snapshot: Snapshot) -> None:
        for observer in self._observers:
            observer.progress(snapshot)

    def finished(self, worker: WorkerView, diverged: Sequence[str]) -> None:
        for observer in self._observers:
            observer.finished(worker, diverged)

    def stopped(self, worker: WorkerView) -> None:
        for observer in self._observers:
            observer.stopped(worker)

    def preempted(self, worker: WorkerView) -> None:
        for observer in self._observers:
            observer.preempted(worker)

    def failed(self, failed: FailedCohort) -> None:
        for observer in self._observers:
            observer.failed(failed)

    def message(self, text: str) -> None:
        for observer in self._observers:
            observer.message(text)

    def wave(self, wave: WaveResult) -> None:
        for observer in self._observers:
            observer.wave(wave)

    def done(self, outcome: Outcome) -> None:
        for observer in self._observers:
            observer.done(outcome)

    def close(self) -> None:
        for observer in self._observers:
            observer.close()
