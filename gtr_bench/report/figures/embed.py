"""Figures in an HTML page: each as data, drawn by Vega, which the page holds once and runs without `eval`."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from gtr_bench.report.figures.chart import DARK, Chart

__all__ = ["figure", "scripts", "style"]

NOTICE = (
    "/* Vega, Vega-Lite and Vega-Embed: (c) University of Washington Interactive Data Lab, BSD-3-Clause licence. */"
)
HINT = (
    "Point at a line for its values; click a legend entry to hide or show it; drag to move, wheel with Ctrl or Shift "
    "to zoom, double click to reset."
)
WITHOUT = "The figure needs JavaScript; gtr-bench report --plot FILE draws it as PNG, SVG or PDF."
ROW_HINT = "Point at a row for its numbers."


def figure(chart: Chart) -> str:
    """The `<figure>` of a chart, with its caption, and buttons that download it as `--plot` would draw it."""
    notes = "".join(f"<br>{escape(note)}" for note in chart.notes)
    buttons = "".join(
        f'<button type="button" data-do="{what}">{text}</button>'
        for what, text in (("reset", "reset"), ("svg", "SVG"), ("png", "PNG"))
        if what != "reset" or chart.zooms
    )
    content = {"spec": chart.spec, "title": chart.heading}
    return (
        f'<figure data-name="{escape(chart.name)}"><figcaption><strong>{escape(chart.title)}</strong>'
        f'<span class="note">{notes}</span></figcaption>'
        f'<div class="drawing" role="img" aria-label="{escape(chart.description)}"></div>'
        f"<noscript><p>{WITHOUT}</p></noscript>"
        f'<p class="tools note"><span>{HINT if chart.zooms else ROW_HINT}</span>{buttons}</p>{_data(content)}</figure>'
    )


def scripts() -> tuple[str, str]:
    """The texts of two scripts: Vega, and what draws every figure of a page with it."""
    own = files(__package__).joinpath("figure.js").read_text("utf-8")
    return NOTICE + _inline(_vega()), _inline(f"const DARK={json.dumps(DARK)};\n{own}")


def style() -> str:
    """The style sheet of figures."""
    return files(__package__).joinpath("figure.css").read_text("utf-8")


@cache
def _vega() -> str:
    # Two seconds of a processor, once per process.
    import vl_convert

    return str(vl_convert.javascript_bundle("window.vegaEmbed=vegaEmbed;"))


def _inline(script: str) -> str:
    """A script whose strings cannot end the element it stands in; `\\/` and `\\!` mean the same in a string."""
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _data(content: Any) -> str:
    """Data that no name in it can leave: `<`, `>` and `&` are escaped, and all that is not ASCII."""
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f'<script type="application/json">{text}</script>'
