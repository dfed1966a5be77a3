"""A comparison for a terminal, as markdown and as JSON: the same numbers in each."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Literal, TypeAlias

from gtr_bench.compare.model import EXIT_CODES, CellChange, CellName, Comparison, MetricChange, Side
from gtr_bench.report.blocks import Block, Entry, Grid, Heading, Lines
from gtr_bench.report.markdown import markdown_text
from gtr_bench.report.plain import plain
from gtr_bench.report.terminal import terminal_text
from gtr_bench.report.text import (
    ABSENT,
    RECONSTRUCTION_MARK,
    bracketed,
    made_with,
    number,
    p_value,
    ranges,
    reconstruction_line,
)
from gtr_bench.report.vector_level import CONSEQUENCE
from gtr_bench.wording import counted

__all__ = ["FORMAT", "Format", "render_comparison", "summary"]

Format: TypeAlias = Literal["terminal", "markdown", "json"]
FORMAT = 2
"""Raised when a key of the JSON changes its meaning or disappears; a new key does not raise it."""

_CELLS = ("environment", "algorithm", "verdict", "n", "identical", "curves differ most", "B - A there", "p (Holm)")
_SPEED = "speed B / A"
_METRIC = ("environment", "algorithm", "A", "B", "B - A [interval]", "n", "p", "p (Holm)")
_ABSENCES = ("side", "environment", "algorithm", "state", "jobs", "seeds", "reason")


def render_comparison(comparison: Comparison, format: Format, *, width: int = 160, colour: bool = False) -> str:
    """The comparison as text; equal ones give equal texts. Width and colour are a terminal's."""
    if format == "json":
        return _json(comparison)
    if format == "markdown":
        return markdown_text(_blocks(comparison))
    return terminal_text(_blocks(comparison), width=width, colour=colour)


def summary(comparison: Comparison) -> str:
    """`compared 4 cells: 1 worse, 3 identical; only in A: 1 cell`."""
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in comparison.counts.items())
    parts = [f"compared {counted(len(comparison.cells), 'cell')}: {verdicts}"]
    for letter, names in (("A", comparison.only_a), ("B", comparison.only_b)):
        parts += [f"only in {letter}: {counted(len(names), 'cell')}"] if names else []
    return "; ".join(parts)


def _json(comparison: Comparison) -> str:
    told = {"regression": comparison.regression, "undecided": comparison.undecided, "unjudged": comparison.unjudged}
    content = {"format": FORMAT, **told, **dataclasses.asdict(comparison)}
    del content["reconstructed"]  # each cell says so
    return json.dumps(plain(content), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def _blocks(comparison: Comparison) -> Iterator[Block]:
    yield Heading(1, f"{comparison.a.name} -> {comparison.b.name}")
    told = [summary(comparison)]
    told += [f"{letter} ({side.name}): {note}" for letter, side in _sides(comparison) for note in side.notes]
    told += _levels(comparison)
    if comparison.reconstructed:
        told.append(f"{RECONSTRUCTION_MARK} {reconstruction_line(comparison.reconstructed)}")
    yield Lines(tuple(told))
    for (suite, scale), cells in groupby(comparison.cells, key=lambda cell: (cell.suite, cell.scale)):
        yield from _suite(comparison, suite, scale, list(cells))
    for letter, names in (("A", comparison.only_a), ("B", comparison.only_b)):
        if names:
            yield Heading(2, f"Only in {letter}")
            yield Lines(tuple(_only(names)))
    made = [f"{letter}: {side.name}: {made_with(side.provenance)}" for letter, side in _sides(comparison)]
    compared = f"compared by gtr-bench {comparison.b.provenance.reported_by}"
    yield Lines((comparison.method, *made, compared), "footer")


def _levels(comparison: Comparison) -> Iterator[str]:
    """One line where both sides say at which vector levels they were computed, and it is not one for all."""
    sides = [side.vector_levels for _, side in _sides(comparison)]
    if all(sides) and len({level for side in sides for level in side}) > 1:
        listed = "; ".join(f"{letter}: {', '.join(side)}" for letter, side in zip("AB", sides, strict=True))
        yield f"computed at different vector levels ({listed}): {CONSEQUENCE}"


def _sides(comparison: Comparison) -> Iterator[tuple[str, Side]]:
    yield "A", comparison.a
    yield "B", comparison.b


def _suite(comparison: Comparison, suite: str, scale: str, cells: Sequence[CellChange]) -> Iterator[Block]:
    yield Heading(2, f"{suite}, scale {scale or 'unknown'}")
    fast = [_SPEED] if any(cell.speed is not None for cell in cells) else []
    rows = [_cell_row(cell)[: len(_CELLS) + len(fast)] for cell in cells]
    yield Grid("", (*_CELLS, *fast), tuple(rows))
    reasons = [f"{cell.environment}, {cell.algorithm}: {'; '.join(cell.reasons)}" for cell in cells if cell.reasons]
    yield Lines(tuple(reasons), "note")
    for place, metric in enumerate(comparison.metrics):
        shown = [(cell, cell.metrics[place]) for cell in cells if cell.metrics[place].n]
        if shown:
            better = {change.direction for _, change in shown} - {"neutral"}
            title = f"{metric} ({' or '.join(sorted(better))} is better)" if better else metric
            yield Grid(title, _METRIC, tuple(_metric_row(cell, change) for cell, change in shown))
    absent = [each for each in comparison.absences if (each.suite, each.scale) == (suite, scale)]
    if absent:
        listed = [
            (
                each.side,
                gone.environment,
                gone.algorithm,
                gone.state,
                str(len(gone.jobs)),
                ranges(gone.seeds),
                gone.reason,
            )
            for each in absent
            for gone in [each.absence]
        ]
        rows = [tuple(Entry(text) for text in row) for row in listed]
        yield Grid("failed, missing and diverged jobs", _ABSENCES, tuple(rows))


def _label(cell: CellChange) -> str:
    return f"{cell.algorithm} {RECONSTRUCTION_MARK}" if cell.reconstruction else cell.algorithm


def _cell_row(cell: CellChange) -> tuple[Entry, ...]:
    n = len(cell.seeds) if cell.paired else min(len(jobs) for jobs in cell.jobs)
    curve = cell.curve
    texts = [
        *(str(n), str(cell.identical)),
        f"step {curve.step:,}, phase {curve.phase}" if curve else ABSENT,
        number(curve.difference) if curve else ABSENT,
        p_value(curve.p_adjusted if curve else None),
        ABSENT if cell.speed is None else number(cell.speed),
    ]
    verdict = Entry(cell.verdict, cell.verdict in EXIT_CODES)
    return (Entry(cell.environment), Entry(_label(cell)), verdict, *(Entry(text) for text in texts))


def _metric_row(cell: CellChange, change: MetricChange) -> tuple[Entry, ...]:
    p, adjusted = p_value(change.p), p_value(change.p_adjusted)
    texts = [
        *(cell.environment, _label(cell), _number(change.before), _number(change.after)),
        bracketed(change.difference, change.low, change.high),
        *(str(change.n), p, adjusted),
    ]
    return tuple(Entry(text) for text in texts)


def _number(value: float | None) -> str:
    return ABSENT if value is None else number(value)


def _only(names: Sequence[CellName]) -> Iterator[str]:
    """A line per suite, scale and environment."""
    for (suite, scale, environment), here in groupby(
        names, key=lambda each: (each.suite, each.scale, each.environment)
    ):
        yield f"{suite}, scale {scale or 'unknown'}, {environment}: {', '.join(each.algorithm for each in here)}"
