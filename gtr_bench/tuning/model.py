"""A tuning as plain data: what every algorithm tried, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gtr_bench.ablation.model import Axis, Setting

__all__ = ["AlgorithmTuning", "Sampler", "Trial", "Tuning"]

Sampler = Literal["qmc", "tpe", "random"]


@dataclass(frozen=True)
class Trial:
    """One setting of one algorithm.

    Attributes:
        number: in the order in which they were asked for, from 0.
        setting: the searched parameters.
        score: mean over environments of the mean over seeds, diverged and failed jobs at the worst; None while jobs are
            missing, and where not even a worst value is known.
        diverged, failed, missing: how many of its jobs.
        jobs: ids of those that ended.
    """

    number: int
    setting: Setting
    score: float | None
    diverged: int
    failed: int
    missing: int
    jobs: tuple[str, ...]


@dataclass(frozen=True)
class AlgorithmTuning:
    """All trials of one algorithm; `best` is the one chosen, None where no trial has a score."""

    algorithm: str
    axes: tuple[Axis, ...]
    trials: tuple[Trial, ...]
    best: Trial | None

    @property
    def suites_own(self) -> Trial | None:
        """The trial of the values that the suite states; None where no trial has them."""
        stated = {axis.name: axis.stated for axis in self.axes}
        return next((trial for trial in self.trials if dict(trial.setting) == stated), None)

    def jobs(self, state: Literal["diverged", "failed", "missing"]) -> int:
        """How many jobs of all trials are in a state."""
        return sum(getattr(trial, state) for trial in self.trials)


@dataclass(frozen=True)
class Tuning:
    """A tuning of all algorithms of a suite.

    `finished` is when the last trial's job ended, as job.parquet has it; `unit` that of scores; `reconstructions` are
    the algorithms whose form is this project's reconstruction, with the registered names behind them.
    """

    name: str
    suite: str
    scale: str
    metric: str
    direction: Literal["higher", "lower"]
    unit: str
    budget: int
    sampler: Sampler
    seeds: tuple[int, ...]
    tune_fraction: float
    phases: Mapping[str, tuple[int, int]]
    """environment -> phases trained, phases of the suite"""
    smoke: bool
    finished: str
    reconstructions: Mapping[str, str]
    algorithms: tuple[AlgorithmTuning, ...]

    @property
    def missing(self) -> int:
        """Jobs that have not ended."""
        return sum(each.jobs("missing") for each in self.algorithms)

    @property
    def complete(self) -> bool:
        """Whether every trial has ended and every algorithm has a choice."""
        return not self.missing and all(each.best is not None for each in self.algorithms)
