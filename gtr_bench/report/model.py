"""The numbers of a report as plain data: what `gtr_bench.report.build` computes and every format renders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "SMOKE_SCALES",
    "Absence",
    "Aggregate",
    "ClaimResult",
    "Difference",
    "Ending",
    "Interval",
    "LearningCurve",
    "Mechanism",
    "MechanismRow",
    "MetricTable",
    "Profile",
    "Provenance",
    "Relaxation",
    "Report",
    "SeedLine",
    "SuiteReport",
    "TableCell",
    "cell_id",
]

SMOKE_SCALES = frozenset({"laptop"})
"""Scales too short for a claim; a report says so."""


Ending = Literal["failed", "missing", "diverged"]
"""How a job can end other than well."""


def cell_id(suite: str, scale: str, metric: str, environment: str, algorithm: str) -> str:
    """What `report --explain` takes."""
    return "/".join((suite, scale, metric, environment, algorithm))


@dataclass(frozen=True)
class Interval:
    """A number over `n` seeds with its 95 % interval; no interval for one seed."""

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Difference:
    """Mean over seeds both have of (algorithm - baseline), in the metric's unit; `n` pairs."""

    baseline: str
    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class TableCell:
    """One algorithm in one environment.

    `value` is the mean over `n` seeds, None for no seed. Of the n, `diverged` counted the floor; `undefined` finished
    jobs have no value of this metric; `failed` and `missing` jobs have none at all. `jobs`, `seeds` and `values` are
    the n, by seed. `best`: the test says that it is better than every other algorithm of its environment; `tied`: the
    test does not separate it from the one with the best mean, which is tied too then.
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
    seeds: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    id: str = ""
    best: bool = False
    tied: bool = False


@dataclass(frozen=True)
class Aggregate:
    """One algorithm over all environments; None where an environment has no seed. `n`: fewest seeds of any.

    `improvement` is the probability of improvement over the baseline, None for the baseline itself and without one.
    """

    algorithm: str
    mean: Interval | None
    median: Interval | None
    iqm: Interval | None
    optimality_gap: Interval | None
    improvement: Interval | None
    environments: int
    n: int


@dataclass(frozen=True)
class Profile:
    """Performance profile of one algorithm: the share of runs above each threshold, with a pointwise 95 % band."""

    algorithm: str
    thresholds: tuple[float, ...]
    shares: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class MetricTable:
    """One metric: a cell per environment and algorithm, and aggregates where environments can be compared."""

    metric: str
    primary: bool
    direction: str
    definition: str
    cells: tuple[TableCell, ...]
    aggregates: tuple[Aggregate, ...]
    notes: tuple[str, ...]
    profiles: tuple[Profile, ...] = ()


@dataclass(frozen=True)
class ClaimResult:
    """A claim, or a declared comparison, and what the results decide about it.

    Attributes:
        id: the claim's id; "A vs B" for a comparison.
        declared: where the suite declares it.
        text: the statement itself.
        better, than: algorithm labels.
        metric: what is compared; `direction` says which way is better.
        environments: the environments it is about.
        unit: what effect and interval are in.
        verdict: by the test alone; a smoke scale has a verdict too, and makes no claim.
        effect: mean over environments of the mean paired difference (better - than); `low`, `high` its interval.
        standardised: effect over the standard deviation of the differences.
        p, p_adjusted: as tested, and adjusted by Holm over all claims and comparisons of the suite; a sequential test
            compares p with the boundary of its look instead, and has no adjusted one.
        n: fewest pairs of any environment.
        seeds_needed: for power 0.8 at the observed effect.
        reason: one sentence, why this verdict.
        jobs: ids behind it, of both sides.
        look: the look of a sequential test that it is from; None for a fixed number of seeds.
    """

    id: str
    declared: Literal["claim", "comparison"]
    text: str
    better: str
    than: str
    metric: str
    direction: Literal["higher", "lower", "neutral"]
    kind: Literal["superiority", "non_inferiority"]
    margin: float
    alpha: float
    environments: tuple[str, ...]
    unit: str
    verdict: Literal["supported", "refuted", "undecided"]
    effect: float | None
    low: float | None
    high: float | None
    level: float
    interval_method: str
    standardised: float | None
    test: str
    p: float | None
    p_adjusted: float | None
    n: int
    seeds_needed: int | None
    reason: str
    jobs: tuple[str, ...]
    look: int | None = None


@dataclass(frozen=True)
class SeedLine:
    """One seed's values at the steps of its curve; None where it has no evaluation there."""

    seed: int
    job: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class LearningCurve:
    """Evaluated return of one algorithm in one environment: mean over seeds with a pointwise 95 % band.

    `steps` holds a shift's step twice, just before and just after it. `boundaries` are the steps at which the phases
    after the first begin; `worlds` has a letter per phase, equal ones for the same world; `total` steps are the end.
    Of one seed, `low` and `high` equal the mean.
    """

    environment: str
    algorithm: str
    steps: tuple[int, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    seeds: tuple[SeedLine, ...]
    boundaries: tuple[int, ...]
    worlds: tuple[str, ...]
    total: int


@dataclass(frozen=True)
class MechanismRow:
    """One diagnostic of one algorithm in one environment, in a window before and a window after every shift.

    Seeds are the unit; a seed's value is the mean over its shifts. `difference`: `after`, minus the baseline's, paired.
    """

    environment: str
    algorithm: str
    quantity: str
    before: Interval | None
    after: Interval | None
    difference: Difference | None
    jobs: tuple[str, ...]


@dataclass(frozen=True)
class Relaxation:
    """One algorithm's `escape_follows_return` in one environment: mean over seeds, of a mean over phases."""

    environment: str
    algorithm: str
    association: Interval
    jobs: tuple[str, ...]


@dataclass(frozen=True)
class Mechanism:
    """Does a return gain come with the mechanism the paper names? `sentences` answer, one per algorithm asked about.

    `relaxation` has the algorithms that log `escape_fraction`, and `relaxation_sentences` one for each of them.
    """

    window: int
    rows: tuple[MechanismRow, ...]
    sentences: tuple[str, ...]
    notes: tuple[str, ...]
    relaxation: tuple[Relaxation, ...] = ()
    relaxation_sentences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Absence:
    """Jobs of one algorithm in one environment that ended in the same way, and why; `seeds` and `jobs` are parallel."""

    environment: str
    algorithm: str
    role: str
    state: Ending
    reason: str
    seeds: tuple[int, ...]
    jobs: tuple[str, ...]


@dataclass(frozen=True)
class SuiteReport:
    """One suite at one scale; `reconstructions` are the labels whose form is this project's reconstruction.

    `curves` are empty unless they were asked for, `mechanism` is None where no shift or no diagnostic is there.
    """

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
    claims: tuple[ClaimResult, ...] = ()
    mechanism: Mechanism | None = None
    missing: tuple[Absence, ...] = ()
    curves: tuple[LearningCurve, ...] = ()


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
