"""A statement of a suite with the values it is about, or why it cannot be tested."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gtr_bench.metrics.decision import Question
from gtr_bench.report.collect import Record
from gtr_bench.report.scores import Scores
from gtr_bench.report.statements import Statement
from gtr_bench.report.values import SeedValues, Unit, joint, pairs, score_in, unit_of, values_in

__all__ = ["Case", "case_of"]


@dataclass(frozen=True)
class Case:
    """A statement with the records it is about and their values; `obstacle` is why it cannot be tested, or empty.

    `hopeless`: further seeds would not remove the obstacle.
    """

    statement: Statement
    records: Sequence[Record]
    unit: Unit | None
    values: SeedValues
    obstacle: str
    hopeless: bool

    def question(self) -> Question:
        """What the test is asked."""
        stated = self.statement
        return Question(
            id=stated.id,
            pairs=pairs(self.values, stated.better, stated.than, stated.environments),
            direction="lower" if stated.direction == "lower" else "higher",
            kind=stated.kind,
            margin=stated.margin,
            alpha=stated.alpha,
            joint=joint(self.records),
        )


def case_of(statement: Statement, runs: Sequence[Record], scores: Scores) -> Case:
    """A statement with what is known about it; `runs` are records of role `run`."""
    both = (statement.better, statement.than)
    about = [each for each in runs if each.algorithm in both and each.sequence in statement.environments]
    metric = statement.metric
    # A margin is stated on the scale on which different environments compare.
    margin = statement.margin > 0 and metric.unit == "return"
    unit = unit_of(metric, statement.environments, scores, common=margin)
    values = values_in(unit, about, metric, scores) if unit else {}
    bar = _bar(statement, about, unit, scores)
    obstacle = bar or (_gap(statement, about, unit, values, scores) if unit else "")
    hopeless = bool(bar) or _undefined(statement, about, values)
    return Case(statement, about, unit, values, obstacle, hopeless)


def _undefined(statement: Statement, about: Sequence[Record], values: SeedValues) -> bool:
    """Whether all jobs of a side in some environment have finished and the metric is defined for none of them."""
    for algorithm in (statement.better, statement.than):
        for name in statement.environments:
            own = [each for each in about if (each.algorithm, each.sequence) == (algorithm, name)]
            if own and all(each.summary for each in own) and not values.get(name, {}).get(algorithm):
                return True
    return False


def _bar(statement: Statement, about: Sequence[Record], unit: Unit | None, scores: Scores) -> str:
    """Why the statement could not be tested with any values, in one sentence; empty when it could."""
    if statement.direction == "neutral":
        return f"`{statement.metric.name}` does not say which way is better and the suite gives no `metric_direction`"
    if not statement.environments:
        return "none of its sequences is part of this scale"
    if unit is None:
        bare = [name for name in statement.environments if name not in scores.normalise]
        return f"returns are not comparable: {_listed(bare)} without `normalise`"
    for algorithm in (statement.better, statement.than):
        if all(record.algorithm != algorithm for record in about):
            return f"`{algorithm}` is not part of this scale"
    return ""


def _gap(statement: Statement, about: Sequence[Record], unit: Unit, values: SeedValues, scores: Scores) -> str:
    """Which values are missing and why, in one sentence; empty when each side has one in every environment."""
    for algorithm in (statement.better, statement.than):
        own = [record for record in about if record.algorithm == algorithm]
        empty = [name for name in statement.environments if not values.get(name, {}).get(algorithm)]
        if empty:
            reasons = Counter(_why(each, unit, statement, scores) for each in own if each.sequence in empty)
            reason = reasons.most_common(1)[0][0] if reasons else "no job there"
            return f"`{algorithm}` has no value in {_listed(empty)}: {reason}"
    return ""


def _why(record: Record, unit: Unit, statement: Statement, scores: Scores) -> str:
    score = score_in(unit, record, statement.metric, scores)
    return f"{record.state} jobs" if score is None else score.reason or "not finite"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
