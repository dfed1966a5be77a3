"""What the means of a comparison hide: values in two heaps, a side that spreads much further."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gtr_bench.compare.measure import MeasuredMetric
from gtr_bench.metrics.interval import iqm
from gtr_bench.metrics.shape import SPREAD_RATIO, heaps, spread_ratio, worst_quarter
from gtr_bench.report.text import number

__all__ = ["shape_warning"]

Floats = NDArray[np.float64]


def shape_warning(measured: MeasuredMetric) -> str:
    """Where runs look as if they failed now and then, by as much as the difference that is tested; else nothing.

    Of pairs the test reads the differences alone: seeds that fail on both sides alike are no matter there.
    """
    before, after, effect = measured.before, measured.after, abs(measured.difference)
    lower = measured.direction == "lower"
    looked_at = (
        {"differences B - A": measured.differences}
        if measured.paired
        else {"values of A": before, "values of B": after}
    )
    said = [_heaps(name, values, effect, lower=lower) for name, values in looked_at.items()]
    if any(said):
        quarters = " -> ".join(number(worst_quarter(side, lower=lower)) for side in (before, after))
        worst = "" if measured.direction == "neutral" else f"; worst quarter of the values {quarters}"
        told = "; ".join(filter(None, said))
        return f"{told}, so the test of means may err more often than it says{worst}"
    if spread_ratio(before, after) >= SPREAD_RATIO and max(before.std(), after.std()) >= effect:
        wide = "A" if before.std() > after.std() else "B"
        return f"the values of {wide} spread {SPREAD_RATIO:g} times or more as far as the other side's"
    return ""


def _heaps(name: str, values: Floats, effect: float, *, lower: bool) -> str:
    found = heaps(values)
    if found is None or found.gap < effect:
        return ""
    worse, of = (found.high if lower else found.low), found.low + found.high
    return (
        f"the {name} lie in two heaps ({worse} of {of} in the {'upper' if lower else 'lower'} one): mean "
        f"{number(float(values.mean()))}, interquartile mean {number(float(iqm(values)))}"
    )
