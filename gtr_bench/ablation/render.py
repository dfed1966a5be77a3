"""A study's report in every format, from one model."""

from __future__ import annotations

import dataclasses
import json
from typing import Literal, TypeAlias

from gtr_bench.ablation.layout import statements, study_blocks
from gtr_bench.ablation.model import StudyReport
from gtr_bench.ablation.response import draw_response
from gtr_bench.report.markdown import markdown_text
from gtr_bench.report.terminal import terminal_text

__all__ = ["FORMAT", "StudyFormat", "draw_response", "render_study"]

FORMAT = 1
"""Of the JSON; raised when a key changes its meaning or disappears, not for a new key."""
StudyFormat: TypeAlias = Literal["terminal", "markdown", "html", "json"]


def render_study(report: StudyReport, format: StudyFormat, *, width: int = 160, colour: bool = False) -> str:
    """The report as text in a format; JSON has unrounded numbers, null where there is none.

    Args:
        width: columns of the terminal; colour: with escape codes.
    """
    if format == "json":
        content = {"format": FORMAT, "statements": list(statements(report)), **dataclasses.asdict(report)}
        del content["records"]["registered"]  # `reconstruction` is what a reader needs of it
        return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    if format == "markdown":
        return markdown_text(study_blocks(report, bar="`{}`"))
    if format == "html":
        from gtr_bench.ablation.page import study_page

        return study_page(report)
    return terminal_text(study_blocks(report), width=width, colour=colour)
