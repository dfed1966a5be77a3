"""Lines with bands: what learning curves, performance profiles and response curves are made of.

The data of a panel is a row per line, `{"series", "x": [...], "value": [...], "low": [...], "high": [...]}`, which the
figure unpacks: so a name stands there once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gtr_bench.report.figures.chart import COLOURS, Places, Spec, coloured, dashed, shown, visible, zoom
from gtr_bench.report.model import SuiteReport
from gtr_bench.report.text import label

__all__ = ["DIGITS", "UNPACKED", "Y_AXIS", "band", "labels", "lines", "places", "points"]

DIGITS = ",.4~r"
"""d3's format of four significant digits without an exponent"""
UNPACKED: Spec = {"flatten": ["x", "value", "low", "high"]}
Y_AXIS: Spec = {
    "minExtent": 34,
    "domain": False,
    "ticks": False,
    "gridOpacity": {"condition": {"test": "datum.value === 0", "value": 1}, "value": 0.5},
    "gridWidth": {"condition": {"test": "datum.value === 0", "value": 1.5}, "value": 1},
}
"""of a number that may be negative: the line of zero stands out"""


def places(suites: Iterable[SuiteReport]) -> dict[str, int]:
    """Label of an algorithm -> its colour in every figure of the suites, whether or not it has results yet."""
    told = dict.fromkeys(label(suite, name) for suite in suites for name in suite.algorithms)
    return {name: place for place, name in enumerate(told)}


def band(x: Spec, y: Spec, names: Places) -> Spec:
    """The layer of bands, from `low` to `high`."""
    encoding = {
        "x": x,
        "y": {**y, "field": "low"},
        "y2": {"field": "high"},
        "color": coloured(names),
        "opacity": visible(0.18 if len(names) <= len(COLOURS) else 0.1),
    }
    return {"transform": [UNPACKED], "mark": {"type": "area", "clip": True}, "encoding": encoding}


def lines(place: int, x: Spec, y: Spec, names: Places, *, dots: bool = False) -> Spec:
    """The layer of lines, in which a panel can be moved and zoomed; that of the first panel has the legend's clicks.

    Args:
        place: of the panel, from 0.
        dots: also a dot at every value.
    """
    encoding = {"x": x, "y": y, "color": coloured(names), "strokeDash": dashed(names), "opacity": visible(1)}
    mark: Spec = {"type": "line", "clip": True, "strokeWidth": 2}
    if dots:
        mark["point"] = {"size": 30}
    params = [zoom(place), *([shown(names)] if place == 0 else [])]
    return {"params": params, "transform": [UNPACKED], "mark": mark, "encoding": encoding}


def points(place: int, x: Spec, y: Spec, names: Places, kind: str, x_format: str, value: str = "mean") -> Spec:
    """The layer that answers a pointer: a dot, and the values of the point.

    Args:
        kind: what a line stands for; value: what its height is.
        x_format: d3's format of the place.
    """
    hover = f"hover_{place}"
    ends = f"'[' + format(datum.low, '{DIGITS}') + ', ' + format(datum.high, '{DIGITS}') + ']'"
    pointed = {"type": "point", "on": "pointerover", "clear": "pointerout", "fields": ["series", "x", "value"]}
    tooltip = [
        {"field": "series", "type": "nominal", "title": kind},
        {"field": "x", "type": "quantitative", "format": x_format, "title": x["title"]},
        {"field": "value", "type": "quantitative", "format": DIGITS, "title": value},
        {"field": "ends", "type": "nominal", "title": "95%"},
    ]
    return {
        "params": [{"name": hover, "select": pointed}],
        "transform": [{"filter": {"param": "shown"}}, UNPACKED, {"calculate": ends, "as": "ends"}],
        "mark": {"type": "circle", "clip": True, "size": 90},
        "encoding": {
            "x": x,
            "y": y,
            "color": coloured(names),
            "opacity": {"condition": {"param": hover, "empty": False, "value": 1}, "value": 0},
            "tooltip": tooltip,
        },
    }


def labels(place: int, rows: Sequence[Spec], y: float) -> Spec:
    """Words over a panel, at the `x` of rows with a `label`; one that the panel was moved away from is not there.

    Args:
        place: of the panel, from 0.
        y: pixels below its upper edge.
    """
    seen = f"zoom_{place}.x"
    inside = f"!{seen} || (datum.x > {seen}[0] && datum.x < {seen}[1])"
    encoding = {
        "x": {"field": "x", "type": "quantitative"},
        "y": {"value": y},
        "text": {"field": "label", "type": "nominal"},
        "opacity": {"condition": {"test": inside, "value": 1}, "value": 0},
    }
    mark = {"type": "text", "style": "label", "clip": False}
    return {"data": {"values": list(rows)}, "mark": mark, "encoding": encoding}
