"""One job's evaluations as arrays: what every metric is computed from."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "FINAL_WINDOW",
    "Bounds",
    "Companions",
    "Direction",
    "Metric",
    "Need",
    "Run",
    "Score",
    "mean_curve",
    "undefined",
    "worst_of",
]

Direction: TypeAlias = Literal["higher", "lower", "neutral"]
"""Which side of a metric is better."""

Need = Literal["references", "oracle", "all_phases", "shift", "test", "achievements"]
"""What a suite must have for a metric: other runs, evaluations on all or on test worlds, a second phase or
achievements."""

FINAL_WINDOW = 5
"""w of `phase_final`: how many evaluation points count as the end of a phase (protocols 1 and 2)."""


@dataclass(frozen=True)
class Run:
    """The evaluations of one job, sorted by step; P points, N phases.

    Attributes:
        steps: int64 [P], steps of training before the evaluation.
        phases: int [P], the phase that was being trained, from 0.
        evaluated_phases: int [P], the phase whose world was evaluated; `phases` again unless all are evaluated.
        values: float64 [P], J: the mean return, or the success rate for the metrics of Continual World.
        fresh: bool [P], no step of the phase had been trained yet (the points `start` and `after_shift`).
        lengths: steps of each phase, N of them.
        tests: float64 [P], the mean return on the phase's test world at the same points; NaN where there is none.
        worlds: an identity of each phase's world, N of them; equal ones are the same task with the same variant.
        achievements: float64 [P, K], the share of episodes that achieved each of K; NaN where a world has no such
            achievement, K = 0 where none has any.
    """

    steps: NDArray[np.int64]
    phases: NDArray[np.int64]
    evaluated_phases: NDArray[np.int64]
    values: NDArray[np.float64]
    fresh: NDArray[np.bool_]
    lengths: tuple[int, ...]
    worlds: tuple[str, ...]
    tests: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    achievements: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def starts(self) -> list[int]:
        """The step at which each phase starts."""
        return [sum(self.lengths[:phase]) for phase in range(len(self.lengths))]

    def curve(self, phase: int, evaluated: int | None = None) -> NDArray[np.float64]:
        """J over the points of phase ((i-1)D, iD] (protocols 1), evaluated on its own world or on `evaluated`'s.

        The point taken before the first step of a phase lies outside of that interval: it belongs to `drop` and
        `recovery_steps` alone, so that every metric of an average gives equal weight to equal training.
        """
        world = phase if evaluated is None else evaluated
        return np.asarray(self.values[(self.phases == phase) & (self.evaluated_phases == world) & ~self.fresh])

    def floored(self, floor: ArrayLike, marks: Sequence[Sequence[int]], diverged_step: int | None) -> Run:
        """The curve of a run that diverged: `floor` from the divergence on, and where J is not finite.

        `floor` is one number, or one for each phase's world; achievements count as not achieved.
        `marks` are the evaluation grid: per phase the steps from its start, without its end. Points that were never
        taken are added where they would have been, so a run that diverged early weighs as many points as one that did
        not (protocols 1: never dropped).
        """
        floors = np.broadcast_to(np.asarray(floor, dtype=np.float64), len(self.lengths))
        values = np.where(np.isfinite(self.values), self.values, floors[self.evaluated_phases])
        if diverged_step is None:
            return replace(self, values=values)
        values = np.where(self.steps >= diverged_step, floors[self.evaluated_phases], values)
        tests = np.where(
            self.steps[: len(self.tests)] >= diverged_step, floors[self.phases[: len(self.tests)]], self.tests
        )
        achievements = np.where((self.steps >= diverged_step)[: len(self.achievements), None], 0.0, self.achievements)
        last = int(self.steps.max(initial=-1))
        added: list[tuple[int, int]] = []
        for phase, (start, length) in enumerate(zip(self.starts, self.lengths, strict=True)):
            grid = [*(start + mark for mark in marks[phase]), start + length]
            added += [(step, phase) for step in grid if step > last]
        everywhere = bool(np.any(self.evaluated_phases != self.phases))
        rows = [
            (step, phase, world)
            for step, phase in added
            for world in (range(len(self.lengths)) if everywhere else [phase])
        ]
        steps, phases, evaluated = np.array(rows, dtype=np.int64).reshape(-1, 3).T
        return replace(
            self,
            steps=np.concatenate([self.steps, steps]),
            phases=np.concatenate([self.phases, phases]),
            evaluated_phases=np.concatenate([self.evaluated_phases, evaluated]),
            values=np.concatenate([values, floors[evaluated]]),
            tests=np.concatenate([tests, floors[phases]]) if len(tests) else tests,
            achievements=np.pad(achievements, ((0, len(rows)), (0, 0))) if achievements.size else achievements,
            fresh=np.concatenate([self.fresh, np.zeros(len(rows), dtype=bool)]),
        )

    def scaled(self, low: ArrayLike, high: ArrayLike) -> Run:
        """J mapped so that `low` is 0 and `high` is 1, not clipped (protocols 4); numbers, or one per phase's world."""
        lows, highs = (
            np.broadcast_to(np.asarray(bound, dtype=np.float64), len(self.lengths))[self.evaluated_phases]
            for bound in (low, high)
        )
        tests = (self.tests - lows) / (highs - lows) if len(self.tests) else self.tests
        return replace(self, values=(self.values - lows) / (highs - lows), tests=tests)

    def between(self, bounds: Bounds, high: NDArray[np.bool_]) -> Run:
        """The same points with J at its upper bound where `high` [P] says so, at its lower one elsewhere."""
        world = self.evaluated_phases
        values = np.where(high, bounds.high[world], bounds.low[world])
        return replace(self, values=values, tests=values if len(self.tests) else self.tests)


