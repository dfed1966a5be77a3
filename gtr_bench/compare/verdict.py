"""From matched cells to verdicts: all tests first, then Holm's correction, then one verdict per cell."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gtr_bench.compare.cells import Matched
from gtr_bench.compare.limits import Step
from gtr_bench.compare.measure import MeasuredCurves, MeasuredMetric, measure_curves, measure_metric
from gtr_bench.compare.model import VERDICTS, CellChange, CellVerdict, CurveChange, MetricChange, Outcome
from gtr_bench.compare.reasons import reasons
from gtr_bench.compare.shapes import shape_warning
from gtr_bench.metrics.comparison import HypothesisTest, holm, holm_steps
from gtr_bench.metrics.curves import CurveTest
from gtr_bench.metrics.run import Metric
from gtr_bench.report.text import number, p_value

__all__ = ["decide", "metric_changes"]


def decide(
    cells: Sequence[Matched], metrics: Sequence[type[Metric]], alpha: float, margin: float
) -> tuple[CellChange, ...]:
    """A verdict per cell, in order.

    Identical cells are no part of the families that Holm's correction runs over: nothing is tested there.

    Args:
        cells: of all suites.
        metrics: what is compared in each.
        alpha: level of the family of all metrics, and of that of all curves.
        margin: how much worse is still no regression.
    """
    measured = [measure_metric(cell, metric, margin) for cell in cells for metric in metrics]
    changes = metric_changes(measured, alpha, margin)
    curves = [measure_curves(cell) for cell in cells]
    whole = _steps([each.test if each else None for each in curves], alpha)
    return tuple(
        _cell_change(
            cell,
            tuple(changes[number * len(metrics) : (number + 1) * len(metrics)]),
            _curve_change(curve, step, alpha),
            alpha,
        )
        for number, (cell, curve, step) in enumerate(zip(cells, curves, whole, strict=True))
    )


def metric_changes(measured: Sequence[MeasuredMetric], alpha: float, margin: float) -> list[MetricChange]:
    """What the tests of a family of metrics say of each."""
    plain = _steps([each.test for each in measured], alpha)
    beyond = _steps([each.beyond for each in measured], alpha)
    return [_metric_change(each, next(plain), next(beyond), alpha, margin) for each in measured]


def _steps(tests: Sequence[HypothesisTest | CurveTest | None], alpha: float) -> Iterator[Step | None]:
    """How Holm's procedure decided each test of a family; None where there is none."""
    values = [test.p for test in tests if test]
    steps = zip(values, holm(values), holm_steps(values, [alpha] * len(values)), strict=True)
    for test in tests:
        yield Step(*next(steps), len(values)) if test else None


@dataclass(frozen=True)
class _Decided:
    """A metric with its tests of no difference (`plain`) and of a worsening beyond the margin (`beyond`)."""

    measured: MeasuredMetric
    plain: Step
    beyond: Step
    alpha: float
    margin: float

    @property
    def worse_sign(self) -> float:
        """Turns a difference B - A so that positive is worse."""
        return -1.0 if self.measured.direction == "higher" else 1.0

    @property
    def shown(self) -> bool:
        """There is a difference."""
        return self.plain.adjusted <= self.alpha

    @property
    def worsened(self) -> bool:
        """B is worse on average, if any side is."""
        return self.measured.direction != "neutral" and self.worse_sign * self.measured.difference > 0

    @property
    def _beyond_decides(self) -> bool:
        return self.measured.direction != "neutral" and self.beyond.adjusted <= self.alpha

    @property
    def worse(self) -> bool:
        """B is worse by more than the margin."""
        return self._beyond_decides and self.measured.beyond is not None and self.measured.beyond.statistic > 0

    @property
    def spared(self) -> bool:
        """B is shown not to be worse by more than a margin: what was asked for is decided."""
        return self.margin > 0 and self._beyond_decides and not self.worse

    @property
    def obstacle(self) -> str:
        """Why so few seeds cannot decide what was asked for; empty where they can."""
        if self.spared:
            return ""
        design = self.measured.design
        asked = [] if self.shown else [self.plain]
        if self.measured.direction != "neutral" and self.margin > 0:
            asked.append(self.beyond)
        return next(filter(None, (design.too_few(step, self.alpha) for step in asked)), "")

    @property
    def outcome(self) -> Outcome:
        """The first that holds."""
        if self.worse:
            return "worse"
        if self.shown and not self.worsened and self.measured.direction != "neutral":
            return "better"
        if self.obstacle:
            return "cannot decide"
        return "changed" if self.shown else "no difference found"

    @property
    def interval(self) -> tuple[float, float]:
        """Of B - A, so that it never contradicts the outcome: each bar, 0 and the margin, by the step that decided it.

        The two tests have families of their own, which may stop at different steps.
        """
        measured, alpha = self.measured, self.alpha
        if self.worse:
            return measured.interval(alpha, self.beyond.left)
        low, high = measured.interval(alpha, self.plain.left)
        bar = self.worse_sign * self.margin
        if self.spared:
            nearer = measured.interval(alpha, self.beyond.left)
            low, high = (max(low, nearer[0]), high) if bar < 0 else (low, min(high, nearer[1]))
        elif self.shown and self.worsened and self.margin > 0:
            low, high = (low, max(high, bar)) if bar < 0 else (min(low, bar), high)
        # An end on 0 itself, where a difference is 0, may be computed a rounding error beyond it.
        return (low, high) if self.shown else (min(low, 0.0), max(high, 0.0))

    @property
    def reason(self) -> str:
        """A sentence where the outcome alone says too little."""
        if self.obstacle and self.outcome == "cannot decide":
            return self.obstacle
        if self.outcome == "changed" and self.worsened:
            return "worse, but not shown to be so by more than the margin"
        if self.outcome == "no difference found" and self.measured.equal:
            return "all values are equal"
        if self.outcome == "no difference found" and self.spared:
            return f"shown not to be worse by more than {number(self.margin)}, p (Holm) {p_value(self.beyond.adjusted)}"
        return ""

    def found(self) -> tuple[float | None, float | None]:
        """The worsening that these seeds find with power 0.8, and the one they find to be beyond the margin."""
        if self.outcome != "no difference found" or self.spared:
            return None, None
        plain = self.measured.detectable(self.plain.level(self.alpha))
        if self.margin == 0 or self.measured.direction == "neutral":
            return plain, None
        beyond = self.measured.detectable(self.beyond.level(self.alpha))
        return plain, None if beyond is None else self.margin + beyond


