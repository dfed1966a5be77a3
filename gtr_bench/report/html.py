"""A report as one HTML page with figures."""

from __future__ import annotations

from gtr_bench.report.figures.embed import figure
from gtr_bench.report.figures.suites import charts_of
from gtr_bench.report.layout import blocks
from gtr_bench.report.model import Report
from gtr_bench.report.page import render_page

__all__ = ["render_html"]


def render_html(report: Report) -> str:
    """The report as a page; build it with `curves=True`, or it has no learning curves."""
    names = ", ".join(dict.fromkeys(suite.suite for suite in report.suites))
    charts = {
        f"{suite.suite}, scale {suite.scale}": [figure(chart) for chart in charts_of(suite)] for suite in report.suites
    }
    return render_page(f"gtr-bench: {names}", blocks(report), charts, charts_heading="Figures")
