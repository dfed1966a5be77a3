"""Learning curves of a results folder, for a README or a paper."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gtr_bench.errors import RequestError
from gtr_bench.metrics.interval import bootstrap
from gtr_bench.metrics.run import Run
from gtr_bench.report.attributes import those_with
from gtr_bench.report.collect import SuiteRecords, algorithms_of, collect
from gtr_bench.report.scores import Scores, load_evaluations, scores_of
from gtr_bench.report.text import RECONSTRUCTION_MARK, SMOKE, reconstruction_line
from gtr_bench.report.waves import given
from gtr_bench.store.reader import Warn, warn_on_stderr
from gtr_bench.store.writer import write_output

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "check_suffix", "learning_curves", "save_figure"]

# Without these the file would carry the time and the library's version, and equal results would differ.
_METADATA: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}

# Okabe and Ito's colour-blind-safe palette without its yellow, lost on white; line styles tell more lines apart.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000")
LineStyle: TypeAlias = Literal["solid", "dashed", "dotted"]
STYLES: tuple[LineStyle, ...] = ("solid", "dashed", "dotted")

RESAMPLES = 1000
"""Enough for a band: its edge is thinner than the line that draws it."""

MOST_NAMED_PHASES = 6
"""With more phases the names of their worlds would overlap."""

Floats: TypeAlias = NDArray[np.float64]


def learning_curves(
    results: Sequence[Path], out: Path, *, suite: str | None = None, warn: Warn = warn_on_stderr
) -> None:
    """Draw return over steps into `out`: a panel per sequence, a line with a band per algorithm, shifts dashed.

    Only finished jobs are drawn, diverged ones at the lowest return. Equal results give an equal file.

    Args:
        results: results folders.
        out: a `.png`, `.svg` or `.pdf` file.
        suite: only this suite (a name, or a suite file).
        warn: called with a sentence for each file that was left out.

    Raises:
        RequestError: another suffix, no finished job, or a file that cannot be written.
    """
    import matplotlib
    from matplotlib.figure import Figure

    check_suffix(out)
    found = collect(results, suite, warn=warn)
    every = {record.job: record for each in found for record in each.records}
    evaluations = load_evaluations(list(every.values()), warn=warn)
    found = [given(each, evaluations)[0] for each in found]
    panels = [panel for each in found for panel in _panels(each, scores_of(each, evaluations), several=len(found) > 1)]
    if not panels:
        raise RequestError("no finished job to draw")
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    # A fixed salt makes the ids inside an SVG, and so the file, reproducible.
    with matplotlib.rc_context({"svg.hashsalt": "gtr-bench", "axes.spines.top": False, "axes.spines.right": False}):
        width = 4.6 * columns if columns > 1 else 7.0
        looks = _looks(panels)
        # At font size 10 a letter is about 0.09 inches wide and a legend's line, with its gaps, about 0.8.
        across = max(1, int(width / (0.09 * max(len(label) + 12 for label in looks) + 0.8)))
        height = 3.0 * rows + 0.6 + 0.25 * -(-len(looks) // across)
        figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for panel, place in zip(panels, axes, strict=False):
            _draw(place, panel, looks)
        for place in axes[len(panels) :]:
            place.set_axis_off()
        _explain(figure, found, panels, looks, across)
        save_figure(figure, out)


def check_suffix(out: Path) -> None:
    """Raise RequestError unless figures can be written in the format of `out`'s suffix."""
    if out.suffix not in _METADATA:
        raise RequestError(f"`{out}` should end in {', '.join(f'`{suffix}`' for suffix in _METADATA)}")


def save_figure(figure: Figure, out: Path) -> None:
    """Write a figure; equal figures give equal files. Raises RequestError when the file cannot be written."""
    write_output(out, lambda file: figure.savefig(file, format=out.suffix[1:], metadata=_METADATA[out.suffix]))


@dataclass(frozen=True)
class _Panel:
    """One sequence: the finished runs of each algorithm, and where its worlds change.

    `reconstructions`: label -> registered name, of those whose form is this project's reconstruction.
    """

    title: str
    runs: Mapping[str, Sequence[Run]]
    reconstructions: Mapping[str, str]


