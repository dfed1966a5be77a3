"""A figure of a report as the output of a notebook's cell, and as a file."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

from gtr_bench.report.figures.chart import Chart
from gtr_bench.report.figures.save import SCALE, png_of, save_chart
from gtr_bench.report.figures.suites import FigureName, suites_chart
from gtr_bench.report.model import Report

__all__ = ["Figure", "figure_of"]

VEGA_LITE = "application/vnd.vegalite.v6+json"


class Figure:
    """One figure of a report, as the HTML page and `report --plot` draw it.

    A notebook shows it: interactive where it knows Vega-Lite, else as a picture.
    """

    def __init__(self, chart: Chart) -> None:
        self._chart = chart

    @property
    def spec(self) -> dict[str, Any]:
        """Its Vega-Lite definition, with title and notes."""
        return self._chart.titled

    def save(self, file: str | Path) -> None:
        """Write it as `.png`, `.svg`, `.pdf`, or as an interactive page, `.html`; equal figures give equal files.

        Raises:
            RequestError: another suffix, or a file that cannot be written.
        """
        save_chart(self._chart, Path(file))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """What Jupyter asks for: the content by type, of which it takes the best it can show, and the PNG's size."""
        png = png_of(self._chart)
        content = {VEGA_LITE: self.spec, "image/png": b64encode(png).decode(), "text/plain": repr(self)}
        width, height = (int.from_bytes(png[at : at + 4]) // SCALE for at in (16, 20))  # of a PNG's first chunk
        return content, {"image/png": {"width": width, "height": height}}

    def __repr__(self) -> str:
        return f"<Figure: {self._chart.title}: {self._chart.description}>"


def figure_of(report: Report, figure: FigureName) -> Figure:
    """The figure of that name.

    Raises:
        UnknownNameError: there is no such figure.
        RequestError: there is nothing to draw.
    """
    return Figure(suites_chart(report.suites, figure))
