"""A statement of a suite with the values it is about, or why it cannot be tested."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from gtr_bench.metrics.decision import Question
from gtr_bench.report.collect import Record
from gtr_bench.report.scores import Scores
from gtr_bench.report.statements import Statement
from gtr_bench.report.values import SeedValues, Unit, joint, pairs, score_in, unit_of, values_in, worst_in

__all__ = ["Case", "case_of"]


@dataclass(frozen=True)
class Case:
    """A statement with the records it is about and their values; `obstacle` is why it cannot be tested, or empty.

    Attributes:
        values: as the statement counts them, those of failed jobs as its suite says.
        worst_case: the values in the case worst for it, where a job failed and they differ: failures of its better
            side at the worst value, those of the other side left out.
        hopeless: further seeds would not remove the obstacle.
    """

    statement: Statement
    records: Sequence[Record]
    unit: Unit | None
    values: SeedValues
    worst_case: SeedValues | None
    obstacle: str
    hopeless: bool

    def question(self) -> Question:
        """What the test is asked."""
        stated = self.statement
        about = stated.better, stated.than, stated.environments
        return Question(
            id=stated.id,
            pairs=pairs(self.values, *about),
            direction="lower" if stated.direction == "lower" else "higher",
            kind=stated.kind,
            margin=stated.margin,
            alpha=stated.alpha,
            estimand=stated.estimand,
            joint=joint(self.records),
            scope=stated.scope,
            worst_case=None if self.worst_case is None else pairs(self.worst_case, *about),
        )

    @property
    def text(self) -> str:
        """The statement as a sentence without a full stop, which says what failed jobs count where there are any."""
        stated = self.statement
        failed, jobs = (
            Counter(each.algorithm for each in self.records if state in (None, each.state))
            for state in ("failed", None)
        )
        if not failed:
            return stated.text
        counts = ", ".join(f"{failed[side]} of {jobs[side]} of {side}" for side in (stated.better, stated.than))
        counted = "count as the worst value" if stated.failures == "worst" else "are left out"
        return f"{stated.text}; failed jobs {counted}: {counts}"


def case_of(statement: Statement, runs: Sequence[Record], scores: Scores) -> Case:
    """A statement with what is known about it; `runs` are records of role `run`."""
    both = (statement.better, statement.than)
    about = [each for each in runs if each.algorithm in both and each.sequence in statement.environments]
    metric = statement.metric
    # A margin is stated on the scale on which different environments compare.
    margin = statement.margin > 0 and metric.unit == "return"
    unit = unit_of(metric, statement.environments, scores, common=margin)
    finished = values_in(unit, about, metric, scores, statement.direction) if unit else {}
    bar = _bar(statement, about, unit, scores)
    obstacle = bar or (_gap(statement, about, unit, finished, scores) if unit else "")
    hopeless = bool(bar) or _undefined(statement, about, finished)
    values, worst_case = finished, None
    failed = [record for record in about if record.state == "failed"]
    if unit and not obstacle and failed:
        found = {each.job: worst_in(unit, each, metric, scores, statement.direction) for each in failed}
        worst = {job: score.value for job, score in found.items() if score is not None}
        counted = both if statement.failures == "worst" else ()
        values = _with_failures(finished, about, counted, worst)
        worst_case = _with_failures(finished, about, (statement.better,), worst)
    return Case(statement, about, unit, values, None if worst_case == values else worst_case, obstacle, hopeless)


def _with_failures(
    finished: SeedValues, about: Sequence[Record], counted: Collection[str], worst: Mapping[str, float]
) -> SeedValues:
    """The values with those of failed jobs (job id -> the worst value), of the algorithms `counted` alone."""
    found = {name: {label: dict(seeds) for label, seeds in sides.items()} for name, sides in finished.items()}
    for record in about:
        if record.job in worst and record.algorithm in counted:
            found[record.sequence][record.algorithm][record.seed] = worst[record.job]
    return found


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
