"""From paired values to a verdict on a declared claim.

The test decides (protocols 15: paired sign-flip, stratified over environments, two-sided, Holm over the family), and
the interval beside it holds the differences that this test does not reject at the step of Holm's procedure at which
the claim was decided: it leaves out the bar exactly where the verdict is not `undecided`. A claim is refuted when the
same test finds the opposite, never because it was not shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gtr_bench.metrics.comparison import (
    HypothesisTest,
    flip_test,
    holm,
    holm_steps,
    permutation_test,
    welch,
    welch_interval,
)
from gtr_bench.metrics.interval import Statistic
from gtr_bench.metrics.inversion import invert
from gtr_bench.metrics.permuted import permute
from gtr_bench.metrics.planning import Plan, detectable, fewest_seeds, seeds_needed
from gtr_bench.metrics.relabelled import Alternative, Linear, Searched, Seeds, estimate, flip

__all__ = [
    "Decision",
    "Pairs",
    "Question",
    "Verdict",
    "decide",
    "paired_differences",
    "standardised",
    "turned",
    "verdicts",
]

Verdict = Literal["supported", "refuted", "undecided"]
Pairs = Mapping[str, tuple[Mapping[int, float], Mapping[int, float]]]
"""Environment -> (seed -> value of the one, seed -> value of the other); finite values only."""
Floats = NDArray[np.float64]

INVERTED = "what the test does not reject at the step of Holm's procedure that decides"
"""How the interval beside a verdict is made."""

WELCH_SEEDS = 5
"""Below so many seeds a side Welch's t errs too often: 2 against 10 finds a difference in 10 to 18 % of true nulls."""


@dataclass(frozen=True)
class Question:
    """Is A better than B (by more than `margin`), or not worse by more than it?

    Attributes:
        margin: in the unit of the values, not negative.
        estimand: what of the paired differences is compared: their mean, their interquartile mean (both averaged over
            environments), or their median (of all environments' differences together).
        joint: seeds share randomness between environments (`suite.seeds.share_randomness`), so that all differences
            of a seed count as one.
        scope: whether the average over the environments must be better, or `each` of them (intersection-union).
        worst_case: the pairs in the case worst for the statement, in which it must hold too to be supported.
    """

    id: str
    pairs: Pairs
    direction: Literal["higher", "lower"]
    kind: Literal["superiority", "non_inferiority"] = "superiority"
    margin: float = 0.0
    alpha: float = 0.05
    estimand: Statistic = "mean"
    joint: bool = False
    scope: Literal["average", "each"] = "average"
    worst_case: Pairs | None = None

    @property
    def parts(self) -> list[Pairs]:
        """What must be better: the average over all pairs, or every environment's alone."""
        return [self.pairs] if self.scope == "average" else [{name: pair} for name, pair in self.pairs.items()]

    @property
    def sign(self) -> float:
        """Turns a difference A - B so that positive favours the statement."""
        return 1.0 if self.direction == "higher" else -1.0

    @property
    def alternatives(self) -> tuple[Alternative, ...]:
        """Of the test in favour and, where it is another one, of the one against."""
        return ("two-sided",) if self.kind == "superiority" else ("greater", "less")

    @property
    def bar(self) -> float:
        """What the turned difference must exceed."""
        return self.margin if self.kind == "superiority" else -self.margin


@dataclass(frozen=True)
class Decision:
    """A verdict and what it rests on.

    Attributes:
        effect: the question's estimand of the differences A - B, in the unit of the values.
        low, high: what the test does not reject, at the step of Holm's procedure that decided the question; infinite
            where the values are too few to reject anything, None where nothing was tested.
        level: nominal coverage of the interval.
        interval_method: how it was made.
        standardised: effect / std of the paired differences (pooled over environments).
        test: the test's name; empty when there was none.
        p, p_adjusted: its p-value, and Holm's over the family.
        n: fewest pairs (unpaired: fewest seeds) of any environment.
        seeds_needed: seeds for power 0.8 if the observed effect is the true one, by this test at the most demanding
            step of Holm's procedure, with a pessimistic std.
        reason: one sentence.
    """

    id: str
    verdict: Verdict
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
    environments: int
    seeds_needed: int | None
    reason: str


