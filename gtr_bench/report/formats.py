"""One report, every format by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from gtr_bench.errors import UnknownNameError
from gtr_bench.report.model import Report

__all__ = ["FORMATS", "render"]

FORMATS: Mapping[str, str] = {
    "terminal": "gtr_bench.report.terminal:render_terminal",
    "markdown": "gtr_bench.report.markdown:render_markdown",
    "html": "gtr_bench.report.html:render_html",
    "latex": "gtr_bench.report.latex:render_latex",
    "csv": "gtr_bench.report.csv:render_csv",
    "json": "gtr_bench.report.json:render_json",
}
"""Name -> the function that renders it, imported when it is asked for."""


def render(report: Report, format: str) -> str:
    """The report in one of `FORMATS`; equal reports give equal texts.

    HTML shows learning curves, so build the report with `curves=True`; a terminal is taken to be 160 columns wide.

    Raises:
        UnknownNameError: no such format.
    """
    if format not in FORMATS:
        raise UnknownNameError("format", format, FORMATS)
    module, _, name = FORMATS[format].partition(":")
    function: Callable[[Report], str] = getattr(import_module(module), name)
    return function(report)
