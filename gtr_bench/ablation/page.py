"""A study's report as one HTML page with response curves."""

from __future__ import annotations

from gtr_bench.ablation.layout import study_blocks
from gtr_bench.ablation.model import Axis, StudyReport
from gtr_bench.report.charts import Line, figure
from gtr_bench.report.layout import Heading
from gtr_bench.report.page import render_page

__all__ = ["study_page"]


def study_page(report: StudyReport) -> str:
    """The page; a chart for every parameter whose values have an order."""
    content = list(study_blocks(report))
    (title,) = [block.text for block in content[:1] if isinstance(block, Heading)]
    charts = [_chart(report, axis) for axis in report.records.axes if axis.numeric]
    return render_page(f"gtr-bench: {title}", content, {title: charts})


def _chart(report: StudyReport, axis: Axis) -> str:
    records = report.records
    lines = []
    for curve in report.curves:
        if curve.axis == axis:
            estimates = [point.estimate for point in curve.points]
            middle = [each.value for each in estimates]
            lines.append(
                Line(
                    curve.environment
                    or ("all environments" if len(records.environments) > 1 else records.environments[0]),
                    [float(point.value) for point in curve.points],
                    middle,
                    [each.value if each.low is None else each.low for each in estimates],
                    [each.value if each.high is None else each.high for each in estimates],
                )
            )
    stated = [float(axis.stated)] if isinstance(axis.stated, (int, float)) else []
    log = axis.log or (axis.kind == "choice" and all(float(choice) > 0 for choice in axis.choices))
    return figure(
        f"{records.name}: {axis.name}", lines, x_label=axis.name, y_label=records.metric, verticals=stated, log=log
    )