@dataclass(frozen=True)
class _Tests:
    """The test in favour and the one against: the same two-sided test, or one-sided ones for non-inferiority.

    `shifted` are the differences turned so that positive favours the statement, minus the bar; None unpaired.
    `relabelled` is what the tests were made with; None for Welch's, which has the values of both sides in `sides`.
    """

    effect: float
    differences: list[Floats] | None
    shifted: list[Floats] | None
    seeds: Seeds | None
    favourable: HypothesisTest
    opposite: HypothesisTest
    towards: bool
    relabelled: Linear | Searched | None
    sides: tuple[Floats, Floats] | None = None
    where: str = ""
    """What the p in favour is of, where it is not of all pairs."""

    def in_favour(self, *, two_sided: bool) -> float:
        """The p of the statement; 1 where the data favour the opposite, or nothing could be tested."""
        p = self.favourable.p
        return p if math.isfinite(p) and (self.towards or not two_sided) else 1.0

    def against(self, *, two_sided: bool) -> float:
        """The p of the opposite."""
        p = self.opposite.p
        return p if math.isfinite(p) and not (self.towards and two_sided) else 1.0


@dataclass(frozen=True)
class _Step:
    """Holm's adjusted p of a test, and how many hypotheses were left at the step that decided it."""

    adjusted: float
    left: int


def decide(questions: Sequence[Question]) -> list[Decision]:
    """A decision per question, in order; the family for Holm's correction is all of them."""
    tested = _tested(questions)
    family = sum(each.pro is not None for each in tested)
    return [
        _untested(question, each.tests)
        if each.tests is None or each.pro is None or each.contra is None
        else _decision(question, each.tests, each.pro, each.contra, family=family)
        for question, each in zip(questions, tested, strict=True)
    ]


def verdicts(questions: Sequence[Question]) -> list[Verdict]:
    """What `decide` decides, without what it tells beside: for error rates, which need many families."""
    return [
        "undecided"
        if each.tests is None or each.pro is None or each.contra is None
        else _verdict(question, each.tests, each.pro, each.contra)
        for question, each in zip(questions, _tested(questions), strict=True)
    ]


class _Tested(NamedTuple):
    """A question's tests with the steps of Holm's procedure for and against it; None where nothing could be tested."""

    tests: _Tests | None
    pro: _Step | None
    contra: _Step | None


def _tested(questions: Sequence[Question]) -> list[_Tested]:
    tests = [_all_tests(question) for question in questions]
    known = [
        (question, each)
        for question, each in zip(questions, tests, strict=True)
        if each is not None and math.isfinite(each.favourable.p)
    ]
    alphas = [question.alpha for question, _ in known]
    pro, contra = (
        iter([_Step(*each) for each in zip(holm(values), holm_steps(values, alphas), strict=True)])
        for values in ([each.favourable.p for _, each in known], [each.opposite.p for _, each in known])
    )
    return [
        _Tested(each, None, None)
        if each is None or not math.isfinite(each.favourable.p)
        else _Tested(each, next(pro), next(contra))
        for each in tests
    ]


def paired_differences(pairs: Pairs) -> dict[str, dict[int, float]]:
    """Environment -> seed -> A - B, for the seeds both sides have, in their order."""
    return {
        environment: {seed: ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())}
        for environment, (ours, theirs) in pairs.items()
    }


def _all_tests(question: Question) -> _Tests | None:
    """The tests of a question with all that must hold for it, of which the largest p in favour counts.

    An intersection-union test: each part at the full level, without a correction inside (Berger, 1982).
    """
    two_sided = question.kind == "superiority"
    whole = _tests(question)
    if whole is not None and len(question.parts) > 1:
        parts = [_tests(replace(question, pairs=part)) for part in question.parts]
        # Each has what the whole has, two values on either side, so each is tested.
        whole = _joined(whole, [each for each in parts if each is not None], list(question.pairs), two_sided=two_sided)
    if whole is None or question.worst_case is None:
        return whole
    worst = _all_tests(replace(question, pairs=question.worst_case, worst_case=None))
    p = worst.in_favour(two_sided=two_sided) if worst is not None else 1.0
    if p <= whole.in_favour(two_sided=two_sided):
        return whole
    where = f"{worst.where if worst is not None else ''} in the case worst for it"
    return replace(whole, favourable=replace(whole.favourable, p=p), where=where)


