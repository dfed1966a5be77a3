"""The jobs that the tables count and cannot show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from gtr_bench.report.absences import Absence, absences_of
from gtr_bench.report.blocks import Block, Heading, grid
from gtr_bench.report.collect import SuiteRecords
from gtr_bench.report.model import SuiteReport
from gtr_bench.report.scores import Scores
from gtr_bench.report.sections.base import Asked, Section
from gtr_bench.report.text import label, ranges

__all__ = ["AbsencesSection"]

HEADER = ("environment", "algorithm", "role", "state", "jobs", "seeds", "reason")


class AbsencesSection(Section):
    """Failed, missing and diverged jobs, grouped by what became of them."""

    name: ClassVar[str] = "missing"

    def compute(self, found: SuiteRecords, scores: Scores, asked: Asked) -> tuple[Absence, ...]:
        """Of the environments shown, references included."""
        return absences_of(asked.records, scores)

    def blocks(self, suite: SuiteReport, data: Sequence[Absence]) -> Iterator[Block]:
        """Nothing where every job is complete."""
        if data:
            yield Heading(2, "Failed, missing and diverged jobs")
            yield grid("", HEADER, [_row(suite, each) for each in data])


def _row(suite: SuiteReport, absence: Absence) -> list[str]:
    return [
        *(absence.environment, label(suite, absence.algorithm), absence.role, absence.state, str(len(absence.jobs))),
        ranges(absence.seeds),
        absence.reason,
    ]
