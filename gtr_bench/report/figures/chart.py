"""What all figures share: colours, axes, legends, and how panels stand side by side.

A figure is a Vega-Lite specification as plain data. Fields have fixed names; what a user typed stands in it as data or
as the text of a title, never in an expression.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = [
    "COLOURS",
    "DARK",
    "Chart",
    "Places",
    "Spec",
    "coloured",
    "dashed",
    "grid",
    "scale_of",
    "short",
    "shown",
    "title_of",
    "visible",
    "zoom",
]

Spec: TypeAlias = dict[str, Any]
Places: TypeAlias = Mapping[str, int]
"""Name in a legend -> its place in the palette, which it keeps whatever else is drawn."""

# Okabe and Ito's colour-blind-safe palette in shades that stand out on white and on near-black, alike ones far apart;
# dashes tell more apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#D98200", "#3FA7E0", "#8A8A8A")
DASHES: tuple[list[int], ...] = ([], [6, 3], [2, 3])

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""One design under three names, so that text is as wide in a browser as in a file; files have it without any font."""
PAPER = 700
"""pixels that a figure is wide in a file"""
HEIGHT = 240
LETTER = 6.2
"""pixels of a letter at the size of legends and notes"""


@dataclass(frozen=True)
class Chart:
    """One figure.

    Attributes:
        name: of a file it is saved to, of letters that all systems take.
        title: one line; `notes`: further lines, without which it must not be shown.
        description: what it draws, for who cannot see it.
        spec: Vega-Lite, laid out for a file, without title and notes; a page lays it out anew for its window.
        zooms: whether its axes can be moved.
    """

    name: str
    title: str
    notes: tuple[str, ...]
    description: str
    spec: Spec
    zooms: bool = True

    @property
    def heading(self) -> Spec:
        """Title and notes as Vega-Lite's `title`, in lines no longer than a file is wide."""
        lines = [line for note in self.notes for line in textwrap.wrap(note, int(PAPER / LETTER))]
        return {"text": self.title, "subtitle": lines, "anchor": "start", "offset": 12}

    @property
    def titled(self) -> Spec:
        """The picture as it stands in a file."""
        return {**self.spec, "title": self.heading}


def title_of(text: str) -> str:
    """A title as the name of a file."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-.")[:80] or "figure"


def grid(panels: Sequence[Spec], *, names: Iterable[str] = (), params: Sequence[Spec] = (), margin: int = 60) -> Spec:
    """Panels of equal width, two in a row, under one legend.

    Args:
        names: of the legend's entries.
        params: Vega-Lite's, of the whole.
        margin: pixels beside a panel that its axis takes.
    """
    columns = min(2, len(panels))
    widest = max((len(name) for name in names), default=0)
    width = (PAPER - 20 * (columns - 1)) // columns - margin
    across = max(1, int(PAPER / (LETTER * widest + 45)))
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "usermeta": {"letters": widest},
        "config": {**_theme("#1b1f24", "#57606a", "#d0d7de", "#ffffff", ("#116329", "#a40e26", "#57606a"), across)},
        "params": list(params),
        "columns": columns,
        "spacing": 20,
        "concat": [{**panel, "width": width, "height": panel.get("height", HEIGHT)} for panel in panels],
        "resolve": {
            "scale": dict.fromkeys(("color", "strokeDash"), "shared"),
            "legend": dict.fromkeys(("color", "strokeDash"), "shared"),
        },
    }


def _theme(ink: str, dim: str, rule: str, paper: str, verdicts: Sequence[str], across: int | None = None) -> Spec:
    """Vega-Lite's `config`; `verdicts` are the colours of supported, refuted and undecided."""
    legend: Spec = {"labelColor": ink, "titleColor": ink}
    text = {"color": dim, "fontSize": 11, "font": FONT}
    spread: Spec = {
        "background": paper,
        "title": {"color": ink, "subtitleColor": dim},
        "axis": {
            "labelColor": ink,
            "titleColor": ink,
            "gridColor": rule,
            "domainColor": dim,
            "tickColor": dim,
        },
        "legend": legend,
        "text": {"color": ink},
        "range": {"ordinal": list(verdicts)},
        "style": {
            "shift": {"color": dim, "strokeDash": [4, 4], "strokeWidth": 1},
            "dotted": {"color": dim, "strokeDash": [1, 3], "strokeWidth": 1.5},
            "zero": {"color": ink, "strokeWidth": 1},
            "border": {"color": rule, "strokeWidth": 1},
            "shade": {"color": dim, "opacity": 0.14, "stroke": dim},
            "label": text,
            "word": {**text, "color": ink},
        },
    }
    if across is None:
        return spread
    legend.update(
        columns=across,
        orient="top",
        title=None,
        direction="horizontal",
        labelLimit=0,
        symbolType="stroke",
        symbolSize=400,
        symbolStrokeWidth=2.5,
        symbolOpacity=1,
        symbolFillColor="transparent",
        offset=16,
        labelFontSize=11,
    )
    return {
        **spread,
        # The figure has one description; a sentence for every point would take as long as drawing it.
        "aria": False,
        "font": FONT,
        "title": {
            **spread["title"],
            "fontSize": 13,
            "subtitleFontSize": 11,
            "subtitleLineHeight": 14,
            "subtitlePadding": 4,
        },
        "axis": {**spread["axis"], "titleFontWeight": "normal", "titleFontSize": 11, "labelFontSize": 10},
        "view": {"stroke": None},
    }


