"""The numbers of a comparison as plain data: what `gtr_bench.compare.build` computes and every format renders."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from gtr_bench.report.absences import Absence
from gtr_bench.report.model import Provenance

__all__ = [
    "REGRESSIONS",
    "VERDICTS",
    "CellChange",
    "CellName",
    "CellVerdict",
    "Comparison",
    "CurveChange",
    "MetricChange",
    "Side",
    "SideAbsence",
]

CellVerdict = Literal["worse", "failed", "better", "changed", "unchanged", "identical", "not compared"]
VERDICTS: tuple[CellVerdict, ...] = ("worse", "failed", "better", "changed", "unchanged", "identical", "not compared")
"""From the one a reader must see first to the one that says nothing."""
REGRESSIONS = frozenset({"worse", "failed"})
"""The verdicts that end the command with exit code 1."""


@dataclass(frozen=True)
class CellName:
    """One algorithm on one environment of a suite at one scale."""

    suite: str
    scale: str
    environment: str
    algorithm: str


@dataclass(frozen=True)
class MetricChange:
    """One metric of one cell, before (A) and after (B).

    Attributes:
        direction: which way is better.
        before, after: means over the n pairs, or over all seeds of a side where there are no pairs.
        difference: B - A; paired, `low` to `high` is what the test of no difference does not reject, infinite where
            the pairs are too few to reject anything.
        n: pairs with a value on both sides; unpaired the seeds of the smaller side.
        test, p, p_adjusted: of no difference; adjusted by Holm over all cells and metrics tested.
        margin_p_adjusted: the same of a difference beyond the margin; equal without one.
        detectable: the difference n seeds find with power 0.8, when none was shown; None where they never can.
        outcome: what the test says.
        reason: one sentence where it does not decide.
    """

    metric: str
    direction: Literal["higher", "lower", "neutral"]
    before: float | None = None
    after: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    test: str = ""
    p: float | None = None
    p_adjusted: float | None = None
    margin_p_adjusted: float | None = None
    detectable: float | None = None
    outcome: Literal["better", "worse", "changed", "not shown"] = "not shown"
    reason: str = ""


@dataclass(frozen=True)
class CurveChange:
    """The learning curves of one cell, as mean return by step.

    Attributes:
        step, phase: where they differ most, by `statistic` = |mean difference| / standard error there, which is None
            where the seeds agree exactly; `difference` is B - A there.
        points: evaluation points that every curve of the cell has; the test is corrected over them.
        p, p_adjusted: of no difference anywhere; adjusted by Holm over all cells.
        n: pairs, or seeds of the smaller side.
    """

    step: int
    phase: int
    difference: float
    statistic: float | None
    points: int
    n: int
    test: str
    p: float
    p_adjusted: float


@dataclass(frozen=True)
class CellChange:
    """One algorithm on one environment, compared.

    Attributes:
        reconstruction: its form is this project's reconstruction.
        paired: by seed; else the sides have no seed in common.
        seeds: of the pairs; unpaired, empty. `alone` are the finished seeds of A and of B without a partner.
        identical: pairs whose evaluations are equal to the bit.
        parameters, versions: what differs between the definitions, as `name before -> after`.
        speed: median of steps per second, B / A; it says nothing about the learning.
        reasons: why this verdict, and what a reader must know about it.
        jobs: ids behind it, of A and of B.
    """

    suite: str
    scale: str
    environment: str
    algorithm: str
    reconstruction: bool
    verdict: CellVerdict
    paired: bool
    seeds: tuple[int, ...]
    alone: tuple[tuple[int, ...], tuple[int, ...]]
    identical: int
    parameters: tuple[str, ...]
    versions: tuple[str, ...]
    metrics: tuple[MetricChange, ...]
    curve: CurveChange | None
    speed: float | None
    reasons: tuple[str, ...]
    jobs: tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class Side:
    """One side as the user named it, what made its jobs, and what is to be known about it.

    `vector_levels` are those of the jobs that are compared, as far as they say.
    """

    name: str
    provenance: Provenance
    notes: tuple[str, ...]
    vector_levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class SideAbsence:
    """Jobs of a cell on one side that failed, diverged or did not end."""

    side: Literal["A", "B"]
    suite: str
    scale: str
    absence: Absence


@dataclass(frozen=True)
class Comparison:
    """Everything a format renders. `a` is before, `b` after; `margin` is in the unit of the only metric.

    `reconstructed` are the registered names of the algorithms whose form is this project's reconstruction.
    """

    a: Side
    b: Side
    alpha: float
    margin: float
    metrics: tuple[str, ...]
    cells: tuple[CellChange, ...]
    only_a: tuple[CellName, ...]
    only_b: tuple[CellName, ...]
    absences: tuple[SideAbsence, ...]
    method: str
    reconstructed: tuple[str, ...] = ()

    @property
    def regression(self) -> bool:
        """Whether a cell got worse, or has jobs that fail now."""
        return any(cell.verdict in REGRESSIONS for cell in self.cells)

    @property
    def counts(self) -> dict[CellVerdict, int]:
        """How many cells have each verdict, without those no cell has."""
        counted = Counter(cell.verdict for cell in self.cells)
        return {verdict: counted[verdict] for verdict in VERDICTS if counted[verdict]}