def _joined(whole: _Tests, parts: Sequence[_Tests], names: Sequence[str], *, two_sided: bool) -> _Tests:
    """Every environment by itself: all must favour the statement, and one that favours the opposite (by Bonferroni)
    refutes it. Effect and interval stay those of the average."""
    ours = [each.in_favour(two_sided=two_sided) for each in parts]
    theirs = [each.against(two_sided=two_sided) for each in parts]
    place, opposite = int(np.argmax(ours)), int(np.argmin(theirs))
    name = "{}, each environment by itself"
    favourable, against = parts[place].favourable, parts[opposite].opposite
    return replace(
        whole,
        favourable=replace(favourable, name=name.format(favourable.name), p=ours[place], n=whole.favourable.n),
        opposite=replace(
            against, name=name.format(against.name), p=min(1.0, len(parts) * theirs[opposite]), n=whole.opposite.n
        ),
        towards=all(each.towards for each in parts),
        where=f" in {names[place]}",
    )


def _tests(question: Question) -> _Tests | None:
    """None when there are not two values on each side of every environment."""
    shared = paired_differences(question.pairs)
    if shared and all(len(values) >= 2 for values in shared.values()):
        return _paired(question, shared)
    sides = list(question.pairs.values())
    ours = [np.array([side[0][seed] for seed in sorted(side[0])]) for side in sides]
    theirs = [np.array([side[1][seed] for seed in sorted(side[1])]) for side in sides]
    if not sides or any(min(len(a), len(b)) < 2 for a, b in zip(ours, theirs, strict=True)):
        return None
    return _unpaired(question, ours, theirs)


def _paired(question: Question, shared: Mapping[str, Mapping[int, float]]) -> _Tests:
    groups = [np.array(list(values.values())) for values in shared.values()]
    shifted = [question.sign * group - question.bar for group in groups]
    seeds = [list(values) for values in shared.values()] if question.joint else None
    relabelled = flip(shifted, seeds=seeds, estimand=question.estimand)
    tests = [
        flip_test(relabelled, shifted, alternative, seeds=seeds, estimand=question.estimand)
        for alternative in question.alternatives
    ]
    towards = tests[0].statistic > 0
    effect = estimate(groups, question.estimand)
    return _Tests(effect, groups, shifted, seeds, tests[0], tests[-1], towards, relabelled)


def _unpaired(question: Question, ours: list[Floats], theirs: list[Floats]) -> _Tests:
    better = [question.sign * a - question.bar for a in ours]
    other = [question.sign * b for b in theirs]
    relabelled = permute(better, other, estimand=question.estimand)
    beyond = float(relabelled.at(0.0, "two-sided")[0])
    effect = question.sign * (beyond + question.bar)
    fewest = min(min(len(a), len(b)) for a, b in zip(ours, theirs, strict=True))
    alone = len(ours) == 1 and fewest >= WELCH_SEEDS and question.estimand == "mean"
    if question.kind == "superiority" and alone:
        test = welch(better[0], other[0])
        return _Tests(effect, None, None, None, test, test, beyond > 0, None, (better[0], other[0]))
    tests = [
        permutation_test(relabelled, better, other, alternative, estimand=question.estimand)
        for alternative in question.alternatives
    ]
    return _Tests(effect, None, None, None, tests[0], tests[-1], beyond > 0, relabelled)


def _verdict(question: Question, tests: _Tests, pro: _Step, contra: _Step) -> Verdict:
    two_sided = question.kind == "superiority"
    if pro.adjusted <= question.alpha and (tests.towards or not two_sided):
        return "supported"
    against = contra.adjusted <= question.alpha and (not tests.towards or not two_sided)
    return "refuted" if against else "undecided"


def _decision(question: Question, tests: _Tests, pro: _Step, contra: _Step, *, family: int) -> Decision:
    verdict, two_sided = _verdict(question, tests, pro, contra), question.kind == "superiority"
    shown, step = (tests.opposite, contra) if verdict == "refuted" else (tests.favourable, pro)
    low, high = _interval(question, tests, pro.left, contra.left, verdict)
    spent = question.alpha / pro.left if two_sided else question.alpha / pro.left + question.alpha / contra.left
    plan = _plan(question, tests, family) if verdict == "undecided" else None
    return Decision(
        id=question.id,
        verdict=verdict,
        effect=tests.effect,
        low=low,
        high=high,
        level=1 - spent,
        interval_method=INVERTED,
        standardised=standardised(tests.effect, tests.differences) if tests.differences is not None else None,
        test=shown.name,
        p=shown.p,
        p_adjusted=step.adjusted,
        n=shown.n,
        environments=len(question.pairs),
        seeds_needed=seeds_needed(plan, question.sign * tests.effect - question.bar) if plan else None,
        reason=_reason(question, tests, verdict, step, plan, family),
    )


