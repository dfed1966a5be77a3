"""A group-sequential test of a family of statements: seeds come in waves, and after each wave some may be decided.

At look k of K no more than alpha k / K of the labellings may have rejected anything, those that rejected at an earlier
look included (AdaStop, Mathieu et al.; protocols 13.4, whose sign defect is avoided: p-values of absolute statistics on
both sides). Within a look statements are decided by step-down on the smallest p-value (Westfall and Young, chapter 2).

Under the complete null the family-wise error is at most alpha. With true and false nulls mixed it is so as long as the
looks at which the false ones fall do not depend on the labels of the true ones; the tests simulate both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gtr_bench.metrics.decision import Decision, Pairs, Question, Verdict, paired_differences, standardised, turned
from gtr_bench.metrics.inversion import invert
from gtr_bench.metrics.labellings import EVERYWHERE, Block, Labellings
from gtr_bench.metrics.relabelled import TIE, Alternative, Linear, Searched, estimate, p_value, relabel

__all__ = ["Look", "SequentialTest", "Standing", "describe"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Standing:
    """Where a statement stands after a look.

    Attributes:
        id: the statement's.
        verdict: `undecided` means that it is still open.
        p: its p-value among the labellings, towards `refuted` where that is the verdict; None before it can be tested.
        boundary: what p was compared with; None where no p could be small enough yet.
        ends: makes the interval.
    """

    id: str
    verdict: Verdict
    p: float | None
    boundary: float | None
    ends: Callable[[], tuple[float, float]] = field(default=lambda: (-math.inf, math.inf), repr=False, compare=False)

    @cached_property
    def interval(self) -> tuple[float, float]:
        """The differences A - B for which p is above the boundary; infinite where no p could be small enough.

        Found when it is asked for: inverting a test costs more than the test.
        """
        return self.ends()


@dataclass(frozen=True)
class Look:
    """What one look decided.

    Attributes:
        number: of the look, from 1.
        looks: how many there are at most.
        alpha: level of the whole family.
        spent: share of `alpha`'s scale that is used up: the labellings that rejected so far.
        standings: of the statements that were open before this look, in their order.
    """

    number: int
    looks: int
    alpha: float
    spent: float
    standings: tuple[Standing, ...]


@dataclass(frozen=True, eq=False)
class _Tested:
    """A statement's p-values under every labelling, weighted by its level; `against` is the observed one of the
    opposite statement, `towards` and `away` whether the observed differences favour it or the opposite.

    `weighted` is the largest of all that must hold for it, `lowest` the smallest, from which the boundary is made: a
    boundary from the largest would be too high where some of them hold.
    """

    question: Question
    relabelled: Linear | Searched
    weight: float
    weighted: Floats
    lowest: Floats
    against: float
    towards: bool
    away: bool

    def verdict(self, boundary: float) -> Verdict:
        two_sided = self.question.kind == "superiority"
        if self.weighted[0] <= boundary and (self.towards or not two_sided):
            return "supported"
        if self.against <= boundary and (self.away or not two_sided):
            return "refuted"
        return "undecided"

    def standing(self, boundary: float) -> Standing:
        verdict, two_sided = self.verdict(boundary), self.question.kind == "superiority"
        p = float(self.against if verdict == "refuted" else self.weighted[0]) / self.weight
        if boundary <= 0:
            return Standing(self.question.id, verdict, p, None)

        def ends() -> tuple[float, float]:
            low, high = invert(self.relabelled, (lambda p: self.weight * p <= boundary,) * 2, two_sided=two_sided)
            if verdict == "undecided":
                # An end on the bar itself, where a difference equals it, may be computed a rounding error beyond it.
                low, high = min(low, 0.0), max(high, 0.0)
            return turned(self.question, low, high)

        return Standing(self.question.id, verdict, p, boundary / self.weight, ends)


@dataclass(frozen=True)
class _Part:
    """The p-values of one thing that must hold, under every labelling; the observed one of its opposite, and the
    observed mean difference, turned and beyond the bar; `relabelled` is what they were made with."""

    shares: Floats
    against: float
    observed: float
    relabelled: Linear | Searched | None


class SequentialTest:
    """The looks of one family, one after the other."""

    def __init__(self, looks: int) -> None:
        """`looks`: how many there may be, at least 1."""
        if looks < 1:
            raise ValueError(f"{looks} looks")
        self._looks = looks
        self._taken = 0
        self._labellings = Labellings()
        self._removed: NDArray[np.bool_] = np.zeros(1, dtype=np.bool_)
        self._decided: set[str] = set()
        self._alpha = 0.0
        self._joint = False

    def look(self, questions: Sequence[Question]) -> Look:
        """Test what is open with the values so far.

        Args:
            questions: the whole family with all values so far, the same ids at every look; those decided before are
                passed over, and those without two pairs in each of their environments wait.

        Raises:
            ValueError: more looks than announced.
        """
        if self._taken == self._looks:
            raise ValueError(f"only {self._looks} looks were announced")
        self._taken += 1
        # One statement whose environments share their seeds' randomness makes whole seeds the blocks of the family.
        self._joint = self._joint if self._taken > 1 else any(question.joint for question in questions)
        self._alpha = max([self._alpha, *(question.alpha for question in questions)])
        waiting = [question for question in questions if question.id not in self._decided]
        tested = self._test(waiting)
        standings = {question.id: Standing(question.id, "undecided", None, None) for question in waiting}
        smallest, boundary = np.ones(len(self._labellings)), -math.inf
        still = tested
        while still:
            smallest = np.min([each.lowest for each in still], axis=0)
            boundary = self._boundary(smallest, max(each.question.alpha for each in still))
            left = [each for each in still if each.verdict(boundary) == "undecided"]
            closing = len(left) == len(still)
            standings |= {each.question.id: each.standing(boundary) for each in still if closing or each not in left}
            if closing:
                break
            still = left
        self._decided |= {each.id for each in standings.values() if each.verdict != "undecided"}
        # Also when nothing is left open: the labellings that would have decided the last ones are spent.
        self._removed |= smallest <= boundary
        spent = float(np.mean(self._removed))
        return Look(self._taken, self._looks, self._alpha, spent, tuple(standings.values()))

    def _test(self, questions: Sequence[Question]) -> list[_Tested]:
        """The statements that can be tested, with their p-values among the labellings of all their blocks."""
        testable = [each for each in questions if _testable(paired_differences(each.pairs))]
        blocks = [
            block
            for question in testable
            for pairs in (question.pairs, question.worst_case or {})
            for block in self._blocks(paired_differences(pairs))
        ]
        self._removed = self._removed[self._labellings.extend(blocks)]
        return [self._tested(question) for question in testable]

    def _blocks(self, differences: Mapping[str, Mapping[int, float]]) -> list[Block]:
        """Of every difference, environment by environment."""
        return [
            (EVERYWHERE if self._joint else environment, seed)
            for environment, values in differences.items()
            for seed in values
        ]

    def _tested(self, question: Question) -> _Tested:
        """A statement with all that must hold for it: its parts, and those in the case worst for it."""
        parts = [self._part(question, part) for part in question.parts]
        worst = [] if question.worst_case is None else replace(question, pairs=question.worst_case).parts
        every = [*parts, *(self._part(question, part) for part in worst)]
        weight = self._alpha / question.alpha
        two_sided = question.kind == "superiority"
        against = min(each.against if each.observed <= 0 or not two_sided else 1.0 for each in parts)
        return _Tested(
            question,
            parts[0].relabelled
            if question.scope == "average" and parts[0].relabelled is not None
            else self._relabelled(question, paired_differences(question.pairs)),
            weight,
            weight * np.max([each.shares for each in every], axis=0),
            weight * np.min([each.shares for each in every], axis=0),
            weight * min(1.0, len(parts) * against),
            all(each.observed > 0 for each in every),
            any(each.observed <= 0 for each in parts),
        )

    def _relabelled(self, question: Question, differences: Mapping[str, Mapping[int, float]]) -> Linear | Searched:
        # Sorted, so that rounding does not depend on the order in which values were read.
        ordered = dict(sorted(differences.items()))
        shifted = [
            question.sign * np.array([values[seed] for seed in sorted(values)]) - question.bar
            for values in ordered.values()
        ]
        names = [EVERYWHERE if self._joint else name for name in ordered]
        rows: dict[Block, int] = {}
        places = [
            np.array([rows.setdefault((name, seed), len(rows)) for seed in sorted(values)], dtype=np.intp)
            for name, values in zip(names, ordered.values(), strict=True)
        ]
        return relabel(shifted, places, self._labellings.signs(rows), question.estimand, exact=True)

    def _part(self, question: Question, pairs: Pairs) -> _Part:
        """One of the things that must hold; where it cannot be tested, it does not."""
        differences = paired_differences(pairs)
        if not _testable(differences):
            return _Part(np.ones(len(self._labellings)), 1.0, 0.0, None)
        relabelled = self._relabelled(question, differences)
        alternative: Alternative = "two-sided" if question.kind == "superiority" else "greater"
        seen, statistics = relabelled.at(0.0, alternative)
        slack, observed = TIE * relabelled.scale, float(seen)
        if question.kind == "superiority":
            shares = _shares(np.abs(statistics), slack)
            return _Part(shares, float(shares[0]), observed, relabelled)
        # Every labelling's negation is there too, so refuting is as likely as supporting: one boundary serves both.
        return _Part(_shares(statistics, slack), p_value(relabelled, "less"), observed, relabelled)

    def _boundary(self, smallest: Floats, alpha: float) -> float:
        """The largest p at or below which, with those removed before, at most the level's share of labellings lies."""
        level = alpha * self._taken / self._looks
        allowed = math.floor(level * len(smallest) + 1e-9) - int(np.count_nonzero(self._removed))
        kept = np.sort(smallest[~self._removed])
        if allowed >= len(kept):
            return float(kept[-1]) if len(kept) else -math.inf
        # Equal p-values fall together or not at all.
        within = int(np.searchsorted(kept, kept[allowed], side="left")) if allowed > 0 else 0
        return float(kept[within - 1]) if within else -math.inf


