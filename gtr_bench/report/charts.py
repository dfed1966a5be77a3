"""Line charts with bands as inline SVG, for the HTML page."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["COLOURS", "Line", "figure"]

# Okabe and Ito's palette in shades that stand out on white and on near-black.
COLOURS = ("#0072B2", "#D98200", "#009E73", "#D55E00", "#CC79A7", "#3FA7E0", "#8A8A8A")
DASHES = ("", "6 3", "2 3")
MOST_POINTS = 400
"""Of a seed's line; longer ones are thinned."""

WIDTH, HEIGHT = 760, 340
LEFT, RIGHT, TOP, BOTTOM = 64, 36, 12, 44


@dataclass(frozen=True)
class Line:
    """One line: points with a band, and the lines of single seeds."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    seeds: Sequence[tuple[Sequence[float], Sequence[float]]] = ()


def figure(
    title: str,
    lines: Sequence[Line],
    *,
    x_label: str,
    y_label: str,
    verticals: Sequence[float] = (),
    dotted: Sequence[float] = (),
    shaded: Sequence[tuple[float, float]] = (),
    log: bool = False,
    note: str = "",
) -> str:
    """A `<figure>` with an SVG chart, a switch for the lines of single seeds, and download buttons.

    Args:
        title: caption, and the name of downloaded files.
        lines: what is drawn.
        verticals: x values of dashed lines, such as shifts; dotted: those of dotted ones.
        shaded: ranges of x with a tint behind the lines.
        log: logarithmic x axis.
        note: what else the caption says.
    """
    drawn = [line for line in lines if len(line.x)]
    xs = [value for line in drawn for value in line.x] or [0.0, 1.0]
    ys = [v for line in drawn for part in (line.low, line.high, *(seed[1] for seed in line.seeds)) for v in part]
    x_axis = _Axis(min(xs), max(xs), LEFT, WIDTH - RIGHT, log=log)
    y_axis = _Axis(min(ys, default=0.0), max(ys, default=1.0), HEIGHT - BOTTOM, TOP)
    parts = [_grid(x_axis, y_axis, x_label, y_label)]
    for low, high in shaded:
        at, width = x_axis(low), max(2.0, x_axis(high) - x_axis(low))
        place = f'x="{at:.1f}" y="{TOP}" width="{width:.1f}" height="{HEIGHT - BOTTOM - TOP}"'
        parts.append(f'<rect class="shaded" {place} fill="currentColor" opacity=".08"/>')
    for dashes, places in (("4 4", verticals), ("1 4", dotted)):
        for x in places:
            stroke = f"M{x_axis(x):.1f} {TOP}V{HEIGHT - BOTTOM}"
            parts.append(f'<path d="{stroke}" stroke="currentColor" stroke-dasharray="{dashes}" opacity=".5"/>')
    legend = []
    for index, line in enumerate(drawn):
        colour, dash = COLOURS[index % len(COLOURS)], DASHES[index // len(COLOURS) % len(DASHES)]
        parts.append(_band(line, x_axis, y_axis, colour))
        for seed in line.seeds:
            path = _path(*_thinned(*seed), x_axis, y_axis)
            parts.append(
                f'<path class="seeds" d="{path}" fill="none" stroke="{colour}" stroke-width=".7" opacity=".6"/>'
            )
        path = _path(line.x, line.y, x_axis, y_axis)
        style = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(
            f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"{style}>'
            f"<title>{escape(line.name)}</title></path>"
        )
        legend.append(
            f'<span><svg viewBox="0 0 24 8" style="width:24px;display:inline" aria-hidden="true"><path d="M0 4H24" '
            f'stroke="{colour}" stroke-width="3"{style}/></svg> {escape(line.name)}</span>'
        )
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", title)[:80]
    caption = f"{title} ({note})" if note else title
    seeds = '<label><input type="checkbox" data-do="seeds"> single seeds</label>' if any(e.seeds for e in drawn) else ""
    return (
        f'<figure data-name="{escape(name)}"><figcaption><strong>{escape(caption)}</strong></figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(f"{y_label} over {x_label}: {caption}")}">'
        + "".join(parts)
        + f'</svg><p class="tools">{"".join(legend)}</p><p class="tools">{seeds}'
        '<button type="button" data-do="svg">SVG</button><button type="button" data-do="png">PNG</button></p></figure>'
    )


class _Axis:
    """A scale from values to places, with round ticks."""

    def __init__(self, low: float, high: float, start: float, end: float, *, log: bool = False) -> None:
        self._log = log
        self.low, self.high = low, high if high > low else low + 1.0
        self._start, self._end = start, end

    def __call__(self, value: float) -> float:
        low, high, at = self.low, self.high, value
        if self._log:
            low, high, at = math.log10(low), math.log10(high), math.log10(value)
        return self._start + (at - low) / (high - low) * (self._end - self._start)

    def ticks(self) -> list[float]:
        if self._log:
            exponents = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            return [d * 10.0**e for e in exponents for d in (1, 2, 5) if self.low <= d * 10.0**e <= self.high]
        raw = (self.high - self.low) / 5
        base = 10 ** math.floor(math.log10(raw))
        step = next(base * m for m in (1, 2, 5, 10) if base * m >= raw)
        first = math.ceil(self.low / step)
        return [i * step for i in range(first, math.floor(self.high / step) + 1)]


def _grid(x: _Axis, y: _Axis, x_label: str, y_label: str) -> str:
    bottom = HEIGHT - BOTTOM
    parts = [f'<path d="M{LEFT} {TOP}V{bottom}H{WIDTH - RIGHT}" fill="none" stroke="currentColor" opacity=".6"/>']
    for tick in x.ticks():
        parts.append(f'<text x="{x(tick):.1f}" y="{bottom + 18}" text-anchor="middle">{tick:,.6g}</text>')
    for tick in y.ticks():
        at = y(tick)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="currentColor" opacity=".12"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{tick:,.6g}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH) / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_label)}</text>')
    parts.append(
        f'<text transform="translate(14 {HEIGHT / 2:.0f}) rotate(-90)" text-anchor="middle">{escape(y_label)}</text>'
    )
    return "".join(parts)


def _path(xs: Sequence[float], ys: Sequence[float], x: _Axis, y: _Axis) -> str:
    return "M" + "L".join(f"{x(a):.1f} {y(b):.1f}" for a, b in zip(xs, ys, strict=True))


def _band(line: Line, x: _Axis, y: _Axis, colour: str) -> str:
    outline = _path([*line.x, *reversed(line.x)], [*line.low, *reversed(line.high)], x, y)
    return f'<path class="band" d="{outline}Z" fill="{colour}"/>'


def _thinned(xs: Sequence[float], ys: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
    step = -(-len(xs) // MOST_POINTS)
    return xs[::step], ys[::step]