def _metric_change(
    measured: MeasuredMetric, plain: Step | None, beyond: Step | None, alpha: float, margin: float
) -> MetricChange:
    name, direction, n = measured.metric, measured.direction, min(len(measured.before), len(measured.after))
    if not n:
        return MetricChange(name, direction, reason=measured.reason or "no values on both sides")
    values = MetricChange(
        *(name, direction, float(measured.before.mean()), float(measured.after.mean()), measured.difference),
        n=n,
        outcome="identical",
        reason=measured.reason,
    )
    if plain is None or beyond is None or measured.test is None:
        return values
    decided = _Decided(measured, plain, beyond, alpha, margin)
    low, high = decided.interval
    detectable, worsening = decided.found()
    return replace(
        values,
        low=low,
        high=high,
        level=1 - (beyond if decided.worse else plain).level(alpha),
        test=measured.test.name,
        p=plain.p,
        p_adjusted=plain.adjusted,
        margin_p_adjusted=beyond.adjusted,
        detectable=detectable,
        detectable_beyond=worsening,
        outcome=decided.outcome,
        reason="; ".join(filter(None, (decided.reason, measured.reason))),
        warning=shape_warning(measured),
    )


def _curve_change(measured: MeasuredCurves | None, step: Step | None, alpha: float) -> CurveChange | None:
    if measured is None or step is None:
        return None
    test = measured.test
    place, phase = measured.points[test.point]
    return CurveChange(
        step=place,
        phase=phase,
        difference=float(measured.differences[test.point]),
        statistic=test.statistic if math.isfinite(test.statistic) else None,
        points=len(measured.points),
        n=test.n,
        test=test.name,
        p=step.p,
        p_adjusted=step.adjusted,
        reason="" if step.adjusted <= alpha else measured.design.too_few(step, alpha),
    )


def _cell_change(
    cell: Matched, changes: tuple[MetricChange, ...], curve: CurveChange | None, alpha: float
) -> CellChange:
    apart = curve is not None and curve.p_adjusted <= alpha
    name = cell.name
    return CellChange(
        suite=name.suite,
        scale=name.scale,
        environment=name.environment,
        algorithm=name.algorithm,
        reconstruction=bool(cell.reconstructed),
        verdict=_verdict(cell, changes, curve, apart=apart),
        paired=cell.paired,
        seeds=tuple(record.seed for record in cell.before) if cell.paired else (),
        alone=cell.alone,
        identical=cell.identical,
        parameters=cell.parameters,
        versions=cell.versions,
        metrics=changes,
        curve=curve,
        speed=cell.speed,
        interim=any(cell.unfinished),
        reasons=tuple(reasons(cell, changes, curve, apart=apart)),
        jobs=(tuple(record.job for record in cell.before), tuple(record.job for record in cell.after)),
    )


def _verdict(cell: Matched, changes: Sequence[MetricChange], curve: CurveChange | None, *, apart: bool) -> CellVerdict:
    """The first that holds, the one a reader must know first.

    Metrics without any value do not count beside others that have some.
    """
    found: set[CellVerdict] = {change.outcome for change in changes if change.outcome != "not compared"}
    if cell.comparable and cell.all_identical:
        found = {"identical"}
    elif not cell.comparable or not found:
        found.add("not compared")
    else:
        found |= {"changed"} if apart else set()
        found |= {"cannot decide"} if curve is not None and curve.reason else set()
    found |= {"failed"} if cell.lost else set()
    return next(verdict for verdict in VERDICTS if verdict in found)
