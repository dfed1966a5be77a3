"""Performance profiles: the share of runs above every normalised score (Agarwal and others; protocols 13.1)."""

from __future__ import annotations

from collections.abc import Sequence

from gtr_bench.report.aggregates import Profile
from gtr_bench.report.figures.bands import Y_AXIS, band, lines, places, points
from gtr_bench.report.figures.chart import Chart, Places, Spec, grid, short, title_of
from gtr_bench.report.model import SuiteReport
from gtr_bench.report.tables import MetricTable
from gtr_bench.report.text import SMOKE, label, mark_lines

__all__ = ["profiles_chart"]


def profiles_chart(suites: Sequence[SuiteReport]) -> Chart | None:
    """A panel per metric with profiles; None without any, such as where a sequence has no `normalise`."""
    tables = [(suite, table) for suite in suites for table in suite.sections.get("tables") or () if table.profiles]
    if not tables:
        return None
    drawn = list({id(suite): suite for suite, _ in tables}.values())
    told = {label(suite, profile.algorithm) for suite, table in tables for profile in table.profiles}
    names = {name: place for name, place in places(suites).items() if name in told}
    several = len(drawn) > 1
    panels = [_panel(place, *each, names, several=several) for place, each in enumerate(tables)]
    whole = "" if several else f"{drawn[0].suite}, scale {drawn[0].scale}: "
    notes = ["share of runs above each score, over all environments, with a pointwise 95% band; higher is better"]
    notes += dict.fromkeys(line for suite in drawn for line in mark_lines(suite))
    notes += [SMOKE] * any(suite.smoke for suite in drawn)
    return Chart(
        name=title_of("performance-profiles" if several else f"{drawn[0].suite}-{drawn[0].scale}-profiles"),
        title=f"{whole}performance profiles",
        notes=tuple(notes),
        description=f"share of runs above each normalised score, of {', '.join(names)}",
        spec=grid(panels, names=names),
    )


def _panel(place: int, suite: SuiteReport, table: MetricTable, names: Places, *, several: bool) -> Spec:
    x = {
        "field": "x",
        "type": "quantitative",
        "title": "normalised score",
        "scale": {"domain": [0, 1], "nice": False},
        "axis": {"format": "~r", "grid": False, "labelOverlap": True, "labelFlush": True, "tickCount": 6},
    }
    y = {
        "field": "value",
        "type": "quantitative",
        "title": "share of runs above it",
        "scale": {"domain": [0, 1]},
        "axis": {**Y_AXIS, "format": "~r", "tickCount": 6},
    }
    return {
        "title": {
            "text": table.metric,
            **({"subtitle": f"{suite.suite}, scale {suite.scale}"} if several else {}),
            "anchor": "start",
            "frame": "group",
        },
        "data": {"values": [_row(label(suite, profile.algorithm), profile) for profile in table.profiles]},
        "layer": [
            band(x, y, names),
            lines(place, x, y, names),
            points(place, x, y, names, "algorithm", ".2f", "share"),
        ],
    }


def _row(name: str, profile: Profile) -> Spec:
    fields = {"x": profile.thresholds, "value": profile.shares, "low": profile.low, "high": profile.high}
    return {"series": name, **{field: [short(value) for value in values] for field, values in fields.items()}}
