"""Learning curves: return over steps, a panel per environment, a line with a band per algorithm, shifts dashed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gtr_bench.report.figures.bands import Y_AXIS, band, labels, lines, places, points
from gtr_bench.report.figures.chart import Chart, Places, Spec, coloured, grid, scale_of, short, title_of
from gtr_bench.report.model import LearningCurve, SuiteReport
from gtr_bench.report.text import SMOKE, label, mark_lines

__all__ = ["learning_chart"]

MOST_POINTS = 400
"""of a line; longer ones are thinned, and more so where a figure has many of them"""
POINTS, SEED_POINTS = 12_000, 36_000
"""of all lines of a figure, so that a page stays under 2 MB and is drawn in seconds"""
FEWEST_POINTS = 20
"""of a seed's line; where not so many are left to each, there are no single seeds"""
MOST_NAMED_WORLDS = 4
"""phases; with more a world has its letter alone"""
MOST_LABELS = 24
"""phases; with more the labels would touch each other"""


@dataclass(frozen=True)
class _Thinning:
    """At most so many points of a line, and of a single seed's; None without single seeds."""

    line: int
    seed: int | None


def learning_chart(suites: Sequence[SuiteReport]) -> Chart | None:
    """The figure of reports built with `curves=True`; None where no job has finished."""
    panels = [
        (suite, environment, [curve for curve in suite.curves if curve.environment == environment])
        for suite in suites
        for environment in dict.fromkeys(curve.environment for curve in suite.curves)
    ]
    if not panels:
        return None
    curves = [curve for _, _, own in panels for curve in own]
    names = _names(panels)
    colours = places(suites)
    legend = {names[each]: colours[each] for each in names}
    thinning = _thinning(curves)
    several = len({suite.suite for suite, _, _ in panels}) > 1 or len({suite.scale for suite, _, _ in panels}) > 1
    specs = [
        _panel(
            place,
            {"text": environment} | ({"subtitle": f"{suite.suite}, scale {suite.scale}"} if several else {}),
            {names[label(suite, curve.algorithm)]: curve for curve in own},
            legend,
            thinning,
        )
        for place, (suite, environment, own) in enumerate(panels)
    ]
    suite = panels[0][0]
    title = "Learning curves" if several else f"{suite.suite}, scale {suite.scale}: learning curves"
    switch = {"name": "singles", "value": False, "bind": {"input": "checkbox", "name": "single seeds"}}
    return Chart(
        name=title_of("learning-curves" if several else f"{suite.suite}-{suite.scale}-curves"),
        title=title,
        notes=tuple(_notes(suites, curves, thinning)),
        description=f"return over environment steps of {', '.join(names)}, in {', '.join(p[1] for p in panels)}",
        spec=grid(specs, names=names.values(), params=[switch] if thinning.seed else [_OFF]),
    )


_OFF: Spec = {"name": "singles", "value": False}


def _names(panels: Sequence[tuple[SuiteReport, str, Sequence[LearningCurve]]]) -> dict[str, str]:
    """Label -> what the legend calls it, with the number of seeds."""
    counts: dict[str, list[int]] = {}
    for suite, _, own in panels:
        for name in suite.algorithms:
            for curve in own:
                if curve.algorithm == name:
                    counts.setdefault(label(suite, name), []).append(len(curve.seeds))
    return {
        name: f"{name} (n = {min(own)}{'' if min(own) == max(own) else f' to {max(own)}'})"
        for name, own in counts.items()
    }


