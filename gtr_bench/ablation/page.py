"""A study's report as one HTML page with response curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gtr_bench.ablation.layout import interval_text, study_blocks
from gtr_bench.ablation.model import StudyReport
from gtr_bench.ablation.response import response_chart
from gtr_bench.ablation.wording import setting_text, value_text
from gtr_bench.report.blocks import Block, Heading, Lines, grid
from gtr_bench.report.figures.embed import figure
from gtr_bench.report.page import render_page
from gtr_bench.report.text import ABSENT

__all__ = ["study_page"]


def study_page(report: StudyReport) -> str:
    """The page; without a figure where no setting has a score."""
    content = list(_answer_first(report))
    title = next(block.text for block in content if isinstance(block, Heading))
    chart = response_chart(report)
    charts = {title: [figure(chart)]} if chart is not None else {}
    return render_page(f"gtr-bench: {title}", content, charts, charts_heading="Response curves")


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