DARK: Mapping[str, Any] = _theme("#e6edf3", "#9aa4af", "#30363d", "#0d1117", ("#4ac26b", "#ff8182", "#9aa4af"))
"""What replaces a figure's colours on a dark page."""


def coloured(names: Places) -> Spec:
    """The encoding of a line's colour by the field `series`."""
    colours = [COLOURS[place % len(COLOURS)] for place in names.values()]
    return {"field": "series", "type": "nominal", "scale": {"domain": list(names), "range": colours}, "title": None}


def dashed(names: Places) -> Spec:
    """The encoding of a line's dashes, which begin to differ where the colours come again."""
    dashes = [DASHES[place // len(COLOURS) % len(DASHES)] for place in names.values()]
    return {"field": "series", "type": "nominal", "scale": {"domain": list(names), "range": dashes}, "title": None}


def shown(names: Iterable[str]) -> Spec:
    """The parameter behind the legend: a click takes a line away or brings it back; without any, all are there.

    One layer of a figure declares it, the one whose marks the legend shows; the others follow by `visible`.
    """
    return {
        "name": "shown",
        "select": {"type": "point", "fields": ["series"], "toggle": "true", "clear": False},
        "bind": "legend",
        "value": [{"series": name} for name in names],
    }


def visible(value: float) -> Spec:
    """The opacity of what the legend shows."""
    return {"condition": {"param": "shown", "value": value}, "value": 0}


def zoom(place: int, encodings: Sequence[str] = ("x", "y")) -> Spec:
    """A panel's parameter: drag moves it, the wheel with Ctrl or Shift zooms, a double click resets.

    The bare wheel and a finger scroll the page.
    """
    return {
        "name": f"zoom_{place}",
        "bind": "scales",
        "select": {
            "type": "interval",
            "encodings": list(encodings),
            "zoom": "wheel![event.ctrlKey || event.shiftKey || event.metaKey]",
            "translate": "[pointerdown[event.pointerType !== 'touch'], window:pointerup] > window:pointermove!",
        },
    }


def scale_of(values: Iterable[float]) -> tuple[float, float]:
    """The ends of an axis for finite values.

    Zero is among them where the values lie on both sides of it, or no further from it than half of what they span:
    nearer than that, an axis without zero makes a small difference of returns look like all or nothing; further away,
    one with zero would flatten every curve.
    """
    drawn = list(values)
    low, high = min(drawn, default=0.0), max(drawn, default=1.0)
    span = high - low
    if 0 < low <= span / 2:
        low = 0.0
    elif 0 < -high <= span / 2:
        high = 0.0
    if low == high:
        low, high = low - max(0.5, abs(low) / 10), high + max(0.5, abs(high) / 10)
    return low, high


def short(value: float) -> float | int | None:
    """A number with five significant digits, as a picture needs it; None for one that is not finite."""
    if not math.isfinite(value):
        return None
    rounded = float(f"{value:.5g}")
    return int(rounded) if rounded == int(rounded) else rounded
