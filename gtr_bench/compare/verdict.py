"""From matched cells to verdicts: all tests first, then Holm's correction, then one verdict per cell."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from gtr_bench.compare.cells import Matched
from gtr_bench.compare.limits import Step
from gtr_bench.compare.measure import MeasuredCurves, MeasuredMetric, measure_curves, measure_metric
from gtr_bench.compare.model import VERDICTS, CellChange, CellVerdict, CurveChange, MetricChange
from gtr_bench.compare.outcome import Decided
from gtr_bench.compare.reasons import reasons
from gtr_bench.compare.shapes import shape_warning
from gtr_bench.metrics.comparison import HypothesisTest, holm, holm_steps
from gtr_bench.metrics.curves import CurveTest
from gtr_bench.metrics.run import Metric

__all__ = ["decide", "decided", "metric_changes"]


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
    decisions = decided(measured, alpha, margin)
    return [_metric_change(each, decision) for each, decision in zip(measured, decisions, strict=True)]


def decided(measured: Sequence[MeasuredMetric], alpha: float, margin: float) -> list[Decided | None]:
    """Each metric of a family with how Holm's procedure decided its tests; None where nothing was tested."""
    plain = _steps([each.test for each in measured], alpha)
    beyond = _steps([each.beyond for each in measured], alpha)
    return [
        Decided(each, one, other, alpha, margin) if one and other else None
        for each, one, other in zip(measured, plain, beyond, strict=True)
    ]


def _steps(tests: Sequence[HypothesisTest | CurveTest | None], alpha: float) -> Iterator[Step | None]:
    """How Holm's procedure decided each test of a family; None where there is none."""
    values = [test.p for test in tests if test]
    steps = zip(values, holm(values), holm_steps(values, [alpha] * len(values)), strict=True)
    for test in tests:
        yield Step(*next(steps), len(values)) if test else None


def _metric_change(measured: MeasuredMetric, decision: Decided | None) -> MetricChange:
    name, direction, n = measured.metric, measured.direction, min(len(measured.before), len(measured.after))
    if not n:
        return MetricChange(name, direction, reason=measured.reason or "no values on both sides")
    values = MetricChange(
        *(name, direction, float(measured.before.mean()), float(measured.after.mean()), measured.difference),
        n=n,
        outcome="identical",
        reason=measured.reason,
    )
    if decision is None or measured.test is None:
        return values
    plain, beyond = decision.plain, decision.beyond
    low, high = decision.interval
    detectable, worsening = decision.found()
    return replace(
        values,
        low=low,
        high=high,
        level=1 - (beyond if decision.worse else plain).level(decision.alpha),
        test=measured.test.name,
        p=plain.p,
        p_adjusted=plain.adjusted,
        margin_p_adjusted=beyond.adjusted,
        detectable=detectable,
        detectable_beyond=worsening,
        outcome=decision.outcome,
        reason="; ".join(filter(None, (decision.reason, measured.reason))),
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
