"""From paired values to a verdict on a declared claim.

The test alone decides (protocols 15: paired sign-flip, stratified over environments, two-sided, Holm over the family);
the interval beside it describes. A claim is refuted when the same test finds the opposite, never because it was not
shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gtr_bench.metrics.comparison import HypothesisTest, holm, permutation, sign_flip, welch
from gtr_bench.metrics.interval import stratified_bootstrap
from gtr_bench.metrics.power import detectable, fewest_pairs, pessimistic_std, seeds_needed

__all__ = ["Decision", "Pairs", "Question", "Verdict", "decide", "paired_differences", "standardised"]

Verdict = Literal["supported", "refuted", "undecided"]
Pairs = Mapping[str, tuple[Mapping[int, float], Mapping[int, float]]]
"""Environment -> (seed -> value of the one, seed -> value of the other); finite values only."""
Floats = NDArray[np.float64]

WELCH_SEEDS = 5
"""Below so many seeds a side Welch's t errs too often: 2 against 10 finds a difference in 10 to 18 % of true nulls."""


@dataclass(frozen=True)
class Question:
    """Is A better than B (by more than `margin`), or not worse by more than it?

    Attributes:
        margin: in the unit of the values, not negative.
        estimand: what of the differences is tested.
        scope: whether the average over the environments must be better, or `each` of them (intersection-union).
        worst_case: the pairs in the case worst for the statement, in which it must hold too to be supported.
    """

    id: str
    pairs: Pairs
    direction: Literal["higher", "lower"]
    kind: Literal["superiority", "non_inferiority"] = "superiority"
    margin: float = 0.0
    alpha: float = 0.05
    estimand: Literal["mean", "iqm", "median"] = "mean"
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
    def bar(self) -> float:
        """What the turned difference must exceed."""
        return self.margin if self.kind == "superiority" else -self.margin


@dataclass(frozen=True)
class Decision:
    """A verdict and what it rests on.

    Attributes:
        effect: mean over environments of the mean difference A - B, in the unit of the values.
        low, high: bootstrap interval of the effect at `level`, seeds resampled within environments; None for n < 2.
        standardised: effect / std of the paired differences (pooled over environments).
        test: the test's name; empty when there was none.
        p, p_adjusted: its p-value, and Holm's over the family.
        n: fewest pairs (unpaired: fewest seeds) of any environment.
        seeds_needed: seeds for power 0.8 if the observed effect is the true one, with a pessimistic std.
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
    """The test in favour and the one against: the same two-sided test, or one-sided ones for non-inferiority."""

    effect: float
    differences: list[Floats] | None
    favourable: HypothesisTest
    opposite: HypothesisTest
    towards: bool
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


def decide(questions: Sequence[Question]) -> list[Decision]:
    """A decision per question, in order; the family for Holm's correction is all of them."""
    tests = [_all_tests(question) for question in questions]
    known = [each for each in tests if each is not None and math.isfinite(each.favourable.p)]
    pro = iter(holm([each.favourable.p for each in known]))
    contra = iter(holm([each.opposite.p for each in known]))
    found = []
    for question, each in zip(questions, tests, strict=True):
        if each is None or not math.isfinite(each.favourable.p):
            found.append(_untested(question, each))
        else:
            found.append(_decision(question, each, next(pro), next(contra), family=len(known)))
    return found


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
    sign, bar = question.sign, question.bar
    sides = list(question.pairs.values())
    shared = paired_differences(question.pairs)
    if sides and all(len(values) >= 2 for values in shared.values()):
        groups = [np.array(list(values.values())) for values in shared.values()]
        effect = float(np.mean([group.mean() for group in groups]))
        shifted = [sign * group - bar for group in groups]
        if question.kind == "superiority":
            test = sign_flip(shifted)
            return _Tests(effect, groups, test, test, test.statistic > 0)
        return _Tests(
            effect, groups, sign_flip(shifted, alternative="greater"), sign_flip(shifted, alternative="less"), True
        )
    ours = [np.array([side[0][seed] for seed in sorted(side[0])]) for side in sides]
    theirs = [np.array([side[1][seed] for seed in sorted(side[1])]) for side in sides]
    if not sides or any(min(len(a), len(b)) < 2 for a, b in zip(ours, theirs, strict=True)):
        return None
    effect = float(np.mean([a.mean() - b.mean() for a, b in zip(ours, theirs, strict=True)]))
    better = [sign * a - bar for a in ours]
    other = [sign * b for b in theirs]
    if question.kind == "superiority":
        fewest = min(min(len(a), len(b)) for a, b in zip(ours, theirs, strict=True))
        alone = len(sides) == 1 and fewest >= WELCH_SEEDS
        test = welch(better[0], other[0]) if alone else permutation(better, other)
        return _Tests(effect, None, test, test, test.statistic > 0)
    return _Tests(
        effect,
        None,
        permutation(better, other, alternative="greater"),
        permutation(better, other, alternative="less"),
        True,
    )