def _panels(found: SuiteRecords, scores: Scores, *, several: bool) -> Iterator[_Panel]:
    finished = [record for record in found.records if record.role == "run" and record.summary]
    for sequence in dict.fromkeys(record.sequence for record in finished):
        here = [record for record in finished if record.sequence == sequence]
        runs = {
            label: [scores.run(record, "return") for record in here if record.algorithm == label]
            for label in algorithms_of(found)
            if any(record.algorithm == label for record in here)
        }
        title = f"{found.name}, {found.scale}: {sequence}" if several else sequence
        reconstructed = those_with("reconstruction", (record.algorithm_name for record in here))
        marked = {each.algorithm: each.algorithm_name for each in here if each.algorithm_name in reconstructed}
        yield _Panel(title, runs, marked)


def _looks(panels: Sequence[_Panel]) -> dict[str, tuple[str, LineStyle]]:
    """Algorithm -> (colour, line style), the same in every panel."""
    labels = list(dict.fromkeys(label for panel in panels for label in panel.runs))
    return {
        label: (COLOURS[index % len(COLOURS)], STYLES[index // len(COLOURS) % len(STYLES)])
        for index, label in enumerate(labels)
    }


def _draw(place: Axes, panel: _Panel, looks: Mapping[str, tuple[str, LineStyle]]) -> None:
    from matplotlib.ticker import EngFormatter

    for label, runs in panel.runs.items():
        steps, middle, low, high = _band(runs)
        colour, style = looks[label]
        place.fill_between(steps, low, high, color=colour, alpha=0.25, linewidth=0)
        place.plot(steps, middle, color=colour, linestyle=style, linewidth=1.6)
    run = next(iter(panel.runs.values()))[0]
    for start in run.starts[1:]:
        place.axvline(start, color="0.45", linestyle=(0, (4, 3)), linewidth=0.9, zorder=0)
    if 1 < len(run.worlds) <= MOST_NAMED_PHASES:
        # Letters show at a glance which phases return to an earlier world.
        names = {world: ascii_uppercase[index] for index, world in enumerate(dict.fromkeys(run.worlds))}
        for start, length, world in zip(run.starts, run.lengths, run.worlds, strict=True):
            place.annotate(
                f"world {names[world]}",
                (start + length / 2, 1.0),
                xycoords=("data", "axes fraction"),
                ha="center",
                va="bottom",
                fontsize=8,
                color="0.35",
            )
    place.set_title(panel.title, pad=16)
    place.set_xlim(0, sum(run.lengths))
    place.xaxis.set_major_formatter(EngFormatter(sep=""))
    place.set_xlabel("environment steps")
    place.set_ylabel("return")
    place.grid(axis="y", color="0.9", linewidth=0.7)
    place.set_axisbelow(True)


def _band(runs: Sequence[Run]) -> tuple[Floats, Floats, Floats, Floats]:
    """Steps, mean over seeds and the ends of its interval at every evaluation point; without an interval, the mean."""
    values: dict[tuple[int, int], list[float]] = defaultdict(list)
    for run in runs:
        own = (run.phases == run.evaluated_phases) & np.isfinite(run.values)
        for step, phase, value in zip(run.steps[own], run.phases[own], run.values[own], strict=True):
            values[int(step), int(phase)].append(float(value))
    rows = []
    for (step, _), seeds in sorted(values.items()):
        found = bootstrap(seeds, resamples=RESAMPLES)
        low = found.value if found.low is None else found.low
        high = found.value if found.high is None else found.high
        rows.append((float(step), found.value, low, high))
    steps, middle, lows, highs = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    return steps, middle, lows, highs


def _explain(
    figure: Figure,
    found: Sequence[SuiteRecords],
    panels: Sequence[_Panel],
    looks: Mapping[str, tuple[str, LineStyle]],
    across: int,
) -> None:
    """A legend of `across` columns with the number of seeds, and the line that says what is drawn."""
    from matplotlib.lines import Line2D

    marked = {label: name for panel in panels for label, name in panel.reconstructions.items()}
    handles = []
    for label, (colour, style) in looks.items():
        counts = [len(panel.runs[label]) for panel in panels if label in panel.runs]
        seeds = str(counts[0]) if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
        name = f"{label} {RECONSTRUCTION_MARK}" if label in marked else label
        handles.append(Line2D([], [], color=colour, linestyle=style, linewidth=2, label=f"{name} (n = {seeds})"))
    figure.legend(handles=handles, loc="outside upper center", ncols=min(across, len(handles)), frameon=False)
    lines = ["mean over seeds with a 95% bootstrap band; dashed lines: the world changes"]
    if marked:
        lines.append(f"{RECONSTRUCTION_MARK} {reconstruction_line(marked.values())}")
    if any(each.smoke for each in found):
        lines.append(SMOKE)
    figure.supxlabel("\n".join(lines), fontsize=8, color="0.35")
