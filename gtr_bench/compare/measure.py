"""The tests behind a comparison: of a metric, and of whole learning curves, each over the seeds of one cell."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gtr_bench.compare.cells import Direction, Matched, values_of
from gtr_bench.metrics.comparison import HypothesisTest, flip_test, permutation, sign_flip
from gtr_bench.metrics.curves import CurveTest, paired_curves, unpaired_curves
from gtr_bench.metrics.inversion import invert
from gtr_bench.metrics.planning import Plan, detectable
from gtr_bench.metrics.power import detectable as detectable_by_t
from gtr_bench.metrics.power import fewest_pairs
from gtr_bench.metrics.relabelled import Linear, Searched, flip
from gtr_bench.metrics.run import Metric
from gtr_bench.report.curves import points_of

__all__ = ["MeasuredCurves", "MeasuredMetric", "measure_curves", "measure_metric"]

Floats = NDArray[np.float64]
_POWER = 0.8


@dataclass(frozen=True)
class MeasuredMetric:
    """One metric of one cell before any correction.

    Attributes:
        metric, direction: its name, and which way is better; for `neutral` nothing is worse.
        before, after: values, [n] and [m]; parallel when `paired`.
        test: of no difference. `beyond` is the same test of a worsening by more than the margin: its statistic is
            positive where B is worse by more.
        reason: why some values are not defined.
        relabelled: what a paired `test` was made with.
    """

    metric: str
    direction: Direction
    before: Floats
    after: Floats
    paired: bool
    test: HypothesisTest | None
    beyond: HypothesisTest | None
    reason: str
    relabelled: Linear | Searched | None = None

    @property
    def difference(self) -> float:
        """B - A."""
        return float(self.after.mean() - self.before.mean())

    def interval(self, alpha: float, left: int) -> tuple[float, float] | None:
        """The paired differences that the test does not reject at alpha, with so many hypotheses left for Holm."""
        if self.relabelled is None:
            return None
        return invert(self.relabelled, (lambda p: left * p <= alpha,) * 2, two_sided=True)

    def too_few(self, alpha: float, tests: int) -> str:
        """A sentence where so few seeds cannot decide by themselves among `tests` tests; empty otherwise."""
        level = alpha / tests
        among = f" among {tests} tests" if tests > 1 else ""
        if self.paired:
            differ = int(np.count_nonzero(self.after - self.before))
            needed = fewest_pairs(level)
            if differ >= needed:
                return ""
            if differ == 0:
                return "all values are equal"
            return f"{differ} pairs that differ cannot decide at {alpha:g}{among}: at least {needed} are needed"
        splits = math.comb(len(self.before) + len(self.after), len(self.before))
        # equally large sides: a split and its mirror image are as extreme
        extreme = 2 if len(self.before) == len(self.after) else 1
        if extreme / splits <= level:
            return ""
        return f"{len(self.before)} and {len(self.after)} unpaired seeds cannot decide at {alpha:g}{among}"

    def detectable(self, alpha: float, tests: int) -> float | None:
        """The difference these seeds would have found with power 0.8 at alpha / tests.

        Paired, by the test itself; unpaired, by a t-test, which needs two seeds a side.
        """
        if min(len(self.before), len(self.after)) < 2:
            return None
        if self.paired:
            plan = Plan.of([self.after - self.before], level=alpha / tests)
            return detectable(plan, len(self.before)) if plan.spread > 0 else None
        n = min(len(self.before), len(self.after))
        spread = math.sqrt((self.before.var(ddof=1) + self.after.var(ddof=1)) / 2)
        return spread * detectable_by_t(n, alpha=alpha / tests, target=_POWER) if spread > 0 else None


def measure_metric(cell: Matched, metric: type[Metric], margin: float) -> MeasuredMetric:
    """One metric of one cell; tested where there are values on both sides and evaluations that differ.

    `margin` is how much worse is still no regression, in the metric's unit.
    """
    direction = cell.direction(metric)
    first, second, reason = values_of(cell, metric) if cell.comparable else ([], [], "")
    before, after = np.array(first, dtype=np.float64), np.array(second, dtype=np.float64)
    measured = MeasuredMetric(metric.name, direction, before, after, cell.paired, None, None, reason)
    if cell.all_identical or not len(before) or not len(after):
        return measured
    worse = -1.0 if direction == "higher" else 1.0
    relabelled = None
    if cell.paired:
        relabelled = flip([after - before])
        test = flip_test(relabelled, [after - before])
        beyond = sign_flip([worse * (after - before) - margin])
    else:
        test = permutation([after], [before])
        beyond = permutation([worse * after - margin], [worse * before])
    if margin == 0:
        beyond = replace(test, statistic=worse * test.statistic)  # not drawn anew: the two must not disagree
    return replace(measured, test=test, beyond=beyond, relabelled=relabelled)


@dataclass(frozen=True)
class MeasuredCurves:
    """The curves of one cell tested; `points` are (step, phase), `differences` the mean of B - A at each."""

    points: tuple[tuple[int, int], ...]
    differences: Floats
    test: CurveTest


def measure_curves(cell: Matched) -> MeasuredCurves | None:
    """Test the learning curves on the points that all of them have; None where none is, or nothing differs."""
    if not cell.comparable or cell.all_identical:
        return None
    sides = [
        [points_of(own.run(each, "return")) for each in side]
        for own, side in zip(cell.scores, (cell.before, cell.after), strict=True)
    ]
    shared = sorted(set.intersection(*(set(curve) for side in sides for curve in side)))
    if not shared:
        return None
    before, after = (np.array([[curve[point] for point in shared] for curve in side]) for side in sides)
    test = paired_curves(after - before) if cell.paired else unpaired_curves(before, after)
    return MeasuredCurves(tuple(shared), after.mean(axis=0) - before.mean(axis=0), test)