class Bounds(NamedTuple):
    """The least and the largest J on the world of each phase; both float64 [N]."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class Companions:
    """Other runs a metric may compare with.

    Attributes:
        references: phase -> the runs, trained from scratch on that phase's world alone, that are the bar there.
        oracle: the run of the oracle on the same sequence with the same seed.
        peaks: the largest |J| of all compared runs on the world of each phase, float64 [N]; empty for a run alone.
        mapped: the suite says which returns count as 0 and 1, so that 0 means having learned nothing.
    """

    references: Mapping[int, Sequence[Run]] = field(default_factory=dict)
    oracle: Run | None = None
    peaks: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    mapped: bool = False


@dataclass(frozen=True)
class Score:
    """One run's value of one metric.

    Attributes:
        value: the number; NaN when it is not defined for this run.
        censored: how many events behind it were cut off (recoveries that did not happen within their phase).
        reason: why it is not defined, or what was left out of it; empty otherwise.
    """

    value: float
    censored: int = 0
    reason: str = ""

    @property
    def defined(self) -> bool:
        """Whether there is a number."""
        return math.isfinite(self.value)


class Metric(ABC):
    """Base of all metrics; third parties subclass it and register the class as an entry point.

    Class attributes say what a report must know: `name`, `direction` (which way is better), `needs` (what else must
    have been run), `values` (what J is) and `definition`, the line printed under a table.
    """

    name: ClassVar[str]
    direction: ClassVar[Direction]
    needs: ClassVar[frozenset[Need]] = frozenset()
    values: ClassVar[Literal["return", "success_rate"]] = "return"
    unit: ClassVar[Literal["return", "share", "percent", "steps"]] = "return"
    """Shares and percentages compare between environments as they are, returns when the suite says how to normalise
    them."""
    ratio: ClassVar[bool] = False
    """Needs positive J: computed on returns mapped to [0, 1] where the suite says how."""
    definition: ClassVar[str]

    @classmethod
    def reads_references(cls) -> bool:
        """Whether reference runs, where there are any, are among the companions it asks for."""
        return cls.ratio or "references" in cls.needs

    @classmethod
    @abstractmethod
    def score(cls, run: Run, companions: Companions) -> Score:
        """The metric of one run."""

    @classmethod
    def largest_where(cls, run: Run) -> NDArray[np.bool_]:
        """At which points [P] J must be high, and low elsewhere, for the metric to be as large as it can be.

        By default everywhere where more is better, nowhere where less is. A metric of changes says it for itself.
        """
        return np.full(len(run.values), cls.direction != "lower")

    @classmethod
    def worst(cls, run: Run, companions: Companions, bounds: Bounds, direction: Literal["higher", "lower"]) -> Score:
        """The metric of a run with the points of `run` that did as badly as `bounds` allow, by the side that is better.

        What diverged or failed counts no better than this.
        """
        largest = cls.largest_where(run)
        return cls.score(run.between(bounds, ~largest if direction == "higher" else largest), companions)


def worst_of(scores: Iterable[Score], direction: Literal["higher", "lower"]) -> Score | None:
    """The worst of those that are defined, by the side that is better; None where there is none."""
    defined = [score for score in scores if score.defined]
    pick = min if direction == "higher" else max
    return pick(defined, key=lambda score: score.value, default=None)


def undefined(reason: str) -> Score:
    """A score without a number."""
    return Score(math.nan, reason=reason)


def mean_curve(runs: Sequence[Run], summarise: Callable[[NDArray[np.float64]], float]) -> float:
    """Mean over `runs` of a summary of their only phase; references are averaged over seeds first (protocols 2)."""
    return float(np.mean([summarise(run.curve(0)) for run in runs]))
