"""How far a run is: jobs done and failed, environment steps, and the sum of it all at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from gtr_bench.schedule.assignments import job_steps
from gtr_bench.schedule.folders import JobState, State, count_states
from gtr_bench.schedule.heartbeat import Heartbeat
from gtr_bench.schedule.observer import Outcome, Stop

if TYPE_CHECKING:
    from gtr_bench.suite import Job

__all__ = ["Tally"]


class Tally:
    """Counts for displays; what decides about a job are its files alone."""

    def __init__(self, jobs: Mapping[str, Job]) -> None:
        """`jobs`: id -> job."""
        self._steps = {name: job_steps(job) for name, job in jobs.items()}
        self._all_steps = sum(self._steps.values())
        self.done: set[str] = set()
        self.failed: set[str] = set()
        self.done_steps = 0
        self.trained = 0
        self.profile: dict[str, float] = {}

    def note_done(self, name: str) -> None:
        """A job's job.parquet is there; told twice it counts once."""
        if name not in self.done:
            self.done.add(name)
            self.done_steps += self._steps[name]

    def note_failed(self, names: Iterable[str]) -> None:
        """Jobs this run will not try again."""
        self.failed.update(names)

    def note_profile(self, heartbeat: Heartbeat | None) -> None:
        """Add the activities of a worker that has ended."""
        for activity, seconds in heartbeat.profile.items() if heartbeat is not None else ():
            self.profile[activity] = self.profile.get(activity, 0.0) + seconds

    @property
    def steps_to_reach(self) -> int:
        """Environment steps at which this run has done what it can: those of failed jobs are not counted."""
        return self._all_steps - sum(self._steps[name] for name in self.failed)

    def outcome(
        self, states: Mapping[str, JobState], *, stop: Stop | None, message: str | None, seconds: float
    ) -> Outcome:
        """The end of a run, from the states its files are in now."""
        counts = count_states(states.values())
        reasons = Counter(state.reason or "error" for state in states.values() if state.state is State.FAILED)
        all_done = counts["done"] == len(states)
        return Outcome(
            counts=counts,
            reasons=dict(reasons),
            exit_code=130 if stop is Stop.INTERRUPTED else 0 if all_done else 1,
            stop=stop,
            message=message,
            trained=self.trained,
            seconds=seconds,
            profile=dict(self.profile),
        )
