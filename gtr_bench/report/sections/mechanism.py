"""What the policy does around shifts, and whether a gain in return comes with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from gtr_bench.metrics.continual import LifetimeReturn
from gtr_bench.report.blocks import NUMERIC, Block, Heading, Lines, grid
from gtr_bench.report.collect import SuiteRecords
from gtr_bench.report.mechanism import QUANTITIES, Mechanism, MechanismRow, mechanism_of, shifted
from gtr_bench.report.model import SuiteReport
from gtr_bench.report.scores import Scores
from gtr_bench.report.sections.base import Asked, Section
from gtr_bench.report.text import difference_text, interval_text, label, mean_text
from gtr_bench.report.values import unit_of, values_in

__all__ = ["MechanismSection"]

# Column -> the diagnostic whose mean over seeds it shows, and in which window.
_MEANS = {
    "path_length": ("path_length", "after"),
    "escape_fraction": ("escape_fraction", "after"),
    "KL before": ("exact_kl", "before"),
    "KL after": ("exact_kl", "after"),
}


class MechanismSection(Section):
    """The diagnostics before and after shifts."""

    name: ClassVar[str] = "mechanism"
    diagnostics: ClassVar[tuple[str, ...]] = QUANTITIES

    def applies(self, found: SuiteRecords) -> bool:
        """Where a finished run has met a shift."""
        return bool(shifted([record for record in found.records if record.role == "run"]))

    def compute(self, found: SuiteRecords, scores: Scores, asked: Asked) -> Mechanism | None:
        """The sentences are about the algorithms that are this project's reconstruction."""
        runs = asked.runs
        unit = unit_of(LifetimeReturn, {record.sequence for record in runs}, scores)
        returns = values_in(unit, runs, LifetimeReturn, scores) if unit else None
        subjects = asked.reconstructions
        return mechanism_of(runs, asked.iterations, asked.algorithms, subjects, asked.baseline, returns, asked.alpha)

    def blocks(self, suite: SuiteReport, data: Mechanism) -> Iterator[Block]:
        """The most telling diagnostics, then all of them."""
        yield Heading(2, "Mechanism: what the policy does around shifts")
        if data.sentences:
            yield Lines(data.sentences)
        if data.rows:
            title = "path_efficiency before and after shifts"
            yield grid(title, _header(suite), _rows(suite, data), numeric=NUMERIC | {"before", *_MEANS})
            every = [_diagnostic_row(suite, row) for row in data.rows]
            yield grid("diagnostics before and after shifts", _diagnostic_header(suite), every, detail=True)
        yield Lines(tuple(_definitions(data)), "note")
        if data.notes:
            yield Lines(data.notes, "note", last=True)


def _header(suite: SuiteReport) -> list[str]:
    """Column names of the diagnostics around shifts, the most telling ones."""
    names = ["environment", "algorithm", "before", "after [95% interval]"]
    names += [f"after, minus {suite.baseline}"] if suite.baseline else []
    return [*names, *_MEANS]


def _rows(suite: SuiteReport, found: Mechanism) -> list[list[str]]:
    """One row per environment and algorithm, in the order of `_header`."""
    by_place: dict[tuple[str, str], dict[str, MechanismRow]] = {}
    for row in found.rows:
        by_place.setdefault((row.environment, row.algorithm), {})[row.quantity] = row
    listed = []
    for (environment, algorithm), rows in by_place.items():
        path = rows.get("path_efficiency")
        texts = [environment, label(suite, algorithm), mean_text(path.before if path else None)]
        texts.append(interval_text(path.after if path else None))
        texts += [difference_text(path.difference if path else None)] if suite.baseline else []
        for quantity, window in _MEANS.values():
            texts.append(mean_text(getattr(rows[quantity], window) if quantity in rows else None))
        listed.append(texts)
    return listed


def _diagnostic_header(suite: SuiteReport) -> list[str]:
    """Column names of all diagnostics with their intervals."""
    names = ["environment", "algorithm", "quantity", "before [95% interval]", "after [95% interval]"]
    return [*names, f"after, minus {suite.baseline}, paired"] if suite.baseline else names


def _diagnostic_row(suite: SuiteReport, row: MechanismRow) -> list[str]:
    """The texts of one diagnostic, in the order of `_diagnostic_header`."""
    texts = [
        row.environment,
        label(suite, row.algorithm),
        row.quantity,
        interval_text(row.before),
        interval_text(row.after),
    ]
    return [*texts, difference_text(row.difference)] if suite.baseline else texts


def _definitions(found: Mechanism) -> list[str]:
    """What stands under the diagnostics."""
    return [
        f"before: the last {found.window} iterations of the phase before a shift; after: the first {found.window} of "
        "the phase after it; mean over shifts, then over seeds, with 95% intervals over seeds",
        "path_efficiency: distance between the policies at the window's ends over the length of the path between "
        "them; 1 = every update went the same way. Shorter paths are straighter by themselves: compare path_length",
        "path_length, escape_fraction: after; KL: exact_kl, the exact divergence of one update; means over seeds",
    ]
