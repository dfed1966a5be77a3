"""What stands beside a claim's verdict: each environment's difference, what the means hide, and what to be wary of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gtr_bench.metrics.decision import Question, paired_differences
from gtr_bench.metrics.heterogeneity import Heterogeneity, heterogeneity
from gtr_bench.metrics.interval import iqm
from gtr_bench.metrics.shape import SPREAD_RATIO, Heaps, heaps, most_failures, spread_ratio, worst_quarter
from gtr_bench.report.cases import Case
from gtr_bench.report.scores import Scores
from gtr_bench.report.text import number
from gtr_bench.suite.model import Estimand

__all__ = ["Details", "EnvironmentDifference", "Side", "details_of"]


@dataclass(frozen=True)
class EnvironmentDifference:
    """The estimand of the paired differences (better - than) in one environment.

    `opposite`: it points the other way.
    """

    environment: str
    effect: float
    n: int
    opposite: bool


@dataclass(frozen=True)
class Side:
    """The values of one side of a claim in one environment, one per seed, as the claim counts them.

    Attributes:
        n: how many.
        worst_quarter: mean of the worst quarter of them (CVaR).
        failed: jobs that failed or diverged, of `jobs` that have ended.
        failed_at_most: the rate of such jobs that these still allow, with 95 % confidence.
        worse_heap: how many lie in the worse of two heaps; None where there are not two.
    """

    environment: str
    algorithm: str
    n: int
    mean: float
    iqm: float
    median: float
    worst_quarter: float
    failed: int
    jobs: int
    failed_at_most: float
    worse_heap: int | None


@dataclass(frozen=True)
class Details:
    """Everything beside one verdict; `warnings` are sentences without a full stop."""

    by_environment: tuple[EnvironmentDifference, ...] = ()
    heterogeneity: Heterogeneity | None = None
    sides: tuple[Side, ...] = ()
    warnings: tuple[str, ...] = ()


def details_of(case: Case, scores: Scores) -> Details:
    """Of a claim that can be tested."""
    stated, question = case.statement, case.question()
    differences = {name: list(each.values()) for name, each in paired_differences(question.pairs).items()}
    several = len(stated.environments) > 1
    by_environment = tuple(
        EnvironmentDifference(name, effect, len(values), question.sign * effect < min(0.0, question.bar))
        for name, values in differences.items()
        if values
        for effect in [_estimated(values, stated.estimand)]
    )
    test = heterogeneity(list(differences.values())) if several else None
    sides = tuple(
        _side(case, scores, name, label) for name in stated.environments for label in (stated.better, stated.than)
    )
    warnings = [
        *(_mixed(by_environment, test, stated.alpha) if several else ()),
        *(_shapes(question, sides, by_environment) if stated.estimand == "mean" else ()),
    ]
    return Details(by_environment, test, sides, tuple(warnings))


def _estimated(values: Sequence[float], estimand: Estimand) -> float:
    if estimand == "mean":
        return float(np.mean(values))
    return float(np.median(values)) if estimand == "median" else float(iqm(values))


def _side(case: Case, scores: Scores, environment: str, algorithm: str) -> Side:
    values = list(case.values[environment][algorithm].values())
    ended = [each for each in case.records if (each.sequence, each.algorithm) == (environment, algorithm)]
    ended = [each for each in ended if each.state != "missing"]
    failed = sum(each.state == "failed" or scores.diverged(each) for each in ended)
    lower, found = case.statement.direction == "lower", heaps(values)
    return Side(
        environment=environment,
        algorithm=algorithm,
        n=len(values),
        mean=float(np.mean(values)),
        iqm=float(iqm(values)),
        median=float(np.median(values)),
        worst_quarter=worst_quarter(values, lower=lower),
        failed=failed,
        jobs=len(ended),
        failed_at_most=most_failures(failed, len(ended)),
        worse_heap=None if found is None else found.high if lower else found.low,
    )


def _mixed(by_environment: Sequence[EnvironmentDifference], test: Heterogeneity | None, alpha: float) -> Iterator[str]:
    """Which environments do not go with the others."""
    against = [each.environment for each in by_environment if each.opposite]
    if against:
        yield f"{', '.join(against)} {'point' if len(against) > 1 else 'points'} the other way"
    if test is not None and test.p <= alpha:
        yield f"the difference is not the same in all environments ({test.test}: p = {test.p:.2g})"


def _shapes(
    question: Question, sides: Sequence[Side], by_environment: Sequence[EnvironmentDifference]
) -> Iterator[str]:
    """Where scores look as if runs failed now and then, by as much as the difference that is tested."""
    effects = {each.environment: abs(each.effect) for each in by_environment}
    for name, pair in question.pairs.items():
        ours, theirs = ([side[seed] for seed in sorted(side)] for side in pair)
        here = [side for side in sides if side.environment == name]
        split = [
            (side, found)
            for side, found in zip(here, map(heaps, (ours, theirs)), strict=True)
            if found is not None and found.gap >= effects.get(name, 0.0)
        ]
        if split:
            yield from (_two_heaps(side, found) for side, found in split)
        elif spread_ratio(ours, theirs) >= SPREAD_RATIO:
            first, second = float(np.std(ours)), float(np.std(theirs))
            if max(first, second) >= effects.get(name, 0.0):
                wide = here[0 if first > second else 1].algorithm
                yield f"the scores of {wide} in {name} spread {SPREAD_RATIO:g} times or more as far as the other side's"


def _two_heaps(side: Side, found: Heaps) -> str:
    return (
        f"the scores of {side.algorithm} in {side.environment} lie in two heaps ({side.worse_heap} of {side.n} in the "
        f"worse one), so a test of means may err more often than it says: mean {number(side.mean)}, interquartile mean "
        f"{number(side.iqm)}, worst quarter {number(side.worst_quarter)}"
    )
