"""A report as one HTML page with learning curves."""

from __future__ import annotations

from gtr_bench.report.charts import Line, figure
from gtr_bench.report.layout import blocks
from gtr_bench.report.model import LearningCurve, Report, SeedLine, SuiteReport
from gtr_bench.report.page import render_page
from gtr_bench.report.text import label

__all__ = ["render_html"]


def render_html(report: Report) -> str:
    """The report as a page; build it with `curves=True`, or it has none."""
    names = ", ".join(dict.fromkeys(suite.suite for suite in report.suites))
    charts = {f"{suite.suite}, scale {suite.scale}": _charts(suite) for suite in report.suites}
    return render_page(f"gtr-bench: {names}", blocks(report), charts)


def _charts(suite: SuiteReport) -> list[str]:
    """A chart per environment."""
    found = []
    for environment in dict.fromkeys(curve.environment for curve in suite.curves):
        own = [curve for curve in suite.curves if curve.environment == environment]
        lines = [
            Line(
                label(suite, curve.algorithm),
                curve.steps,
                curve.mean,
                curve.low,
                curve.high,
                [_points(curve, seed) for seed in curve.seeds],
            )
            for curve in own
        ]
        shifts = sorted({step for curve in own for step in curve.boundaries})
        title = f"{suite.suite}: {environment}"
        found.append(figure(title, lines, x_label="environment steps", y_label="return", verticals=shifts))
    return found


def _points(curve: LearningCurve, seed: SeedLine) -> tuple[list[float], list[float]]:
    """A seed's line, without the points it lacks."""
    present = [(float(step), value) for step, value in zip(curve.steps, seed.values, strict=True) if value is not None]
    return [step for step, _ in present], [value for _, value in present]
