"""Values of a metric by environment, algorithm and seed, in a unit in which they may be compared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

from gtr_bench.metrics.run import Direction, Metric, Score
from gtr_bench.report.collect import Record
from gtr_bench.report.scores import Scores
from gtr_bench.suite.seeds import share_randomness

__all__ = [
    "NORMALISED",
    "SeedValues",
    "Unit",
    "common_unit",
    "joint",
    "pairs",
    "score_in",
    "unit_of",
    "values_in",
    "worst_in",
]

Unit = Literal["return", "return mapped to [0, 1]", "share", "percent", "steps", "shares of a phase"]
NORMALISED: Unit = "return mapped to [0, 1]"

SeedValues: TypeAlias = Mapping[str, Mapping[str, Mapping[int, float]]]
"""environment -> algorithm -> seed -> a defined value."""


def common_unit(metric: type[Metric], environments: Iterable[str], scores: Scores) -> Unit | None:
    """A unit in which different environments compare; None for returns when one of them has no `normalise`.

    Returns are mapped by the suite's `normalise`, steps are taken relative to the length of a phase, and shares and
    percentages are as they are.
    """
    if metric.unit == "steps":
        return "shares of a phase"
    if metric.unit in ("share", "percent"):
        return metric.unit
    return NORMALISED if all(name in scores.normalise for name in environments) else None


def unit_of(
    metric: type[Metric], environments: Collection[str], scores: Scores, *, common: bool = False
) -> Unit | None:
    """The metric's own unit for one environment, unless `common` is asked for; else `common_unit`."""
    return common_unit(metric, environments, scores) if common or len(environments) > 1 else metric.unit


def joint(records: Iterable[Record]) -> bool:
    """Whether seeds share randomness between the environments of the records, so that tests take them together."""
    return share_randomness({record.sequence: record.definition for record in records})


def score_in(
    unit: Unit, record: Record, metric: type[Metric], scores: Scores, direction: Direction | None = None
) -> Score | None:
    """The score of a finished job in a unit, None for any other job.

    `direction` is the side that is better, by which a diverged job counts the worst; see `Scores.score`.
    """
    return _converted(unit, record, scores.score(record, metric, normalised=unit == NORMALISED, direction=direction))


def worst_in(
    unit: Unit, record: Record, metric: type[Metric], scores: Scores, direction: Direction | None = None
) -> Score | None:
    """What a job counts that has no value, such as one that failed, in a unit; see `Scores.worst_score`."""
    worst = scores.worst_score(record.sequence, metric, direction, normalised=unit == NORMALISED)
    return _converted(unit, record, worst)


def _converted(unit: Unit, record: Record, score: Score | None) -> Score | None:
    if score is None or unit != "shares of a phase":
        return score
    phases = record.definition["sequence"]["phases"]
    # No event is timed in the first phase: nothing has shifted yet.
    lengths = [int(phase["steps"]) for phase in phases[1:] or phases]
    return replace(score, value=score.value * len(lengths) / sum(lengths))


def values_in(
    unit: Unit, records: Sequence[Record], metric: type[Metric], scores: Scores, direction: Direction | None = None
) -> SeedValues:
    """All defined values of the records; `direction` as in `score_in`."""
    found: dict[str, dict[str, dict[int, float]]] = {}
    for record in records:
        score = score_in(unit, record, metric, scores, direction)
        if score is not None and score.defined:
            found.setdefault(record.sequence, {}).setdefault(record.algorithm, {})[record.seed] = score.value
    return found


def pairs(
    values: SeedValues, ours: str, theirs: str, environments: Sequence[str]
) -> dict[str, tuple[Mapping[int, float], Mapping[int, float]]]:
    """What `metrics.decision` takes: environment -> the seeds' values of either algorithm."""
    return {name: (values.get(name, {}).get(ours, {}), values.get(name, {}).get(theirs, {})) for name in environments}
