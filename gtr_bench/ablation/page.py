"""A study's report as one HTML page with response curves."""

from __future__ import annotations

from gtr_bench.ablation.layout import study_blocks
from gtr_bench.ablation.model import StudyReport
from gtr_bench.ablation.response import response_chart
from gtr_bench.report.blocks import Heading
from gtr_bench.report.figures.embed import figure
from gtr_bench.report.page import render_page

__all__ = ["study_page"]


def study_page(report: StudyReport) -> str:
    """The page; without a figure where no setting has a score."""
    content = list(study_blocks(report, bar=""))
    title = next(block.text for block in content if isinstance(block, Heading))
    chart = response_chart(report)
    charts = {title: [figure(chart)]} if chart is not None else {}
    return render_page(f"gtr-bench: {title}", content, charts, charts_heading="Response curves")