def _interval(question: Question, tests: _Tests, pro: int, contra: int, verdict: Verdict) -> tuple[float, float]:
    """Of A - B; `pro` and `contra` are how many hypotheses were left."""
    alpha = question.alpha
    if tests.sides is not None:
        low, high = welch_interval(*tests.sides, alpha / pro)
    else:
        assert tests.relabelled is not None, "every other test relabels"
        rejects = (lambda p: pro * p <= alpha), (lambda p: contra * p <= alpha)
        low, high = invert(tests.relabelled, rejects, two_sided=question.kind == "superiority")
    if verdict == "undecided":
        # An end on the bar itself, where a difference equals it, may be computed a rounding error beyond it.
        low, high = min(low, 0.0), max(high, 0.0)
    return turned(question, low, high)


def turned(question: Question, low: float, high: float) -> tuple[float, float]:
    """An interval of the turned differences beyond the bar as one of A - B."""
    ends = sorted((question.sign * (low + question.bar), question.sign * (high + question.bar)))
    return ends[0], ends[1]


def standardised(effect: float, groups: Sequence[Floats]) -> float | None:
    """Effect / std of the paired differences, pooled over environments; None where they do not vary."""
    spread = math.sqrt(float(np.mean([group.var(ddof=1) for group in groups])))
    return effect / spread if spread > 0 else None


def _plan(question: Question, tests: _Tests, family: int) -> Plan | None:
    """How the question would be tested with other numbers of seeds, at the most demanding step of its family.

    None where it hangs on several tests at once.
    """
    if tests.shifted is None or tests.where:
        return None
    return Plan.of(
        tests.shifted,
        level=question.alpha / family,
        two_sided=question.kind == "superiority",
        seeds=tests.seeds,
        estimand=question.estimand,
    )


def _found(question: Question, plan: Plan, n: int) -> str:
    """What so many pairs would find: is that the smallest difference worth having (protocols 13.3)?"""
    size = detectable(plan, n)
    # Two pairs say hardly anything about the spread that the figure rests on.
    if n < 3 or size is None or size == 0:
        return ""
    beyond = "" if question.margin == 0 else " from the margin"
    return f"; with {n} pairs a true difference of {size:.3g}{beyond} would be found with power 0.8"


def _reason(question: Question, tests: _Tests, verdict: Verdict, step: _Step, plan: Plan | None, family: int) -> str:
    of = f" over {family} comparisons" if family > 1 else ""
    if verdict != "undecided":
        side = "in favour" if verdict == "supported" else "the other way"
        return f"the test decides {side}: p = {step.adjusted:.2g} after Holm{of}, at most {question.alpha:g}"
    n, found = tests.favourable.n, ""
    if plan is not None and tests.shifted is not None:
        if step.left * plan.least_p([len(group) for group in tests.shifted]) > question.alpha:
            where = " in each environment" if len(tests.shifted) > 1 else ""
            return f"{n} pairs{where} cannot reach {question.alpha:g}{of}: at least {fewest_seeds(plan)} are needed"
        found = _found(question, plan, n)
    where = tests.where
    return f"the test does not decide{where}: p = {step.adjusted:.2g} after Holm{of}, above {question.alpha:g}{found}"


def _untested(question: Question, tests: _Tests | None) -> Decision:
    fewest = min((min(len(a), len(b)) for a, b in question.pairs.values()), default=0)
    reason = (
        "fewer than two seeds on a side of an environment"
        if tests is None
        else "no value differs from another on either side, so nothing can be tested"
    )
    return Decision(
        question.id, "undecided", tests.effect if tests else None, None, None, 1 - question.alpha, "", None, "", None,
        None, fewest, len(question.pairs), None, reason,
    )  # fmt: skip
