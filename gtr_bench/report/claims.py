"""The claims and comparisons a suite declares before the run, decided by its results.

All of them at one scale are one family (protocols 13.2, 15.1): for Holm's correction, or for the looks of a suite that
gives its seeds in waves.
"""

from __future__ import annotations

from gtr_bench.metrics.decision import Decision, decide
from gtr_bench.report.cases import Case, case_of
from gtr_bench.report.collect import SuiteRecords
from gtr_bench.report.model import ClaimResult
from gtr_bench.report.scores import Scores
from gtr_bench.report.statements import statements_of
from gtr_bench.report.waves import Course

__all__ = ["claims_of"]


def claims_of(found: SuiteRecords, scores: Scores, course: Course | None = None) -> tuple[ClaimResult, ...]:
    """Every claim and comparison with its verdict, as of its look where the suite gives its seeds in waves (`course`);
    none where the suite's text could not be expanded."""
    if found.suite is None:
        return ()
    if course is not None:
        return tuple(_result(course.cases[each.id], course.decision(each.id), course) for each in course.statements)
    runs = [record for record in found.records if record.role == "run"]
    cases = [case_of(statement, runs, scores) for statement in statements_of(found.suite)]
    decisions = {each.id: each for each in decide([case.question() for case in cases if not case.obstacle])}
    return tuple(_result(case, decisions.get(case.statement.id)) for case in cases)


def _result(case: Case, decision: Decision | None, course: Course | None = None) -> ClaimResult:
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
        reason=decision.reason if decision else case.obstacle or "the first wave of seeds has not ended",
        jobs=tuple(behind),
        look=course.look_of(stated.id) if course is not None else None,
    )
