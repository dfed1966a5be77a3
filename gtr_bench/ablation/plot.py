"""Response curves of a study as a figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gtr_bench.ablation.model import ResponseCurve, StudyReport
from gtr_bench.ablation.wording import value_text
from gtr_bench.errors import RequestError
from gtr_bench.report.plots import COLOURS, check_suffix, save_figure
from gtr_bench.report.text import SMOKE, reconstruction_line

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_response"]

_MARKERS = "osD^vP"
_WHOLE, _STATED, _BEST, _PLATEAU, _REFERENCE = "black", "0.45", "#D55E00", "#009E73", "#0072B2"


def draw_response(report: StudyReport, out: Path) -> None:
    """Draw the response curves into a `.png`, `.svg` or `.pdf` file: a panel per parameter, a line per environment.

    Equal reports give equal files.

    Raises:
        RequestError: another suffix, no setting with a score, or a file that cannot be written.
    """
    check_suffix(out)
    if report.best is None:
        raise RequestError("no setting has a score to draw")
    with _figure(report) as figure:
        save_figure(figure, out)


@contextmanager
def _figure(report: StudyReport) -> Iterator[Figure]:
    """The figure, within the settings it must be saved under."""
    import matplotlib
    from matplotlib.figure import Figure

    records = report.records
    # A fixed salt makes the ids inside an SVG reproducible; names are text, not formulas.
    with matplotlib.rc_context(
        {"svg.hashsalt": "gtr-bench", "text.parse_math": False, "axes.spines.top": False, "axes.spines.right": False}
    ):
        columns = min(2, len(records.axes))
        lines = -(-len(records.axes) // columns)
        size = (4.6 * columns if columns > 1 else 7.0, 3.2 * lines + 1.0)
        figure = Figure(figsize=size, dpi=150, layout="constrained")
        panels = figure.subplots(lines, columns, squeeze=False).ravel()
        handles: dict[str, Artist] = {}
        for panel, axis in zip(panels, records.axes, strict=False):
            _panel(panel, [curve for curve in report.curves if curve.axis.name == axis.name], report)
            found, names = panel.get_legend_handles_labels()
            handles.update(zip(names, found, strict=True))
        for panel in panels[len(records.axes) :]:
            panel.set_axis_off()
        figure.legend(
            list(handles.values()),
            list(handles),
            loc="outside upper center",
            ncols=3 if columns == 1 else 4,
            frameon=False,
            fontsize=8,
            # A title of the figure would lie on a legend outside of the panels.
            title=f"{records.algorithm} on {records.suite}, scale {records.scale}",
            title_fontsize=10,
        )
        figure.supxlabel("\n".join(_explanation(report)), fontsize=8, color="0.35")
        yield figure


def _explanation(report: StudyReport) -> Iterator[str]:
    yield "mean over seeds with a 95% bootstrap band"
    if len(report.records.axes) > 1:
        yield "the other parameters vary along a curve"
    if report.records.reconstruction:
        yield reconstruction_line([report.records.registered])
    if report.records.smoke:
        yield SMOKE


def _panel(panel: Axes, curves: Sequence[ResponseCurve], report: StudyReport) -> None:
    axis = curves[0].axis
    records = report.records
    for index, curve in enumerate(curves):
        _line(panel, curve, index, report)
    whole = curves[0]
    if (flat := whole.plateau) is not None:
        label = "plateau (5 %)" if flat.told else "plateau (width unknown)"
        panel.axvspan(flat.low, flat.high, color=_PLATEAU, alpha=0.12, linewidth=0, label=label)
    if report.reference_best_score is not None:
        label = f"best of {records.reference}"
        panel.axhline(report.reference_best_score.value, color=_REFERENCE, linestyle="-.", linewidth=1.2, label=label)
    if axis.numeric:
        if axis.logarithmic:
            _logarithmic(panel, whole)
        if axis.stated is not None and axis.places(axis.stated):
            panel.axvline(
                float(axis.stated), color=_STATED, linestyle=(0, (1, 2)), linewidth=1.4, label="the suite's value"
            )
        if report.best is not None and axis.places(report.best.setting[axis.name]):
            value = float(report.best.setting[axis.name])
            panel.axvline(value, color=_BEST, linestyle=(0, (5, 2)), linewidth=1.2, label="best setting")
    else:
        best = None if report.best is None else report.best.setting[axis.name]
        names = [
            value_text(point.value)
            + ("\n(the suite's)" if point.value == axis.stated else "")
            + ("\n(best setting)" if point.value == best else "")
            for point in whole.points
        ]
        panel.set_xticks(range(len(whole.points)), names)
        panel.margins(x=0.15)
    panel.set_xlabel(axis.name)
    panel.set_ylabel(f"{records.metric} ({records.unit})" if records.unit != records.metric else records.metric)
    panel.grid(axis="y", color="0.9", linewidth=0.7)
    panel.set_axisbelow(True)


def _logarithmic(panel: Axes, curve: ResponseCurve) -> None:
    """Plain numbers at 1, 2, 5 of each decade, or at powers of ten where there are many."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    values = [float(point.value) for point in curve.points if curve.axis.places(point.value)]
    many = max(values) > 1000 * min(values)
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(subs=(1.0,) if many else (1.0, 2.0, 5.0)))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.xaxis.set_minor_formatter(NullFormatter())


def _line(panel: Axes, curve: ResponseCurve, index: int, report: StudyReport) -> None:
    """One curve: a band where values have an order, bars where they do not."""
    axis = curve.axis
    points = [point for point in curve.points if not axis.numeric or axis.places(point.value)]
    middle = [point.estimate.value for point in points]
    low = [
        value if point.estimate.low is None else point.estimate.low for value, point in zip(middle, points, strict=True)
    ]
    high = [
        value if point.estimate.high is None else point.estimate.high
        for value, point in zip(middle, points, strict=True)
    ]
    whole = curve.environment is None
    only = report.records.environments[0] if len(report.records.environments) == 1 else "all environments"
    colour = _WHOLE if whole else COLOURS[(index - 1) % (len(COLOURS) - 1)]
    marker = "o" if whole else _MARKERS[index % len(_MARKERS)]
    width = 2.0 if whole else 1.1
    label = curve.environment or only
    if axis.numeric:
        places = [float(point.value) for point in points]
        panel.fill_between(places, low, high, color=colour, alpha=0.2 if whole else 0.12, linewidth=0)
        panel.plot(places, middle, color=colour, marker=marker, markersize=4, linewidth=width, label=label)
        return
    places = [place + 0.08 * index for place in range(len(points))]
    errors = [
        [value - end for value, end in zip(middle, low, strict=True)],
        [end - value for value, end in zip(middle, high, strict=True)],
    ]
    panel.errorbar(
        *(places, middle, errors), color=colour, marker=marker, markersize=5, linestyle="none", capsize=3, label=label
    )
