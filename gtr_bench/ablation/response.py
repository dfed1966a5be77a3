"""Response curves of a study: the score over each parameter, with the best setting, the plateau and the reference."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from gtr_bench.ablation.model import Axis, Point, ResponseCurve, StudyReport, Value
from gtr_bench.ablation.wording import setting_text, value_text
from gtr_bench.errors import RequestError
from gtr_bench.metrics.interval import Estimate
from gtr_bench.report.figures.bands import DIGITS, Y_AXIS, band, labels, lines, points
from gtr_bench.report.figures.chart import (
    Chart,
    Places,
    Spec,
    coloured,
    grid,
    scale_of,
    short,
    shown,
    title_of,
    visible,
)
from gtr_bench.report.figures.save import save_chart
from gtr_bench.report.text import SMOKE, reconstruction_line

__all__ = ["draw_response", "response_chart"]

MANY = 1000
"""times from one end of a logarithmic axis to the other: with more, only powers of ten are named"""


def draw_response(report: StudyReport, out: Path) -> None:
    """Draw the response curves into a `.png`, `.svg` or `.pdf` file; equal reports give equal files.

    Raises:
        RequestError: another suffix, no setting with a score, or a file that cannot be written.
    """
    chart = response_chart(report)
    if chart is None:
        raise RequestError("no setting has a score to draw")
    save_chart(chart, out)


def response_chart(report: StudyReport) -> Chart | None:
    """A panel per parameter, a line per environment; None where no setting has a score."""
    if report.best is None:
        return None
    records = report.records
    drawn = dict.fromkeys(_name(report, curve) for curve in report.curves)
    reference = _reference(report)
    names = {name: place for place, name in enumerate([*drawn, *([reference] if reference else [])])}
    panels = [
        (_ordered if axis.numeric else _unordered)(place, report, axis, names)
        for place, axis in enumerate(records.axes)
    ]
    return Chart(
        name=title_of(f"{records.name}-response"),
        title=f"{records.name}: {records.algorithm} on {records.suite}, scale {records.scale}",
        notes=tuple(_notes(report)),
        description=f"{records.metric} over {', '.join(axis.name for axis in records.axes)} of {records.algorithm}",
        spec=grid(panels, names=names),
        zooms=any(axis.numeric for axis in records.axes),
    )


def _notes(report: StudyReport) -> Iterator[str]:
    yield "mean over seeds with a 95% bootstrap band"
    if len(report.records.axes) > 1:
        yield "the other parameters vary along a curve"
    for axis in report.records.axes:
        marks = [f"{what} {value_text(value)} ({kind})" for kind, what, value in _marks(report, axis)]
        flat = report.curves[0].plateau
        if flat is not None:
            unknown = "" if flat.told else "; width unknown"
            marks.append(f"plateau {flat.low:g} to {flat.high:g} (shaded{unknown})")
        if marks:
            yield f"{axis.name}: {', '.join(marks)}"
    if report.records.reconstruction:
        yield reconstruction_line([report.records.registered])
    if report.records.smoke:
        yield SMOKE


def _name(report: StudyReport, curve: ResponseCurve) -> str:
    environments = report.records.environments
    return curve.environment or (environments[0] if len(environments) == 1 else "all environments")


def _reference(report: StudyReport) -> str:
    """What the legend calls the reference; empty where it has no score."""
    if report.reference_best is None or report.reference_best_score is None:
        return ""
    return f"best of {report.records.reference} ({setting_text(report.reference_best.setting)})"


def _marks(report: StudyReport, axis: Axis) -> list[tuple[str, str, Value]]:
    """(how it is drawn, what it is, value) of the best setting and the suite's own, where the panel has a place."""
    best = None if report.best is None else report.best.setting[axis.name]
    named = [("dashed", "best setting", best), ("dotted", "the suite's value", axis.stated)]
    drawn = _places(report, axis) if axis.numeric else []
    return [
        (kind, what, value)
        for kind, what, value in named
        # The mean of a group of values may lie beyond a single one.
        if value is not None and axis.numeric and drawn and min(drawn) <= float(value) <= max(drawn)
    ]


def _curves(report: StudyReport, axis: Axis) -> list[tuple[ResponseCurve, list[Point]]]:
    """The curves of a parameter, with the points that have a place on its axis."""
    return [
        (curve, [point for point in curve.points if not axis.numeric or axis.places(point.value)])
        for curve in report.curves
        if curve.axis == axis
    ]


def _places(report: StudyReport, axis: Axis) -> list[float]:
    return [float(point.value) for _, own in _curves(report, axis) for point in own]


def _ends(estimate: Estimate) -> tuple[float, float]:
    """Of its interval; the value where it has none."""
    low, high = (estimate.value if end is None else end for end in (estimate.low, estimate.high))
    return low, high


def _y(report: StudyReport, axis: Axis) -> Spec:
    records = report.records
    drawn = [end for _, own in _curves(report, axis) for point in own for end in _ends(point.estimate)]
    if report.reference_best_score is not None:
        drawn += _ends(report.reference_best_score)
    title = records.metric if records.unit == records.metric else f"{records.metric} ({records.unit})"
    scale = {"domain": list(scale_of(drawn)), "nice": True, "zero": False}
    return {"field": "value", "type": "quantitative", "title": title, "scale": scale, "axis": Y_AXIS}


