"""The numbers of a report as plain data: what `gtr_bench.report.build` computes and every format renders."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SMOKE_SCALES", "Aggregate", "Cell", "Difference", "MetricTable", "Provenance", "Report", "SuiteReport"]

SMOKE_SCALES = frozenset({"laptop"})
"""Scales too short for a claim; a report says so."""


@dataclass(frozen=True)
class Difference:
    """Mean over seeds both have of (algorithm - baseline), in the metric's unit; `n` pairs."""

    baseline: str
    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Cell:
    """One algorithm in one environment.

    `value` is the mean over `n` seeds, None for no seed. Of the n, `diverged` counted the floor; `undefined` finished
    jobs have no value of this metric; `failed` and `missing` jobs have none at all. `jobs` are the ids of the n.
    """

    sequence: str
    algorithm: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    diverged: int
    undefined: int
    failed: int
    missing: int
    censored: int
    difference: Difference | None
    jobs: tuple[str, ...]


@dataclass(frozen=True)
class Aggregate:
    """One algorithm over all environments; None where an environment has no seed. `n`: fewest seeds of any."""

    algorithm: str
    mean: float | None
    mean_low: float | None
    mean_high: float | None
    iqm: float | None
    iqm_low: float | None
    iqm_high: float | None
    environments: int
    n: int


@dataclass(frozen=True)
class MetricTable:
    """One metric: a cell per environment and algorithm, and aggregates where environments can be compared."""

    metric: str
    primary: bool
    direction: str
    definition: str
    cells: tuple[Cell, ...]
    aggregates: tuple[Aggregate, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class SuiteReport:
    """One suite at one scale; `reconstructions` are the labels whose form is this project's reconstruction."""

    suite: str
    scale: str
    question: str
    smoke: bool
    baseline: str | None
    algorithms: tuple[str, ...]
    reconstructions: tuple[str, ...]
    tables: tuple[MetricTable, ...]
    jobs: dict[str, int]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Provenance:
    """What produced the numbers; sorted, each value once."""

    jobs: int
    jobs_digest: str
    gtr_bench: tuple[str, ...]
    git: tuple[str, ...]
    packages_digests: tuple[str, ...]
    devices: tuple[str, ...]
    reported_by: str


@dataclass(frozen=True)
class Report:
    """Everything a format renders."""

    suites: tuple[SuiteReport, ...]
    method: str
    provenance: Provenance
