"""The jobs that the tables count and cannot show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

from gtr_bench.report.absences import Absence, absences_of
from gtr_bench.report.blocks import Block, Heading, Lines, grid
from gtr_bench.report.collect import SuiteRecords
from gtr_bench.report.model import SuiteReport
from gtr_bench.report.scores import Scores
from gtr_bench.report.sections.base import Asked, Section
from gtr_bench.report.text import label, ranges
from gtr_bench.wording import counted

__all__ = ["AbsencesSection"]

TITLE = "Failed, missing and diverged jobs"
MOST_ROWS = 6
"""of the short report"""
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
            yield Heading(2, TITLE)
            yield grid("", HEADER, [_row(suite, each) for each in data])

    def brief(self, suite: SuiteReport, data: Sequence[Absence]) -> Iterator[Block]:
        """The first rows of them."""
        if data:
            left = len(data) - MOST_ROWS
            yield Heading(2, TITLE)
            rows = [_row(suite, _briefly(each)) for each in data[:MOST_ROWS]]
            yield grid("", HEADER, rows, optional=("role", "reason", "seeds"))
            if left > 0:
                yield Lines((f"{counted(left, 'row')} more with `--full`",))


def _briefly(absence: Absence) -> Absence:
    """Without a failure's message, which `gtr-bench logs` shows."""
    return replace(absence, reason=absence.reason.partition(":")[0]) if absence.state == "failed" else absence


def _row(suite: SuiteReport, absence: Absence) -> list[str]:
    return [
        *(absence.environment, label(suite, absence.algorithm), absence.role, absence.state, str(len(absence.jobs))),
        ranges(absence.seeds),
        absence.reason,
    ]