def _ordered(place: int, report: StudyReport, axis: Axis, names: Places) -> Spec:
    """A line over the values of a parameter that have an order."""
    drawn = _places(report, axis) or [1.0]
    ends = (min(drawn), max(drawn)) if min(drawn) < max(drawn) else (min(drawn) / 2, max(drawn) * 2 or 1.0)
    x = {
        "field": "x",
        "type": "quantitative",
        "title": axis.name,
        "scale": {
            "domain": list(ends),
            "nice": False,
            "padding": 8,
            **({"type": "log"} if axis.logarithmic else {"zero": False}),
        },
        "axis": {"format": "~g", "grid": False, "labelOverlap": True, **_ticks(axis, ends)},
    }
    y = _y(report, axis)
    rows = [
        _row(_name(report, curve), [float(point.value) for point in own], [point.estimate for point in own])
        for curve, own in _curves(report, axis)
    ]
    if name := _reference(report):
        assert report.reference_best_score is not None
        rows.append(_row(name, ends, [report.reference_best_score] * 2))
    layers = [*_shade(report), *_rules(report, axis), band(x, y, names), lines(place, x, y, names, dots=True)]
    layers.append(points(place, x, y, names, "environment", DIGITS))
    # One above the other, as the two values may be near each other.
    marks = _marks(report, axis)
    for height, (_, what, value) in enumerate(marks):
        layers.append(labels(place, [{"x": float(value), "label": what}], -8 - 12 * height))
    title = {"text": axis.name, "anchor": "start", "frame": "group", "offset": 8 + 12 * len(marks)}
    return {"title": title, "data": {"values": rows}, "layer": layers}


def _ticks(axis: Axis, ends: tuple[float, float]) -> Spec:
    """Plain numbers at 1, 2, 5 of each decade, or at powers of ten where there are many."""
    if not axis.logarithmic:
        return {}
    digits = (1,) if ends[1] > MANY * ends[0] else (1, 2, 5)
    decades = range(math.floor(math.log10(ends[0])), math.ceil(math.log10(ends[1])) + 1)
    return {"values": [float(f"{digit}e{decade}") for decade in decades for digit in digits]}


def _row(name: str, places: Sequence[float], estimates: Sequence[Estimate]) -> Spec:
    return {
        "series": name,
        "x": list(places),
        "value": [short(each.value) for each in estimates],
        "low": [short(_ends(each)[0]) for each in estimates],
        "high": [short(_ends(each)[1]) for each in estimates],
    }


def _shade(report: StudyReport) -> list[Spec]:
    """The plateau; it belongs to the only parameter of its study."""
    flat = report.curves[0].plateau
    if flat is None:
        return []
    told = "plateau (5 %)" if flat.told else "plateau (width unknown)"
    return [
        {
            "data": {"values": [{"x": flat.low, "end": flat.high, "label": told}]},
            "layer": [
                {
                    "mark": {"type": "rect", "style": "shade", "clip": True},
                    "encoding": {"x": {"field": "x", "type": "quantitative"}, "x2": {"field": "end"}},
                },
                {
                    "mark": {"type": "text", "style": "label", "align": "left", "dx": 4, "dy": -8, "clip": True},
                    "encoding": {
                        "x": {"field": "x", "type": "quantitative"},
                        "y": {"value": "height"},
                        "text": {"field": "label", "type": "nominal"},
                    },
                },
            ],
        }
    ]


def _rules(report: StudyReport, axis: Axis) -> list[Spec]:
    return [
        {
            "data": {"values": [{"x": float(value)}]},
            "mark": {"type": "rule", "style": {"dashed": "shift", "dotted": "dotted"}[kind], "clip": True},
            "encoding": {"x": {"field": "x", "type": "quantitative"}},
        }
        for kind, _, value in _marks(report, axis)
    ]


def _unordered(place: int, report: StudyReport, axis: Axis, names: Places) -> Spec:
    """A point with its interval for every value of a parameter without an order, and the reference's at the side."""
    best = None if report.best is None else report.best.setting[axis.name]
    rows: list[Spec] = []
    for curve, own in _curves(report, axis):
        for point in own:
            marks = ["the suite's"] * (point.value == axis.stated) + ["best"] * (point.value == best)
            name = value_text(point.value) + (f" ({', '.join(marks)})" if marks else "")
            rows.append(_bar(_name(report, curve), name, point.estimate))
    if name := _reference(report):
        assert report.reference_best_score is not None
        rows.append(_bar(name, str(report.records.reference), report.reference_best_score))
    values = list(dict.fromkeys(row["x"] for row in rows))
    x = {
        "field": "x",
        "type": "ordinal",
        "title": axis.name,
        "scale": {"domain": values},
        "axis": {"labelAngle": 0 if len(values) < 5 else -30, "labelLimit": 160, "grid": False},
    }
    y = _y(report, axis)
    shared = {"x": x, "xOffset": {"field": "series", "scale": {"domain": list(names)}}, "color": coloured(names)}
    tooltip = [
        {"field": "series", "type": "nominal", "title": "environment"},
        {"field": "x", "type": "nominal", "title": axis.name},
        {"field": "value", "type": "quantitative", "format": DIGITS, "title": "mean"},
        {"field": "low", "type": "quantitative", "format": DIGITS, "title": "95% from"},
        {"field": "high", "type": "quantitative", "format": DIGITS, "title": "to"},
    ]
    return {
        "title": {"text": axis.name, "anchor": "start", "frame": "group"},
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {**shared, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "opacity": visible(1)},
            },
            {
                "params": [shown(names)] if place == 0 else [],
                "mark": {"type": "point", "filled": True, "size": 60},
                "encoding": {**shared, "y": y, "opacity": visible(1), "tooltip": tooltip},
            },
        ],
    }


def _bar(series: str, name: str, estimate: Estimate) -> Spec:
    low, high = _ends(estimate)
    return {"series": series, "x": name, "value": short(estimate.value), "low": short(low), "high": short(high)}
