"""A study's report as one HTML page with response curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from gtr_bench.ablation.layout import interval_text, study_blocks
from gtr_bench.ablation.model import Axis, StudyReport
from gtr_bench.ablation.wording import setting_text, value_text
from gtr_bench.report.blocks import Block, Heading, Lines, grid
from gtr_bench.report.charts import Line, figure
from gtr_bench.report.page import render_page
from gtr_bench.report.text import ABSENT

__all__ = ["study_page"]


def study_page(report: StudyReport) -> str:
    """The page; a chart for every parameter whose values have an order."""
    content = list(_answer_first(report))
    title = next(block.text for block in content if isinstance(block, Heading))
    charts = [_chart(report, axis) for axis in report.records.axes if axis.numeric and report.best]
    return render_page(f"gtr-bench: {title}", content, {title: charts}, charts_heading="Response curves")


def _answer_first(report: StudyReport) -> Iterator[Block]:
    """The study's blocks, below its title the answer, and what it rests on at a glance."""
    answer, title, *rest = study_blocks(report, bar="")
    assert isinstance(answer, Lines)
    yield title
    yield replace(answer, kind="headline")
    yield from _glance(report)
    yield from rest


def _glance(report: StudyReport) -> Iterator[Block]:
    """Best setting, plateau and the reference's best setting, as far as the study has them."""
    metric = f"{report.records.metric} [95% interval]"
    rows = []
    if report.best is not None:
        rows.append(["best setting", setting_text(report.best.setting), interval_text(report.best_score)])
    # The first curve of an axis is that over all environments.
    for axis, curve in {curve.axis.name: curve for curve in reversed(report.curves)}.items():
        if curve.plateau is not None:
            flat = curve.plateau
            ends = f"{value_text(flat.low)} to {value_text(flat.high)}"
            unknown = "" if flat.told else "; no value can be told from another, so its width is unknown"
            rows.append([f"plateau of {axis}", ends + unknown, ABSENT])
    if report.reference_best is not None:
        best = setting_text(report.reference_best.setting)
        rows.append([f"best setting of {report.records.reference}", best, interval_text(report.reference_best_score)])
    if rows:
        yield grid("At a glance", ("what", "value", metric), rows)


def _chart(report: StudyReport, axis: Axis) -> str:
    records = report.records
    lines = []
    for curve in report.curves:
        if curve.axis == axis:
            points = [point for point in curve.points if axis.places(point.value)]
            estimates = [point.estimate for point in points]
            middle = [each.value for each in estimates]
            lines.append(
                Line(
                    curve.environment
                    or ("all environments" if len(records.environments) > 1 else records.environments[0]),
                    [float(point.value) for point in points],
                    middle,
                    [each.value if each.low is None else each.low for each in estimates],
                    [each.value if each.high is None else each.high for each in estimates],
                )
            )
    drawn = [value for line in lines for value in line.x]
    rival, score = report.reference_best, report.reference_best_score
    if drawn and rival is not None and score is not None:
        low, high = (score.value if end is None else end for end in (score.low, score.high))
        name = f"{records.reference}, best setting ({setting_text(rival.setting)})"
        ends = [min(drawn), max(drawn)]
        lines.append(Line(name, ends, [score.value] * 2, [low] * 2, [high] * 2))
    marks, flat = _marks(report, axis, drawn), report.curves[0].plateau
    notes = [f"{kind}: {what} {value:g}" for kind, what, value in marks]
    if flat is not None:
        unknown = "" if flat.told else ", width unknown"
        notes.append(f"shaded: plateau {flat.low:g} to {flat.high:g}{unknown}")
    return figure(
        f"{records.name}: {axis.name}",
        lines,
        x_label=axis.name,
        y_label=records.metric,
        verticals=[value for kind, _, value in marks if kind == "dashed"],
        dotted=[value for kind, _, value in marks if kind == "dotted"],
        shaded=[(flat.low, flat.high)] if flat is not None else [],
        log=axis.logarithmic,
        note="; ".join(notes),
    )


def _marks(report: StudyReport, axis: Axis, drawn: Sequence[float]) -> list[tuple[str, str, float]]:
    """(how it is drawn, what it is, value) of the best setting and the suite's own, where the chart has a place."""
    best = None if report.best is None else report.best.setting[axis.name]
    named = (("dashed", "best", best), ("dotted", "the suite's", axis.stated))
    # The mean of a group may lie beyond a single value.
    return [
        (kind, what, float(value))
        for kind, what, value in named
        if value is not None and drawn and min(drawn) <= float(value) <= max(drawn)
    ]
