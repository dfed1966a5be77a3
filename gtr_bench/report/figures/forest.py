"""A forest plot of claims and comparisons: each difference with its interval, its line, and its verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from gtr_bench.report.claims import ClaimResult
from gtr_bench.report.figures.chart import Chart, Spec, grid, short, title_of
from gtr_bench.report.model import SuiteReport
from gtr_bench.report.sections.claims import verdict_text
from gtr_bench.report.text import SMOKE, bracketed, p_value

__all__ = ["forest_chart"]

ROW = 46
"""pixels of a claim: its name and verdict, and its interval below them"""
NAME = 190
"""pixels of a claim's name; of a longer one the rest is in the tooltip"""


def forest_chart(suites: Sequence[SuiteReport]) -> Chart | None:
    """A panel per metric and unit, as only these share an axis; None where nothing is claimed."""
    told = [suite for suite in suites if suite.sections.get("claims")]
    if not told:
        return None
    several = len(told) > 1
    groups: dict[tuple[str, str, str], list[tuple[str, ClaimResult]]] = {}
    for suite in told:
        for claim in suite.claims:
            name = f"{suite.suite}, {suite.scale}: {claim.id}" if several else claim.id
            groups.setdefault((claim.metric, claim.unit, claim.direction), []).append((name, claim))
    claims = [claim for own in groups.values() for _, claim in own]
    notes = [
        "difference: the first algorithm of a statement minus the second, with the interval that goes with its test"
    ]
    notes += ["dotted: the margin of a claim"] * any(_bar(claim) for claim in claims)
    notes += ["an arrow: the interval has no end on that side"] * any(_open(claim) for claim in claims)
    notes += ["interim: not all jobs have ended"] * any(claim.interim for claim in claims)
    notes += [SMOKE] * any(suite.smoke for suite in told)
    whole = "" if several else f"{told[0].suite}, scale {told[0].scale}: "
    said = "; ".join(f"{claim.id} {claim.verdict}" for claim in claims)
    return Chart(
        name=title_of("claims" if several else f"{told[0].suite}-{told[0].scale}-claims"),
        title=f"{whole}claims",
        notes=tuple(notes),
        description=f"differences with intervals: {said}",
        spec=grid([_panel(group, own) for group, own in groups.items()], margin=10),
        zooms=False,
    )


def _bar(claim: ClaimResult) -> float:
    """What the difference must lie beyond, in its own sign; 0 without a margin."""
    bar = claim.margin if claim.kind == "superiority" else -claim.margin
    return 0.0 if bar == 0 or claim.direction == "neutral" else -bar if claim.direction == "lower" else bar


def _open(claim: ClaimResult) -> bool:
    return any(end is not None and math.isinf(end) for end in (claim.low, claim.high))


def _panel(group: tuple[str, str, str], claims: Sequence[tuple[str, ClaimResult]]) -> Spec:
    metric, unit, direction = group
    better = "" if direction == "neutral" else f", {direction} is better"
    ends = _ends([claim for _, claim in claims])
    x = {
        "field": "value",
        "type": "quantitative",
        "title": f"difference of {metric}{'' if unit == metric else f' ({unit})'}",
        "scale": {"domain": list(ends), "nice": False},
        "axis": {"labelOverlap": True, "labelFlush": True, "gridOpacity": 0.5, "tickCount": 5, "domain": False},
    }
    y = {
        "field": "claim",
        "type": "ordinal",
        "scale": {"domain": [name for name, _ in claims], "padding": 0},
        "axis": None,
    }
    verdicts = ["supported", "refuted", "undecided"]
    colour = {
        "field": "verdict",
        "type": "nominal",
        "scale": {"domain": verdicts, "range": "ordinal"},
        "legend": None,
    }
    return {
        "title": {"text": f"{metric}{better}", "anchor": "start", "frame": "group"},
        "height": ROW * len(claims),
        "data": {"values": [_row(name, claim, ends) for name, claim in claims]},
        "layer": [_borders(y), _zero(), _margins(x, y), *_intervals(x, y, colour), *_words(y, colour), _answers(y)],
    }


def _ends(claims: Sequence[ClaimResult]) -> tuple[float, float]:
    """Of the axis: zero, every finite number and margin, and room for arrows."""
    values = [value for claim in claims for value in (claim.effect, claim.low, claim.high, _bar(claim))]
    finite = [0.0, *(value for value in values if value is not None and math.isfinite(value))]
    low, high = min(finite), max(finite)
    room = 0.08 * (high - low) or 1.0
    return low - room, high + room


