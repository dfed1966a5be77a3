"""From matched cells to verdicts: all tests first, then Holm's correction, then one verdict per cell."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from gtr_bench.compare.cells import Matched
from gtr_bench.compare.measure import MeasuredCurves, MeasuredMetric, measure_curves, measure_metric
from gtr_bench.compare.model import CellChange, CellVerdict, CurveChange, MetricChange
from gtr_bench.metrics.comparison import holm, holm_steps
from gtr_bench.metrics.run import Metric
from gtr_bench.report.text import number, p_value, ranges

__all__ = ["decide"]

_LISTED = 6


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
    measured = [[measure_metric(cell, metric, margin) for metric in metrics] for cell in cells]
    tests = [each.test for row in measured for each in row if each.test]
    values = [test.p for test in tests]
    plain = iter(holm(values))
    left = iter(holm_steps(values, [alpha] * len(values)))
    beyond = iter(holm([each.beyond.p for row in measured for each in row if each.beyond]))
    curves = [measure_curves(cell) for cell in cells]
    whole = iter(holm([each.test.p for each in curves if each]))
    found = []
    for cell, row, curve in zip(cells, measured, curves, strict=True):
        changes = tuple(
            _metric_change(each, (next(plain), next(beyond), next(left)) if each.test else None, alpha, len(tests))
            for each in row
        )
        found.append(_cell_change(cell, changes, _curve_change(curve, next(whole)) if curve else None, alpha))
    return tuple(found)


def _metric_change(
    measured: MeasuredMetric, adjusted: tuple[float, float, int] | None, alpha: float, tests: int
) -> MetricChange:
    """`adjusted`: p of no difference, and of a worsening by no more than the margin; hypotheses left for the first."""
    name, direction, n = measured.metric, measured.direction, min(len(measured.before), len(measured.after))
    if not n:
        return MetricChange(name, direction, reason=f"not compared: {measured.reason or 'no values on both sides'}")
    before, after = float(measured.before.mean()), float(measured.after.mean())
    values = MetricChange(name, direction, before, after, measured.difference, n=n, reason=measured.reason)
    if adjusted is None or measured.test is None or measured.beyond is None:
        return values
    low, high = measured.interval(alpha, adjusted[2]) or (None, None)
    outcome: Literal["better", "worse", "changed", "not shown"] = "not shown"
    reason = measured.reason
    detectable = None
    if adjusted[1] <= alpha and measured.beyond.statistic > 0 and direction != "neutral":
        outcome = "worse"
    elif adjusted[0] <= alpha:
        better = direction != "neutral" and (measured.difference > 0) == (direction == "higher")
        outcome = "better" if better else "changed"
        reason = reason if better or direction == "neutral" else "worse, but not shown to be so by more than the margin"
    else:
        reason = measured.too_few(alpha, tests)
        detectable = None if reason else measured.detectable(alpha, tests)
    return replace(
        values,
        low=low,
        high=high,
        test=measured.test.name,
        p=measured.test.p,
        p_adjusted=adjusted[0],
        margin_p_adjusted=adjusted[1],
        detectable=detectable,
        outcome=outcome,
        reason=reason,
    )


def _curve_change(measured: MeasuredCurves, adjusted: float) -> CurveChange:
    test = measured.test
    step, phase = measured.points[test.point]
    return CurveChange(
        step=step,
        phase=phase,
        difference=float(measured.differences[test.point]),
        statistic=test.statistic if math.isfinite(test.statistic) else None,
        points=len(measured.points),
        n=test.n,
        test=test.name,
        p=test.p,
        p_adjusted=adjusted,
    )


def _cell_change(
    cell: Matched, changes: tuple[MetricChange, ...], curve: CurveChange | None, alpha: float
) -> CellChange:
    apart = curve is not None and curve.p_adjusted <= alpha
    verdict = _verdict(cell, changes, apart)
    name = cell.name
    return CellChange(
        suite=name.suite,
        scale=name.scale,
        environment=name.environment,
        algorithm=name.algorithm,
        reconstruction=bool(cell.reconstructed),
        verdict=verdict,
        paired=cell.paired,
        seeds=tuple(record.seed for record in cell.before) if cell.paired else (),
        alone=cell.alone,
        identical=cell.identical,
        parameters=cell.parameters,
        versions=cell.versions,
        metrics=changes,
        curve=curve,
        speed=cell.speed,
        reasons=tuple(_reasons(cell, verdict, changes, curve if apart else None)),
        jobs=(tuple(record.job for record in cell.before), tuple(record.job for record in cell.after)),
    )


def _verdict(cell: Matched, changes: Sequence[MetricChange], apart: bool) -> CellVerdict:
    """The first that holds, the one a reader must know first."""
    outcomes = {change.outcome for change in changes}
    if "worse" in outcomes:
        return "worse"
    if cell.failed:
        return "failed"
    if not cell.comparable:
        return "not compared"
    if "better" in outcomes:
        return "better"
    if "changed" in outcomes or apart:
        return "changed"
    return "identical" if cell.all_identical else "unchanged"


def _reasons(
    cell: Matched, verdict: CellVerdict, changes: Sequence[MetricChange], apart: CurveChange | None
) -> Iterator[str]:
    """What led to the verdict, then what else a reader must know about the cell."""
    yield from _obstacles(cell)
    for change in changes:
        if change.outcome in ("better", "worse", "changed"):
            size = f"{number(change.before or 0)} -> {number(change.after or 0)}"
            p = change.margin_p_adjusted if change.outcome == "worse" else change.p_adjusted
            yield f"{change.metric} {change.outcome}: {size}, p (Holm) {p_value(p)}"
        if change.reason and cell.comparable:
            yield f"{change.metric}: {change.reason}"
        elif change.detectable is not None:
            yield f"{change.metric}: no change shown; one of {number(change.detectable)} is found with power 0.8"
    if apart is not None:
        yield (
            f"the curves differ, most at step {apart.step:,} of phase {apart.phase} (counted from 0): "
            f"B - A is {number(apart.difference)} there, p (Holm) {p_value(apart.p_adjusted)}"
        )
    if cell.parameters:
        yield f"parameters differ: {_listed(cell.parameters)}"
    if cell.versions:
        yield f"versions differ: {_listed(cell.versions)}"


def _obstacles(cell: Matched) -> Iterator[str]:
    """What stood in the way of comparing all of the cell."""
    if cell.failed:
        yield f"done in A and failed in B: {_seeds(cell.failed)}"
    if cell.obstacle:
        yield cell.obstacle
    elif not cell.before or not cell.after:
        missing = [letter for letter, side in (("A", cell.before), ("B", cell.after)) if not side]
        yield f"no finished run in {' and '.join(missing)}"
    elif not cell.paired:
        yield f"no seed on both sides: {len(cell.before)} and {len(cell.after)} runs compared unpaired"
    if cell.diverged:
        yield f"diverged in B and not in A: {_seeds(cell.diverged)}"
    for letter, seeds in zip("AB", cell.alone, strict=True):
        if seeds:
            yield f"without a partner in {'B' if letter == 'A' else 'A'}: {_seeds(seeds)}"


def _seeds(seeds: tuple[int, ...]) -> str:
    return f"seed{'' if len(seeds) == 1 else 's'} {ranges(seeds)}"


def _listed(differences: tuple[str, ...]) -> str:
    """The first ones; a sequence of a hundred phases may differ in each."""
    more = len(differences) - _LISTED
    return ", ".join(differences[:_LISTED]) + (f" and {more} more (`--json` lists them)" if more > 0 else "")
