"""The claims and comparisons a suite declares before the run, decided by its results.

All of them at one scale are one family (protocols 13.2, 15.1): for Holm's correction, or for the looks of a suite that
gives its seeds in waves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gtr_bench.metrics.decision import Decision, decide
from gtr_bench.metrics.heterogeneity import Heterogeneity
from gtr_bench.report.cases import Case, case_of
from gtr_bench.report.collect import Record, SuiteRecords
from gtr_bench.report.details import Details, EnvironmentDifference, Side, details_of
from gtr_bench.report.registration import changed
from gtr_bench.report.scores import Scores
from gtr_bench.report.statements import Statement, statements_of
from gtr_bench.report.waves import Course, needed
from gtr_bench.suite.expand import Suite
from gtr_bench.suite.model import Estimand, Failures, Scope

__all__ = ["ClaimResult", "claims_of"]


@dataclass(frozen=True)
class ClaimResult:
    """A claim, or a declared comparison, and what the results decide about it.

    Attributes:
        id: the claim's id; "A vs B" for a comparison.
        declared: where the suite declares it.
        text: the statement itself, with what failed jobs count where there are any.
        better, than: algorithm labels.
        metric: what is compared; `direction` says which way is better.
        environments: the environments it is about.
        unit: what effect and interval are in.
        estimand: what of the differences is compared.
        scope: whether the claim is about the average over its environments or about each of them.
        verdict: by the test alone; a smoke scale has a verdict too, and makes no claim.
        effect: mean over environments of the paired difference (better - than); `low`, `high` its interval.
        standardised: effect over the standard deviation of the differences.
        p, p_adjusted: as tested, and adjusted by Holm over all claims and comparisons of the suite; a sequential test
            compares p with the boundary of its look instead, and has no adjusted one.
        n: fewest pairs of any environment.
        seeds_needed: for power 0.8 at the observed effect.
        reason: one sentence, why this verdict.
        jobs: ids behind it, of both sides.
        look: the look of a sequential test that it is from; None for a fixed number of seeds.
        changed: how it differs from what was registered before its results; empty where it does not.
        interim: a job that a claim or comparison of the suite needs has not ended, so this is no verdict yet.
        smoke: the scale is too small beside the suite's full one for a claim.
        failures: what failed jobs count.
        by_environment: each environment's difference.
        heterogeneity: the test of whether they are equal; None for one environment.
        sides: the scores of either side in each environment, beyond their mean.
        warnings: what to be wary of, in sentences.
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
    changed: str = ""
    estimand: Estimand = "mean"
    scope: Scope = "average"
    failures: Failures = "worst"
    interim: bool = False
    smoke: bool = False
    by_environment: tuple[EnvironmentDifference, ...] = ()
    heterogeneity: Heterogeneity | None = None
    sides: tuple[Side, ...] = ()
    warnings: tuple[str, ...] = ()


def claims_of(found: SuiteRecords, scores: Scores, course: Course | None = None) -> tuple[ClaimResult, ...]:
    """Every claim and comparison with its verdict, as of its look where the suite gives its seeds in waves (`course`);
    none where the suite's text could not be expanded."""
    if found.suite is None:
        return ()
    statements = statements_of(found.suite)
    if course is not None:
        # A rule says when to look: only what comes before the first look is premature.
        state = _State(interim=not course.looks, smoke=found.smoke, course=course)
        results = [_result(course.cases[each.id], course.decision(each.id), scores, state) for each in statements]
    else:
        state = _State(interim=_unfinished(found, found.suite, statements), smoke=found.smoke)
        results = _decided(statements, found.records, scores, state)
    if found.history is None:
        return tuple(results)
    return tuple(
        replace(each, changed=changed(found.history, found.suite, statement, found.records))
        for each, statement in zip(results, statements, strict=True)
    )


def _decided(
    statements: Sequence[Statement], records: Sequence[Record], scores: Scores, state: _State
) -> list[ClaimResult]:
    """By the tests for a fixed number of seeds."""
    runs = [record for record in records if record.role == "run"]
    cases = [case_of(statement, runs, scores) for statement in statements]
    decisions = {each.id: each for each in decide([case.question() for case in cases if not case.obstacle])}
    return [_result(case, decisions.get(case.statement.id), scores, state) for case in cases]


def _unfinished(found: SuiteRecords, suite: Suite, statements: Sequence[Statement]) -> bool:
    """Whether a job that a statement needs has not ended; of any statement, as Holm's correction is over all."""
    wanted = {place for statement in statements for place in needed(suite, statement)}
    return any(
        each.state == "missing" and (each.algorithm, each.sequence, each.role) in wanted for each in found.records
    )


@dataclass(frozen=True)
class _State:
    """What all verdicts of a suite share."""

    interim: bool
    smoke: bool
    course: Course | None = None


def _result(case: Case, decision: Decision | None, scores: Scores, state: _State) -> ClaimResult:
    stated, course = case.statement, state.course
    details = Details() if case.obstacle else details_of(case, scores)
    behind = [
        each.job for each in case.records if each.seed in case.values.get(each.sequence, {}).get(each.algorithm, {})
    ]
    return ClaimResult(
        id=stated.id,
        declared=stated.declared,
        text=case.text,
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
        estimand=stated.estimand,
        scope=stated.scope,
        failures=stated.failures,
        interim=state.interim,
        smoke=state.smoke,
        by_environment=details.by_environment,
        heterogeneity=details.heterogeneity,
        sides=details.sides,
        warnings=details.warnings,
    )