def _decision(question: Question, tests: _Tests, pro: float, contra: float, *, family: int) -> Decision:
    two_sided = question.kind == "superiority"
    supported = pro <= question.alpha and (tests.towards or not two_sided)
    refuted = contra <= question.alpha and not supported and (not tests.towards or not two_sided)
    verdict: Verdict = "supported" if supported else "refuted" if refuted else "undecided"
    shown, adjusted = (tests.opposite, contra) if refuted else (tests.favourable, pro)
    level = 1 - question.alpha if two_sided else 1 - 2 * question.alpha
    low, high = _interval(question, tests, level)
    needed = _needed(question, tests) if verdict == "undecided" else None
    return Decision(
        id=question.id,
        verdict=verdict,
        effect=tests.effect,
        low=low,
        high=high,
        level=level,
        interval_method="percentile bootstrap, seeds resampled within environments" if low is not None else "",
        standardised=standardised(tests.effect, tests.differences) if tests.differences is not None else None,
        test=shown.name,
        p=shown.p,
        p_adjusted=adjusted,
        n=shown.n,
        environments=len(question.pairs),
        seeds_needed=needed,
        reason=_reason(question, tests, verdict, adjusted, family),
    )


def _interval(question: Question, tests: _Tests, level: float) -> tuple[float | None, float | None]:
    if tests.differences is None or not 0 < level < 1:
        return None, None
    estimate = stratified_bootstrap(tests.differences, level=level)
    return estimate.low, estimate.high


def standardised(effect: float, groups: Sequence[Floats]) -> float | None:
    """Effect / std of the paired differences, pooled over environments; None where they do not vary."""
    spread = math.sqrt(float(np.mean([group.var(ddof=1) for group in groups])))
    return effect / spread if spread > 0 else None


def _spread(tests: _Tests) -> float:
    """Upper bound of the effect's std with one pair per environment: means are averaged, so variances are added."""
    stds = [pessimistic_std(float(group.std(ddof=1)), len(group)) for group in tests.differences or []]
    return math.sqrt(sum(std**2 for std in stds)) / len(stds) if stds else 0.0


def _needed(question: Question, tests: _Tests) -> int | None:
    """Pairs per environment for power 0.8; not told where it hangs on several tests at once."""
    if tests.differences is None or tests.where:
        return None
    spread = _spread(tests)
    distance = question.sign * tests.effect - question.bar
    if spread == 0:
        return None
    alpha = question.alpha if question.kind == "superiority" else 2 * question.alpha
    needed = seeds_needed(distance / spread, alpha=alpha, design="paired")
    return None if needed is None else max(needed, fewest_pairs(alpha) if len(tests.differences) == 1 else needed)


def _found(question: Question, tests: _Tests) -> str:
    """What so many pairs would find, before Holm: is that the smallest difference worth having (protocols 13.3)?"""
    n, spread = tests.favourable.n, _spread(tests)
    # With two pairs the t-test behind the figure has one degree of freedom, and no figure worth reading.
    if n < 3 or spread == 0 or tests.where:
        return ""
    alpha = question.alpha if question.kind == "superiority" else 2 * question.alpha
    size = spread * detectable(n, alpha=alpha, design="paired")
    beyond = "" if question.margin == 0 else " from the margin"
    return f"; with {n} pairs a true difference of {size:.3g}{beyond} would be found with power 0.8"


def _reason(question: Question, tests: _Tests, verdict: Verdict, adjusted: float, family: int) -> str:
    of = f" over {family} comparisons" if family > 1 else ""
    if verdict != "undecided":
        side = "in favour" if verdict == "supported" else "the other way"
        return f"the test decides {side}: p = {adjusted:.2g} after Holm{of}, at most {question.alpha:g}"
    alpha, n = question.alpha if question.kind == "superiority" else 2 * question.alpha, tests.favourable.n
    if tests.differences is not None and len(question.parts[0]) == 1 and n < fewest_pairs(alpha):
        return f"{n} pairs cannot reach {question.alpha:g}: at least {fewest_pairs(alpha)} are needed"
    found = _found(question, tests)
    return f"the test does not decide{tests.where}: p = {adjusted:.2g} after Holm{of}, above {question.alpha:g}{found}"


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
