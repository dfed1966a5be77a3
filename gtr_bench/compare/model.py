"""The numbers of a comparison as plain data: what `gtr_bench.compare.build` computes and every format renders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from gtr_bench.report.absences import Absence
from gtr_bench.report.model import Provenance
from gtr_bench.wording import counted

__all__ = [
    "CANNOT_DECIDE",
    "EXIT_CODES",
    "REGRESSION",
    "UNJUDGED",
    "VERDICTS",
    "CellChange",
    "CellName",
    "CellVerdict",
    "Comparison",
    "CurveChange",
    "MetricChange",
    "Outcome",
    "Side",
    "SideAbsence",
    "exit_code",
]

CellVerdict = Literal[
    "worse", "failed", "cannot decide", "not compared", "better", "changed", "no difference found", "identical"
]
VERDICTS: tuple[CellVerdict, ...] = get_args(CellVerdict)
"""From the one a reader must see first to the one that says nothing; of those that hold, a cell has the first."""
Outcome = Literal["worse", "cannot decide", "not compared", "better", "changed", "no difference found", "identical"]
"""What the test of one metric says, in the words of a cell's verdict."""
REGRESSION = 1
CANNOT_DECIDE = 3
EXIT_CODES: Mapping[CellVerdict, int] = {"worse": REGRESSION, "failed": REGRESSION, "cannot decide": CANNOT_DECIDE}
"""The verdicts that do not end the command with exit code 0."""
UNJUDGED = frozenset({"cannot decide", "not compared"})
"""The verdicts that say nothing about the cell."""


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
        difference: B - A; `low` to `high` is what the test of no difference does not reject, infinite where the seeds
            are too few to reject anything; None where nothing was tested.
        level: nominal coverage of the interval: that of the step of Holm's procedure that decided.
        n: pairs with a value on both sides; unpaired the seeds of the smaller side.
        test, p, p_adjusted: of no difference; adjusted by Holm over all cells and metrics tested.
        margin_p_adjusted: the same of a difference beyond the margin; equal without one.
        detectable: the true worsening (where no side is better: difference) that these seeds find with power 0.8 at
            that level, where no difference was found; `detectable_beyond`, with a margin, the one that they find to
            be beyond it.
        outcome: what the test says.
        reason: one sentence where it does not decide, or about values that are missing.
        warning: what the means hide, in a sentence; empty where nothing is seen.
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
    detectable_beyond: float | None = None
    outcome: Outcome = "not compared"
    reason: str = ""
    level: float | None = None
    warning: str = ""


@dataclass(frozen=True)
class CurveChange:
    """The learning curves of one cell, as mean return by step.

    Attributes:
        step, phase: where they differ most, by `statistic` = |mean difference| / standard error there, which is None
            where the seeds agree exactly; `difference` is B - A there.
        points: evaluation points that every curve of the cell has; the test is corrected over them.
        p, p_adjusted: of no difference anywhere; adjusted by Holm over all cells.
        n: pairs, or seeds of the smaller side.
        reason: one sentence where so few cannot decide.
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
    reason: str = ""


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
        interim: jobs of a side have not ended.
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
    interim: bool = False


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
        return any(EXIT_CODES.get(cell.verdict) == REGRESSION for cell in self.cells)

    @property
    def undecided(self) -> bool:
        """Whether a cell has too few seeds for any verdict."""
        return any(EXIT_CODES.get(cell.verdict) == CANNOT_DECIDE for cell in self.cells)

    @property
    def unjudged(self) -> tuple[str, ...]:
        """What was not judged, in words: cells without a verdict, or before their last job, metrics without values,
        and cells that B lacks."""
        of = Counter(cell.verdict for cell in self.cells if cell.verdict in UNJUDGED)
        parts = [f"{counted(of[verdict], 'cell')} {verdict}" for verdict in VERDICTS if of[verdict]]
        without = [
            change.metric
            for cell in self.cells
            if cell.verdict not in UNJUDGED | {"failed", "identical"}
            for change in cell.metrics
            if change.outcome in UNJUDGED
        ]
        parts += [f"{metric} not compared in {counted(n, 'cell')}" for metric, n in sorted(Counter(without).items())]
        interim = sum(cell.interim for cell in self.cells)
        parts += [f"jobs have not ended in {counted(interim, 'cell')}"] if interim else []
        return (*parts, *([f"{counted(len(self.only_a), 'cell')} only in A"] if self.only_a else []))

    @property
    def counts(self) -> dict[CellVerdict, int]:
        """How many cells have each verdict, without those no cell has."""
        counted = Counter(cell.verdict for cell in self.cells)
        return {verdict: counted[verdict] for verdict in VERDICTS if counted[verdict]}


def exit_code(comparison: Comparison, *, strict: bool = False) -> int:
    """What the command ends with: a regression counts before what cannot be decided.

    With `strict`, what was not judged counts as a regression.
    """
    if comparison.regression or (strict and comparison.unjudged):
        return REGRESSION
    return CANNOT_DECIDE if comparison.undecided else 0
