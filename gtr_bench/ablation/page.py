"""A study's report as one HTML page with response curves."""

from __future__ import annotations

from gtr_bench.ablation.layout import study_blocks
from gtr_bench.ablation.model import Axis, StudyReport
from gtr_bench.report.blocks import Heading
from gtr_bench.report.charts import Line, figure
from gtr_bench.report.page import render_page

__all__ = ["study_page"]


def study_page(report: StudyReport) -> str:
    """The page; a chart for every parameter whose values have an order."""
    content = list(study_blocks(report, bar=""))
    (title,) = [block.text for block in content[:1] if isinstance(block, Heading)]
    charts = [_chart(report, axis) for axis in report.records.axes if axis.numeric and report.best]
    return render_page(f"gtr-bench: {title}", content, {title: charts}, charts_heading="Response curves")


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
    # The mean of a group may lie beyond the suite's own value, where the chart has no place for it.
    drawn = [value for line in lines for value in line.x]
    stated = [] if axis.stated is None else [float(axis.stated)]
    inside = [value for value in stated if drawn and min(drawn) <= value <= max(drawn)]
    return figure(
        f"{records.name}: {axis.name}",
        lines,
        x_label=axis.name,
        y_label=records.metric,
        verticals=inside,
        log=axis.logarithmic,
        note=f"dashed: the suite's {axis.stated:g}" if inside else "",
    )
