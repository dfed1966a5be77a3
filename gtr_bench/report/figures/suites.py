"""The figures of a report by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

from gtr_bench.errors import RequestError, UnknownNameError
from gtr_bench.report.figures.chart import Chart
from gtr_bench.report.figures.forest import forest_chart
from gtr_bench.report.figures.learning import learning_chart
from gtr_bench.report.figures.profiles import profiles_chart
from gtr_bench.report.model import SuiteReport

__all__ = ["FigureName", "charts_of", "suites_chart"]

FigureName: TypeAlias = Literal["claims", "curves", "profiles"]

_FIGURES: Mapping[FigureName, tuple[Callable[[Sequence[SuiteReport]], Chart | None], str, str]] = {
    "claims": (forest_chart, "no claim to draw", "a suite declares them with `[[claim]]` or `comparisons`"),
    "curves": (
        learning_chart,
        "no learning curve to draw",
        "it needs a finished job, and in Python a report that was not built with `curves=False`",
    ),
    "profiles": (
        profiles_chart,
        "no performance profile to draw",
        "it needs two sequences at least, each with `normalise`, and a metric in their unit",
    ),
}
"""Name -> how it is drawn, and what is said where there is nothing to draw."""


def charts_of(suite: SuiteReport) -> list[Chart]:
    """All that a suite's results can be drawn as, in the order of a page."""
    return [chart for draw, _, _ in _FIGURES.values() if (chart := draw([suite])) is not None]


def suites_chart(suites: Sequence[SuiteReport], figure: FigureName) -> Chart:
    """One figure of all suites of a report.

    Raises:
        UnknownNameError: there is no such figure.
        RequestError: there is nothing to draw.
    """
    if figure not in _FIGURES:  # Python asks too, where nothing has looked at the name
        raise UnknownNameError("figure", figure, _FIGURES)
    draw, nothing, hint = _FIGURES[figure]
    chart = draw(suites)
    if chart is None:
        raise RequestError(nothing, hint=hint)
    return chart
