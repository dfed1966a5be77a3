"""The claims and comparisons a suite declares before the run, decided by its results.

All of them at one scale are one family for Holm's correction (protocols 13.2, 15.1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gtr_bench.metrics.decision import Decision, Question, decide
from gtr_bench.report.collect import Record, SuiteRecords
from gtr_bench.report.model import ClaimResult
from gtr_bench.report.scores import Scores
from gtr_bench.report.statements import Statement, statements_of
from gtr_bench.report.values import Unit, Values, pairs, score_in, unit_of, values_in

__all__ = ["claims_of"]


@dataclass(frozen=True)
class _Case:
    """A statement with the records it is about and their values; `obstacle` is why it cannot be tested, or empty."""

    statement: Statement
    records: Sequence[Record]
    unit: Unit | None
    values: Values
    obstacle: str

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
        )


def claims_of(found: SuiteRecords, scores: Scores) -> tuple[ClaimResult, ...]:
    """Every claim and comparison with its verdict; none where the suite's text could not be expanded."""
    if found.suite is None:
        return ()
    runs = [record for record in found.records if record.role == "run"]
    cases = [_case(statement, runs, scores) for statement in statements_of(found.suite)]
    decisions = {each.id: each for each in decide([case.question() for case in cases if not case.obstacle])}
    return tuple(_result(case, decisions.get(case.statement.id)) for case in cases)


def _case(statement: Statement, runs: Sequence[Record], scores: Scores) -> _Case:
    both = (statement.better, statement.than)
    about = [each for each in runs if each.algorithm in both and each.sequence in statement.environments]
    metric = statement.metric
    # A margin is stated on the scale on which different environments compare.
    margin = statement.margin > 0 and metric.unit == "return"
    unit = unit_of(metric, statement.environments, scores, common=margin)
    values = values_in(unit, about, metric, scores) if unit else {}
    return _Case(statement, about, unit, values, _obstacle(statement, about, unit, values, scores))


def _obstacle(statement: Statement, about: Sequence[Record], unit: Unit | None, values: Values, scores: Scores) -> str:
    """Why the statement cannot be tested, in one sentence; empty when it can."""
    if statement.direction == "neutral":
        return f"`{statement.metric.name}` does not say which way is better and the suite gives no `metric_direction`"
    if not statement.environments:
        return "none of its sequences is part of this scale"
    if unit is None:
        bare = [name for name in statement.environments if name not in scores.normalise]
        return f"returns are not comparable: {_listed(bare)} without `normalise`"
    for algorithm in (statement.better, statement.than):
        own = [record for record in about if record.algorithm == algorithm]
        if not own:
            return f"`{algorithm}` is not part of this scale"
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


def _result(case: _Case, decision: Decision | None) -> ClaimResult:
    stated = case.statement
    behind = [
        each.job for each in case.records if each.seed in case.values.get(each.sequence, {}).get(each.algorithm, {})
    ]
    return ClaimResult(
        id=stated.id,
        declared=stated.declared,
        text=stated.text,
        better=stated.better,
        than=stated.than,
        metric=stated.metric.name,
        direction=stated.direction,
        kind=stated.kind,
        margin=stated.margin,
        alpha=stated.alpha,
        environments=stated.environments,
        unit=case.unit or stated.metric.unit,
        verdict=decision.verdict if decision else "undecided",
        effect=decision.effect if decision else None,
        low=decision.low if decision else None,
        high=decision.high if decision else None,
        level=decision.level if decision else 1 - stated.alpha,
        interval_method=decision.interval_method if decision else "",
        standardised=decision.standardised if decision else None,
        test=decision.test if decision else "",
        p=decision.p if decision else None,
        p_adjusted=decision.p_adjusted if decision else None,
        n=decision.n if decision else 0,
        seeds_needed=decision.seeds_needed if decision else None,
        reason=decision.reason if decision else case.obstacle,
        jobs=tuple(behind),
    )