def _thinning(curves: Sequence[LearningCurve]) -> _Thinning:
    seeds = sum(len(curve.seeds) for curve in curves)
    each = min(MOST_POINTS, SEED_POINTS // max(1, seeds))
    return _Thinning(
        max(FEWEST_POINTS, min(MOST_POINTS, POINTS // len(curves))), each if each >= FEWEST_POINTS else None
    )


def _notes(suites: Sequence[SuiteReport], curves: Sequence[LearningCurve], thinning: _Thinning) -> list[str]:
    notes = ["mean over seeds with a 95% bootstrap band"]
    if any(curve.boundaries for curve in curves):
        notes[0] += "; dashed: the world changes, and a letter names each world"
    if thinning.seed is None:
        notes.append("too many jobs to draw single seeds")
    notes += dict.fromkeys(line for suite in suites for line in mark_lines(suite))
    return notes + [SMOKE] * any(suite.smoke for suite in suites)


def _panel(
    place: int, title: Mapping[str, str], curves: Mapping[str, LearningCurve], names: Places, thinning: _Thinning
) -> Spec:
    first = next(iter(curves.values()))
    x = {
        "field": "x",
        "type": "quantitative",
        "title": "environment steps",
        "scale": {"domain": [0, first.total], "nice": False},
        "axis": {"labelExpr": "format(datum.value, '~s')", "grid": False, "labelOverlap": True, "labelFlush": True},
    }
    scale = _scale(list(curves.values()))
    y = {"field": "value", "type": "quantitative", "title": "return", "scale": scale, "axis": Y_AXIS}
    shifts: Spec = {
        "data": {"values": [{"x": each} for each in first.boundaries]},
        "mark": {"type": "rule", "style": "shift", "clip": True},
        "encoding": {"x": {"field": "x", "type": "quantitative"}},
    }
    worlds = _worlds(place, first)
    return {
        "title": {**title, "anchor": "start", "frame": "group", "offset": 20 if worlds else 6},
        "data": {"values": [_row(name, curve, thinning) for name, curve in curves.items()]},
        "layer": [
            shifts,
            band(x, y, names),
            _singles(x, y, names),
            lines(place, x, y, names),
            points(place, x, y, names, "algorithm", ","),
            *worlds,
        ],
    }


def _singles(x: Spec, y: Spec, names: Places) -> Spec:
    """The lines of single seeds, which are there while the switch is on."""
    seed = {"field": "seed", "type": "nominal"}
    tooltip = [{"field": "series", "type": "nominal", "title": "algorithm"}, {**seed, "title": "seed"}]
    parts = [{"calculate": f"datum.seeds.{name}", "as": name} for name in ("seed", "x", "value")]
    unpacked = [{"flatten": ["seeds"]}, *parts, {"flatten": ["x", "value"]}]
    return {
        "transform": [{"filter": "singles"}, {"filter": {"param": "shown"}}, *unpacked],
        "mark": {"type": "line", "clip": True, "strokeWidth": 0.8, "opacity": 0.7},
        "encoding": {"x": x, "y": y, "color": coloured(names), "detail": seed, "tooltip": tooltip},
    }


def _scale(curves: Sequence[LearningCurve]) -> Spec:
    """Ends that hold the bands, and those that hold the single seeds too while they are shown."""
    bands = [value for curve in curves for part in (curve.low, curve.high) for value in part]
    seeds = [value for curve in curves for seed in curve.seeds for value in seed.values if value is not None]
    (low, high), (least, most) = scale_of(bands), scale_of(bands + seeds)
    return {
        "domain": [{"expr": f"singles ? {least!r} : {low!r}"}, {"expr": f"singles ? {most!r} : {high!r}"}],
        "zero": False,
        "nice": True,
    }


def _row(name: str, curve: LearningCurve, thinning: _Thinning) -> Spec:
    """A curve as one row (`bands`), with those of its seeds."""
    kept = _kept(curve.steps, thinning.line)
    fields = {"value": curve.mean, "low": curve.low, "high": curve.high}
    row: Spec = {"series": name, **_columns(curve.steps, kept, fields)}
    if thinning.seed is not None and len(curve.seeds) > 1:
        kept = _kept(curve.steps, thinning.seed)
        row["seeds"] = [
            {"seed": seed.seed, **_columns(curve.steps, kept, {"value": seed.values})} for seed in curve.seeds
        ]
    return row


def _columns(steps: Sequence[int], kept: Sequence[int], fields: Mapping[str, Sequence[float | None]]) -> Spec:
    """The kept points that have a value, with a gap at every shift: nothing was measured between two worlds."""
    columns: Spec = {name: [] for name in ("x", *fields)}
    for at in kept:
        values = {name: each[at] for name, each in fields.items()}
        if None in values.values():
            continue
        if columns["x"] and columns["x"][-1] == steps[at]:
            columns["x"].append(steps[at])
            for name in fields:
                columns[name].append(None)
        columns["x"].append(steps[at])
        for name, value in values.items():
            columns[name].append(None if value is None else short(value))
    return columns


def _kept(steps: Sequence[int], most: int) -> list[int]:
    """Places of about `most` steps, evenly; with the first, the last, and both points of every shift."""
    every = -(-len(steps) // most)
    shifts = {
        at for before, after in pairwise(range(len(steps))) if steps[before] == steps[after] for at in (before, after)
    }
    return sorted({*range(0, len(steps), every), *shifts, len(steps) - 1} if steps else set())


def _worlds(place: int, curve: LearningCurve) -> list[Spec]:
    """A letter over every phase: at a glance, which ones return to an earlier world."""
    starts = [0, *curve.boundaries]
    if not 1 < len(starts) <= MOST_LABELS:
        return []
    word = "world " if len(starts) <= MOST_NAMED_WORLDS else ""
    rows = [
        {"x": (start + end) / 2, "label": word + world}
        for start, end, world in zip(starts, [*curve.boundaries, curve.total], curve.worlds, strict=True)
    ]
    return [labels(place, rows, -8)]