def _row(name: str, claim: ClaimResult, ends: tuple[float, float]) -> Spec:
    word = verdict_text(replace(claim, interim=False, smoke=False))
    row: Spec = {
        "claim": name,
        "verdict": claim.verdict,
        "word": word,
        "difference": bracketed(claim.effect, claim.low, claim.high),
        "p": p_value(claim.p if claim.p_adjusted is None else claim.p_adjusted),
        "n": str(claim.n),
        "reason": claim.reason.replace("`", ""),  # no typewriter in a figure
    }
    if claim.effect is None or not math.isfinite(claim.effect):
        return {**row, "missing": row["reason"]}
    row["value"] = short(claim.effect)
    for side, end, edge in (("low", claim.low, ends[0]), ("high", claim.high, ends[1])):
        if end is not None:
            row[side] = short(end if math.isfinite(end) else edge)
            row[f"{side}_open"] = math.isinf(end)
    if _bar(claim):
        row["bar"] = short(_bar(claim))
    return row


def _borders(y: Spec) -> Spec:
    """A faint line below each claim, so that its words and its interval belong together."""
    return {
        "mark": {"type": "rule", "style": "border", "yOffset": ROW / 2, "y2Offset": ROW / 2},
        "encoding": {"x": {"value": 0}, "x2": {"value": "width"}, "y": y},
    }


def _zero() -> Spec:
    return {
        "data": {"values": [{"value": 0}]},
        "mark": {"type": "rule", "style": "zero"},
        "encoding": {"x": {"field": "value", "type": "quantitative"}},
    }


def _margins(x: Spec, y: Spec) -> Spec:
    return {
        "transform": [{"filter": "isValid(datum.bar)"}],
        "mark": {"type": "rule", "style": "dotted"},
        "encoding": {
            "x": {**x, "field": "bar"},
            "y": {**y, "bandPosition": 0.05},
            "y2": {"field": "claim", "bandPosition": 0.95},
        },
    }


def _intervals(x: Spec, y: Spec, colour: Spec) -> list[Spec]:
    arrows = [
        {
            "transform": [{"filter": f"datum.{side}_open === true"}],
            "mark": {
                "type": "point",
                "shape": f"triangle-{way}",
                "filled": True,
                "size": 70,
                "opacity": 1,
                "yOffset": 10,
            },
            "encoding": {"x": {**x, "field": side}, "y": y, "color": colour},
        }
        for side, way in (("low", "left"), ("high", "right"))
    ]
    return [
        {
            "transform": [{"filter": "isValid(datum.low) && isValid(datum.high)"}],
            "mark": {"type": "rule", "strokeWidth": 2.5, "yOffset": 10, "y2Offset": 10},
            "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y, "color": colour},
        },
        *arrows,
        {
            "transform": [{"filter": "isValid(datum.value)"}],
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1, "yOffset": 10},
            "encoding": {"x": x, "y": y, "color": colour},
        },
    ]


def _words(y: Spec, colour: Spec) -> list[Spec]:
    """The claim at the left, its verdict at the right, and why there is no interval where there is none."""

    def word(field: str, x: object, align: str, offset: int, **more: object) -> Spec:
        mark = {"type": "text", "style": "word", "align": align, "yOffset": offset, **more}
        return {"mark": mark, "encoding": {"x": {"value": x}, "y": y, "text": {"field": field, "type": "nominal"}}}

    verdict = word("word", "width", "right", -8, fontWeight="bold")
    verdict["encoding"]["color"] = colour
    missing = word("missing", 0, "left", 10, limit=NAME + 140)
    missing["transform"] = [{"filter": "isValid(datum.missing)"}]
    return [word("claim", 0, "left", -8, limit=NAME), verdict, missing]


def _answers(y: Spec) -> Spec:
    """An invisible bar over each row, which answers a pointer."""
    fields = ("claim", "word", "difference", "p", "n", "reason")
    titles = {"word": "verdict"}
    return {
        "mark": {"type": "rect", "opacity": 0},
        "encoding": {
            "x": {"value": 0},
            "x2": {"value": "width"},
            "y": y,
            "tooltip": [{"field": name, "type": "nominal", "title": titles.get(name, name)} for name in fields],
        },
    }
