"""A resolved suite and its jobs. Plain data: no file, no TOML, no place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from gtr_bench.suite.identity import job_ids
from gtr_bench.suite.model import ClaimTable, Estimand, Failures, Scope, SequentialTable, TunedTable

__all__ = ["Cell", "Job", "Suite", "World"]

Role = Literal["run", "reference"]


@dataclass(frozen=True, slots=True)
class Job:
    """One algorithm on one sequence with one seed; `id` is the hash of `definition`, the rest are labels.

    `role` is `run`, or `reference` for a run on a single phase of the sequence, from scratch.
    """

    id: str
    definition: dict[str, Any] = field(compare=False, repr=False)
    suite: str
    scale: str
    algorithm: str
    sequence: str
    role: Role
    seed: int


@dataclass(frozen=True, slots=True)
class World:
    """A sequence of a suite at one scale: the environment of every phase, and the returns that count as 0 and 1.

    `normalise` has them by environment; `normalised_by` is the name under which its family knows them, None where the
    suite gives the numbers.
    """

    id: str
    environments: tuple[str, ...]
    steps_per_phase: int
    normalise: Mapping[str, tuple[float, float]] | None = field(hash=False)
    references: bool
    normalised_by: str | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """What the seeds of one algorithm on one sequence share: a definition without its seed, and the labels."""

    algorithm: str
    sequence: str
    role: Role
    definition: dict[str, Any] = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite at one scale, checked. `text` is the file as read; `algorithms` are labels in the order of the file.

    `reference` says whose reference runs are the bar (`gtr_bench.suite.bars`). `sequential` says that the seeds are
    given in waves; `seeds` are then all that may be given. `smoke`: the scale is too small beside the suite's full one
    for a claim. `tuned` is what the file records of the choice of its values.
    """

    name: str
    path: str
    text: str = field(repr=False)
    question: str
    scale: str
    scales: tuple[str, ...]
    primary_metric: str
    metric_direction: Literal["higher", "lower"] | None
    alpha: float
    estimand: Estimand
    scope: Scope
    failures: Failures
    comparisons: tuple[tuple[str, str], ...]
    claims: tuple[ClaimTable, ...]
    worlds: tuple[World, ...]
    algorithms: tuple[str, ...]
    seeds: tuple[int, ...]
    cells: tuple[Cell, ...] = field(repr=False)
    smoke: bool
    reference: str
    sequential: SequentialTable | None = None
    tuned: TunedTable | None = field(default=None, hash=False)

    @property
    def first_seeds(self) -> tuple[int, ...]:
        """Those every algorithm gets: all, or the first wave."""
        return self.seeds if self.sequential is None else self.seeds[: self.sequential.wave]

    def jobs(self) -> list[Job]:
        """All jobs, cell by cell and seed by seed; definitions share their unchanging parts: read, don't write."""
        return self.jobs_of(self.cells, self.seeds)

    def jobs_of(self, cells: Iterable[Cell], seeds: Sequence[int]) -> list[Job]:
        """The jobs of some cells and seeds, in this order."""
        return [
            Job(
                identity,
                {**cell.definition, "seed": seed},
                self.name,
                self.scale,
                cell.algorithm,
                cell.sequence,
                cell.role,
                seed,
            )
            for cell in cells
            for seed, identity in zip(seeds, job_ids(cell.definition, seeds), strict=True)
        ]
