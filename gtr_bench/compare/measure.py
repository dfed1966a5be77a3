"""The tests behind a comparison: of a metric, and of whole learning curves, each over the seeds of one cell."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gtr_bench.compare.cells import Direction, Matched, values_of
from gtr_bench.compare.limits import Design, detectable_paired, detectable_unpaired, differing
from gtr_bench.metrics.comparison import HypothesisTest, flip_test, permutation, permutation_test, sign_flip
from gtr_bench.metrics.curves import CurveTest, paired_curves, unpaired_curves
from gtr_bench.metrics.inversion import invert
from gtr_bench.metrics.permuted import permute
from gtr_bench.metrics.relabelled import TIE, Linear, Searched, flip
from gtr_bench.metrics.run import Metric
from gtr_bench.report.curves import points_of

__all__ = ["MeasuredCurves", "MeasuredMetric", "measure_curves", "measure_metric", "with_tests"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MeasuredMetric:
    """One metric of one cell before any correction.

    Attributes:
        metric, direction: its name, and which way is better; for `neutral` nothing is worse.
        before, after: values, [n] and [m]; parallel when `paired`.
        test: of no difference. `beyond` is the same test of a worsening by more than the margin: its statistic is
            positive where B is worse by more.
        reason: why some values are not defined.
        relabelled: what `test` was made with.
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
        return float(self.differences.mean() if self.paired else self.after.mean() - self.before.mean())

    @property
    def differences(self) -> Floats:
        """B - A of each pair, [n]. What rounding leaves of equal means is none, or a test would find it."""
        apart = self.after - self.before
        largest = max(np.abs(self.before).max(), np.abs(self.after).max())
        return np.where(np.abs(apart) <= TIE * largest, 0.0, apart)

    @property
    def equal(self) -> bool:
        """All values are the same on both sides."""
        if self.paired:
            return not np.any(self.differences)
        return len({*self.before, *self.after}) == 1

    @property
    def design(self) -> Design:
        """How many seeds the tests have."""
        n, m = len(self.before), len(self.after)
        return Design(n, m, differing(self.differences) if self.paired else 0, self.paired)

    def interval(self, alpha: float, left: int) -> tuple[float, float]:
        """The differences B - A that `test` does not reject at alpha, with so many hypotheses left for Holm."""
        assert self.relabelled is not None, "asked where there is a test"
        return invert(self.relabelled, (lambda p: left * p <= alpha,) * 2, two_sided=True)

    def detectable(self, level: float) -> float | None:
        """The true worsening (where no side is better: difference) that `test` at this level finds with power 0.8.

        None where it finds none.
        """
        ways = {"higher": (-1.0,), "lower": (1.0,), "neutral": (1.0, -1.0)}[self.direction]
        if self.paired:
            return detectable_paired(self.differences, level, ways)
        return detectable_unpaired(self.before, self.after, level, ways)


def measure_metric(cell: Matched, metric: type[Metric], margin: float) -> MeasuredMetric:
    """One metric of one cell; tested where there are values on both sides and evaluations that differ.

    `margin` is how much worse is still no regression, in the metric's unit.
    """
    direction = cell.direction(metric)
    first, second, reason = values_of(cell, metric) if cell.comparable else ([], [], "")
    before, after = np.array(first, dtype=np.float64), np.array(second, dtype=np.float64)
    measured = MeasuredMetric(metric.name, direction, before, after, cell.paired, None, None, reason)
    return measured if cell.all_identical or not len(before) or not len(after) else with_tests(measured, margin)


def with_tests(measured: MeasuredMetric, margin: float) -> MeasuredMetric:
    """With its tests; there are values on both sides."""
    before, after = measured.before, measured.after
    worse = -1.0 if measured.direction == "higher" else 1.0
    if measured.paired:
        relabelled = flip([measured.differences])
        test = flip_test(relabelled, [measured.differences])
        beyond = sign_flip([worse * measured.differences - margin])
    else:
        relabelled = permute([after], [before])
        test = permutation_test(relabelled, [after], [before])
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
    design: Design


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
    design = Design(len(before), len(after), differing(after - before) if cell.paired else 0, cell.paired)
    return MeasuredCurves(tuple(shared), after.mean(axis=0) - before.mean(axis=0), test, design)
