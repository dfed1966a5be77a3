"""A learner kind of another package that learns nothing: its return is a seeded random walk. No torch, no simulator."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from gtr_bench.errors import ResultsError
from gtr_bench.learners.base import Iteration, LearnerKind, Objection


class CounterShared(BaseModel):
    """What `[training]` may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stride: int = Field(64, ge=1, description="steps of an iteration")


class CounterParameters(CounterShared):
    """And what the algorithm adds."""

    drift: float = Field(0.1, description="mean change of the return per iteration")
    pause: float = Field(0.0, ge=0, description="seconds an iteration takes")
    gives_up_at: int = Field(0, ge=0, description="step at which a member diverges; 0 = never")


class Counter:
    """The only algorithm of the kind."""

    name: ClassVar[str] = "counter"
    version: ClassVar[int] = 1
    learner: ClassVar[str] = "counter"
    Parameters: ClassVar[type[BaseModel]] = CounterParameters
    own_defaults: ClassVar[frozenset[str]] = frozenset()
    starts_anew_at_shift: ClassVar[bool] = False
    needs_boundaries: ClassVar[bool] = False
    reconstruction: ClassVar[bool] = False
    columns: ClassVar[Mapping[str, str]] = {"walk_noise": "the newest random number"}


class CounterLearner(LearnerKind):
    """Jobs train alone."""

    version: ClassVar[int] = 3
    Shared: ClassVar[type[BaseModel]] = CounterShared
    columns: ClassVar[Mapping[str, str]] = {"level": "where the walk stands"}

    def refusals(self, parameters: Mapping[str, Any], network: Mapping[str, Any], steps: int) -> Any:
        if steps % parameters["stride"]:
            yield Objection(f"`steps_per_phase` {steps} is not a multiple of `stride` {parameters['stride']}")

    def iteration(self, parameters: Mapping[str, Any], steps: int) -> Iteration:
        return Iteration(parameters["stride"], "stride", "lower `stride`")

    def iterations(self, definition: Mapping[str, Any]) -> int:
        return sum(_phases(definition)) // int(definition["algorithm"]["parameters"]["stride"])

    def marks(self, definition: Mapping[str, Any]) -> list[list[int]]:
        stride, every = definition["algorithm"]["parameters"]["stride"], definition["evaluation"]["every"]
        phases = _phases(definition)
        return [[step for step in range(stride, length, stride) if step % every < stride] for length in phases]

    def start(self, definitions: Sequence[Mapping[str, Any]], *, device: str, threads: int, pulse: Any) -> CounterRun:
        (definition,) = definitions
        return CounterRun(definition, self.marks(definition), pulse)


class Clock:
    """The one activity a worker measures itself, and the walk."""

    def __init__(self) -> None:
        self.seconds = {"walk": 0.0, "storing": 0.0}

    @contextmanager
    def measure(self, activity: str) -> Any:
        start = time.perf_counter()
        yield
        self.seconds[activity] += time.perf_counter() - start


class CounterRun:
    """One walk."""

    members = 1

    def __init__(self, definition: Mapping[str, Any], marks: list[list[int]], pulse: Callable[..., None]) -> None:
        self._p, self._marks, self._pulse = definition["algorithm"]["parameters"], marks, pulse
        self._lengths = _phases(definition)
        self._random = np.random.default_rng(definition["seed"])
        self._level = 0.0
        self._evaluations: list[list[Any]] = []
        self._iterations: list[list[Any]] = []
        self.step, self.steps, self.phase, self.phases = 0, sum(self._lengths), 0, len(self._lengths)
        self.training_return: float | None = None
        self.diverged = np.array([-1])
        self.messages = [""]
        self.clock = Clock()

    @property
    def finished(self) -> bool:
        return self.step == self.steps or bool(self.diverged[0] >= 0)

    def run(self, after_iteration: Callable[[], bool]) -> None:
        if self.step == 0:
            self._evaluate("start")
        while not self.finished:
            with self.clock.measure("walk"):
                self._iterate()
            if not after_iteration():
                return

    def _iterate(self) -> None:
        time.sleep(self._p["pause"])
        noise = float(self._random.normal())
        self._level += self._p["drift"] + noise
        self.step += self._p["stride"]
        self.training_return = self._level
        self._iterations.append([len(self._iterations), self.step, self.phase, self._level, noise])
        self._pulse(self, "running")
        if self.step == self._p["gives_up_at"]:
            self.diverged[0], self.messages[0] = self.step, "the walk was told to give up"
            return
        done = self.step - sum(self._lengths[: self.phase])
        if done == self._lengths[self.phase]:
            last = self.phase + 1 == self.phases
            self._evaluate("end" if last else "before_shift")
            if not last:
                self.phase += 1
                self._evaluate("after_shift")
        elif done in self._marks[self.phase]:
            self._evaluate("grid")

    def _evaluate(self, point: str) -> None:
        self._evaluations.append([self.step, self.phase, self.phase, point, 1, self._level])

    def rows_of(self, member: int) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
        def columns(names: str, rows: list[list[Any]]) -> dict[str, list[Any]]:
            return {name: [row[place] for row in rows] for place, name in enumerate(names.split())}

        return (
            columns("step phase evaluated_phase point episodes return_mean", self._evaluations),
            columns("iteration step phase level walk_noise", self._iterations),
        )

    def save(self, folder: Path) -> None:
        state = {
            "walk": [self.step, self.phase, self._level],
            "end": [int(self.diverged[0]), self.messages[0]],
            "random": self._random.bit_generator.state,
            "rows": [self._evaluations, self._iterations],
        }
        (folder / "parts").mkdir()  # a folder may hold folders
        (folder / "parts" / "walk.json").write_text(json.dumps(state))

    def load(self, folder: Path) -> None:
        try:
            state = json.loads((folder / "parts" / "walk.json").read_text())
        except ValueError as error:
            raise ResultsError("the walk is damaged") from error
        self.step, self.phase, self._level = state["walk"]
        self.diverged[0], self.messages[0] = state["end"]
        self._random.bit_generator.state = state["random"]
        self._evaluations, self._iterations = state["rows"]

    def close(self) -> None:
        """Nothing to free."""


def _phases(definition: Mapping[str, Any]) -> list[int]:
    return [int(phase["steps"]) for phase in definition["sequence"]["phases"]]