def describe(question: Question, standing: Standing, look: Look, *, final: bool) -> Decision:
    """What a report says of a statement at its last look.

    Args:
        question: with the values the look had.
        standing: the statement's.
        look: the one it was decided at, or the last.
        final: no further look will come.
    """
    groups = [np.array(list(values.values())) for values in paired_differences(question.pairs).values()]
    tested = standing.p is not None
    effect = estimate(groups, question.estimand) if tested else None
    sides = 1 if question.kind == "superiority" else 2
    strata = " stratified by environment" if len(groups) > 1 else ""
    kind = {"mean": "", "iqm": " of the interquartile mean", "median": " of the median"}[question.estimand]
    together = ", a seed's signs flipped together" if question.joint else ""
    return Decision(
        id=question.id,
        verdict=standing.verdict,
        effect=effect,
        low=standing.interval[0] if tested else None,
        high=standing.interval[1] if tested else None,
        level=1 - sides * (standing.boundary or 0.0),
        interval_method="what the look's test does not reject at its boundary" if tested else "",
        standardised=standardised(effect, groups) if effect is not None else None,
        test=f"sequential paired sign-flip{kind}{strata}, look {look.number} of {look.looks}{together}"
        if tested
        else "",
        p=standing.p,
        p_adjusted=None,
        n=min((len(group) for group in groups), default=0),
        environments=len(groups),
        seeds_needed=None,
        reason=_reason(standing, look, final=final),
    )


def _reason(standing: Standing, look: Look, *, final: bool) -> str:
    place = f"look {look.number} of {look.looks}"
    spent = f"level spent {look.spent:.2g} of {look.alpha:g}"
    if standing.p is None:
        return f"fewer than two pairs of seeds in an environment at {place}; {spent}"
    bar = "no p could be small enough yet" if standing.boundary is None else f"above {standing.boundary:.2g}"
    if standing.verdict != "undecided":
        side = "in favour" if standing.verdict == "supported" else "the other way"
        return f"{place} decides {side}: p = {standing.p:.2g}, at most {standing.boundary:.2g}; {spent}"
    if final:
        return f"the last look ({place}) does not decide: p = {standing.p:.2g}, {bar}; {spent}"
    return f"open after {place}: p = {standing.p:.2g}, {bar}; {spent}"


def _testable(differences: Mapping[str, Mapping[int, float]]) -> bool:
    return bool(differences) and all(len(values) >= 2 for values in differences.values())


def _shares(statistics: Floats, slack: float) -> Floats:
    """For every labelling, the share of labellings whose statistic is at least as large."""
    ordered = np.sort(statistics)
    return np.asarray((len(ordered) - np.searchsorted(ordered, statistics - slack, side="left")) / len(ordered))
