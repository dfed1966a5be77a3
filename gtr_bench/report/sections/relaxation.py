"""Whether relaxation is followed by improvement, beside the mechanism."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from gtr_bench.report.blocks import Block, Lines, grid
from gtr_bench.report.collect import SuiteRecords
from gtr_bench.report.mechanism import shifted, shifts
from gtr_bench.report.model import SuiteReport
from gtr_bench.report.relaxation import COLUMNS, Relaxation, relaxation_of, series_of
from gtr_bench.report.scores import Scores
from gtr_bench.report.sections.base import Asked, Section
from gtr_bench.report.text import interval_text, label

__all__ = ["RelaxationSection"]

HEADER = ("environment", "algorithm", "escape_follows_return [95% interval]", "n")
FOLLOWS = (
    "escape_follows_return: rank correlation within phases of an iteration's escape_fraction and the change of "
    "training_return around it (4 iterations after minus 4 before), beyond that of unmatched seeds; no proof of cause"
)


class RelaxationSection(Section):
    """A row per environment and algorithm that logs `escape_fraction`."""

    name: ClassVar[str] = "relaxation"
    within: ClassVar[str | None] = "mechanism"
    diagnostics: ClassVar[tuple[str, ...]] = COLUMNS

    def applies(self, found: SuiteRecords) -> bool:
        """Where a finished run has met a shift."""
        return bool(shifted([record for record in found.records if record.role == "run"]))

    def compute(self, found: SuiteRecords, scores: Scores, asked: Asked) -> Relaxation | None:
        """Empty where no phase is long enough for what the mechanism shows."""
        measured = shifted(asked.runs)
        if not measured:
            return None
        jobs = asked.iterations.of(measured)
        if not any(shifts(rows["phase"]) for rows in jobs.values()):
            return Relaxation()
        series = {job: each for job, rows in jobs.items() if (each := series_of(rows)) is not None}
        return relaxation_of(measured, series, asked.algorithms, asked.alpha)

    def blocks(self, suite: SuiteReport, data: Relaxation) -> Iterator[Block]:
        """Nothing where no algorithm logs it."""
        if data.rows:
            yield Lines(data.sentences)
            rows = [
                [
                    each.environment,
                    label(suite, each.algorithm),
                    interval_text(each.association),
                    str(each.association.n),
                ]
                for each in data.rows
            ]
            yield grid("does relaxation follow advantage or noise?", HEADER, rows)
            yield Lines((FOLLOWS,), "note")

    def put(self, plain: dict[str, Any], data: Any) -> None:
        """Into the object of the mechanism."""
        if data is not None:
            plain["mechanism"] |= {"relaxation": data["rows"], "relaxation_sentences": data["sentences"]}
