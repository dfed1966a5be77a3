"""A study as plain data: what was tried, what came out, and the numbers a rendering prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gtr_bench.metrics.interval import Estimate
from gtr_bench.metrics.sensitivity import Plateau, Region, Sensitivity

__all__ = [
    "Axis",
    "Importance",
    "Point",
    "ResponseCurve",
    "Setting",
    "StudyRecords",
    "StudyReport",
    "TrialRecord",
    "TuningVerdict",
    "Value",
]

Value: TypeAlias = float | int | str | bool
Setting: TypeAlias = Mapping[str, Value]
TuningVerdict: TypeAlias = Literal["no", "yes", "undecided"]
"""Whether the parameters need more tuning per task than the reference's."""


@dataclass(frozen=True)
class Axis:
    """One parameter of a study: a range from `low` to `high`, or `choices`; `stated` is the suite's own value."""

    name: str
    kind: Literal["float", "int", "choice"]
    stated: Value | None
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Value, ...] = ()

    @property
    def numeric(self) -> bool:
        """Whether its values have an order and a distance."""
        return self.kind != "choice" or all(type(each) in (int, float) for each in self.choices)

    @property
    def logarithmic(self) -> bool:
        """Whether distances along it are decades: a logarithmic range, or listed numbers above 0."""
        return self.log or (self.kind == "choice" and self.numeric and all(float(each) > 0 for each in self.choices))

    def places(self, value: Value) -> bool:
        """Whether a value has a place on it; the suite's own value may be 0, which a logarithmic axis does not have."""
        return not self.logarithmic or float(value) > 0


@dataclass(frozen=True)
class TrialRecord:
    """One setting and its scores: environment -> seed -> value, diverged seeds at the worst.

    `kernel_left`: whether any of its runs left GTR's kernel; None where no run says so, or there is no kernel;
    `within_kernel`: what GTR is while they do not, empty where that is not known.
    """

    number: int
    algorithm: str
    label: str
    setting: Setting
    scores: Mapping[str, Mapping[int, float]]
    diverged: int
    failed: int
    missing: int
    jobs: tuple[str, ...]
    kernel_left: bool | None = None
    within_kernel: str = ""


@dataclass(frozen=True)
class StudyRecords:
    """A study's request and its trials, those of the subject and those of the reference algorithm.

    `algorithm` is the suite's label, `registered` the algorithm behind it; `reconstruction` says whether its form is
    this project's reconstruction.
    """

    name: str
    suite: str
    scale: str
    algorithm: str
    reconstruction: bool
    metric: str
    direction: Literal["higher", "lower"]
    unit: str
    environments: tuple[str, ...]
    seeds: tuple[int, ...]
    sampler: str
    sampler_seed: int
    tune_fraction: float
    smoke: bool
    axes: tuple[Axis, ...]
    trials: tuple[TrialRecord, ...]
    reference: str | None
    reference_axes: tuple[Axis, ...]
    reference_trials: tuple[TrialRecord, ...]
    registered: str


@dataclass(frozen=True)
class Point:
    """A value of one parameter: its score with an interval over seeds, and how many settings have it."""

    value: Value
    estimate: Estimate
    settings: int


@dataclass(frozen=True)
class ResponseCurve:
    """The response to one parameter in one environment, or over all of them (`environment` is None)."""

    axis: Axis
    environment: str | None
    points: tuple[Point, ...]
    plateau: Plateau | None

    def best(self, direction: Literal["higher", "lower"]) -> Point | None:
        """The point with the best mean; the first of equals."""
        sign = -1.0 if direction == "lower" else 1.0
        return max(self.points, key=lambda point: sign * point.estimate.value, default=None)


@dataclass(frozen=True)
class Importance:
    """Share of each parameter; `spread` is its std over the evaluator's seeds; `note` says how far to trust it."""

    evaluator: str
    seeds: tuple[int, ...]
    shares: Mapping[str, float]
    spread: Mapping[str, float]
    note: str


@dataclass(frozen=True)
class StudyReport:
    """Everything a rendering of a study prints.

    `reference_best` is the reference's best setting over all environments. `kernel` says where GTR's kernel was never
    left, sentences; none where it was, or nobody knows.
    """

    records: StudyRecords
    curves: tuple[ResponseCurve, ...]
    best: TrialRecord | None
    best_score: Estimate | None
    best_per_environment: Mapping[str, TrialRecord]
    sensitivity: Sensitivity | None
    reference_sensitivity: Sensitivity | None
    reference_best: TrialRecord | None
    reference_best_score: Estimate | None
    difference: Estimate | None
    region: Region | None
    dimensionality: int | None
    importances: tuple[Importance, ...]
    verdict: TuningVerdict
    headline: str
    sentence: str
    kernel: tuple[str, ...]
    notes: tuple[str, ...]
