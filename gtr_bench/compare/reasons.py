"""Why a cell has its verdict, and what else a reader must know about it, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gtr_bench.compare.cells import Matched
from gtr_bench.compare.model import CurveChange, MetricChange
from gtr_bench.metrics.planning import POWER
from gtr_bench.report.text import number, p_value, ranges

__all__ = ["reasons"]

_LISTED = 6


def reasons(cell: Matched, changes: Sequence[MetricChange], curve: CurveChange | None, *, apart: bool) -> Iterator[str]:
    """What led to the verdict, then what else there is; `apart`: the curves differ by the test."""
    yield from _jobs(cell)
    if cell.comparable:
        for change in changes:
            yield from _of_metric(change)
        yield from _of_curves(cell, changes, curve, apart=apart)
    if cell.parameters:
        yield f"parameters differ: {_listed(cell.parameters)}"
    if cell.versions:
        yield f"versions differ: {_listed(cell.versions)}"


def _of_metric(change: MetricChange) -> Iterator[str]:
    name = change.metric
    if change.outcome in ("better", "worse", "changed"):
        size = f"{number(change.before or 0)} -> {number(change.after or 0)}"
        p = change.margin_p_adjusted if change.outcome == "worse" else change.p_adjusted
        yield f"{name} {change.outcome}: {size}, p (Holm) {p_value(p)}"
    if change.outcome == "not compared":
        yield f"{name}: not compared: {change.reason}"
    elif change.reason:
        yield f"{name}: {change.reason}"
    if change.detectable is not None:
        true = "difference" if change.direction == "neutral" else "worsening"
        beyond = change.detectable_beyond
        more = "" if beyond is None else f", one of {number(beyond)} to be beyond the margin"
        yield (
            f"{name}: no difference found; a true {true} of {number(change.detectable)} would be found with power "
            f"{POWER:g}{more}"
        )
    if change.warning:
        yield f"{name}: {change.warning}"


def _of_curves(
    cell: Matched, changes: Sequence[MetricChange], curve: CurveChange | None, *, apart: bool
) -> Iterator[str]:
    if curve is None:
        if not cell.all_identical:
            yield "the curves have no evaluation point in common"
    elif apart:
        yield (
            f"the curves differ, most at step {curve.step:,} of phase {curve.phase} (counted from 0): "
            f"B - A is {number(curve.difference)} there, p (Holm) {p_value(curve.p_adjusted)}"
        )
    elif curve.reason and all(curve.reason not in change.reason for change in changes):
        yield f"curves: {curve.reason}"


def _jobs(cell: Matched) -> Iterator[str]:
    """What became of the jobs, and what stood in the way of comparing all of the cell."""
    if cell.lost:
        done = set(cell.lost) <= {*(each.seed for each in cell.before), *cell.alone[0]}
        yield f"{'done in A and failed in B' if done else 'a larger share failed in B'}: {_seeds(cell.lost)}"
    if cell.obstacle:
        yield cell.obstacle
    elif not cell.before or not cell.after:
        missing = [letter for letter, side in (("A", cell.before), ("B", cell.after)) if not side]
        yield f"no finished run in {' and '.join(missing)}"
    elif not cell.paired:
        yield f"no seed on both sides: {len(cell.before)} and {len(cell.after)} runs compared unpaired"
    if cell.failed[0] and cell.paired:
        yield f"failed in A and done in B: {_seeds(cell.failed[0])}"
    for letter, here, there in zip("AB", cell.diverged, "BA", strict=True):
        if here:
            yield f"diverged in {letter}{f' and not in {there}' if cell.paired else ''}: {_seeds(here)}"
    for letter, seeds in zip("AB", cell.unfinished, strict=True):
        if seeds:
            yield f"interim, as jobs have not ended in {letter}: {_seeds(seeds)}"
    for letter, seeds, other in zip("BA", cell.alone, (1, 0), strict=True):
        told = {*cell.failed[other], *cell.unfinished[other]}
        left = tuple(seed for seed in seeds if seed not in told)
        if left:
            yield f"without a partner in {letter}: {_seeds(left)}"


def _seeds(seeds: tuple[int, ...]) -> str:
    return f"seed{'' if len(seeds) == 1 else 's'} {ranges(seeds)}"


def _listed(differences: tuple[str, ...]) -> str:
    """The first ones; a sequence of a hundred phases may differ in each."""
    more = len(differences) - _LISTED
    return ", ".join(differences[:_LISTED]) + (f" and {more} more (`--json` lists them)" if more > 0 else "")
