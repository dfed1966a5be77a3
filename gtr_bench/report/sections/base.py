"""A part of a suite's report: what it computes, and how it shows it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from gtr_bench.metrics.interval import Method
from gtr_bench.metrics.run import Metric
from gtr_bench.report.blocks import Block
from gtr_bench.report.collect import Record, SuiteRecords
from gtr_bench.report.iterations import Iterations
from gtr_bench.report.model import SuiteReport
from gtr_bench.report.scores import Scores
from gtr_bench.report.waves import Course

__all__ = ["Asked", "Section"]


@dataclass(frozen=True)
class Asked:
    """What the report on one suite is asked to show, the same for all of its sections.

    Attributes:
        metrics: name -> those shown; `primary` is the suite's own.
        algorithms: labels in the order they are shown.
        baseline: the label the others are compared with, None where there is nothing to compare.
        reconstructions: the labels whose form is this project's reconstruction.
        records: of the environments shown, references included.
        alpha: level of the tests.
        interval: how the intervals of means and differences are made.
        iterations: the jobs' diagnostics, with the columns that the sections name.
        course: what the waves came to, of a suite that gives its seeds in waves.
        brief: only the short report will be shown.
    """

    metrics: Mapping[str, type[Metric]]
    primary: str
    algorithms: Sequence[str]
    baseline: str | None
    reconstructions: Sequence[str]
    records: Sequence[Record]
    alpha: float
    interval: Method
    iterations: Iterations
    course: Course | None
    brief: bool = False

    @property
    def runs(self) -> list[Record]:
        """The records without references."""
        return [record for record in self.records if record.role == "run"]


class Section(ABC):
    """Base of all sections; third parties subclass it and register the class as an entry point.

    Attributes:
        name: the section's registered name, and the key of its data in JSON.
        within: the section that this one completes: it stands before that one's notes, without a heading of its own.
        diagnostics: what it reads, columns of `iterations.parquet`.
        columns: those of its rows in the CSV table, besides `suite`, `scale` and `smoke`.
        on_request: whether a report has it only where `build_report` is asked for it by name, as by `--published`.
    """

    name: ClassVar[str]
    within: ClassVar[str | None] = None
    diagnostics: ClassVar[tuple[str, ...]] = ()
    columns: ClassVar[tuple[str, ...]] = ()
    on_request: ClassVar[bool] = False

    def applies(self, found: SuiteRecords) -> bool:
        """Whether the results have what it needs; where they have not, its data is None and nothing is shown."""
        return True

    @abstractmethod
    def compute(self, found: SuiteRecords, scores: Scores, asked: Asked) -> Any:
        """Its numbers: dataclasses, mappings, tuples, texts and numbers, finite ones; None for nothing."""

    @abstractmethod
    def blocks(self, suite: SuiteReport, data: Any) -> Iterator[Block]:
        """What terminal, markdown, HTML and LaTeX show of data that is not None."""

    def brief(self, suite: SuiteReport, data: Any) -> Iterator[Block]:
        """What the short report on a terminal shows of data that is not None: nothing, unless it was asked for."""
        return self.blocks(suite, data) if self.on_request else iter(())

    def has_brief(self) -> bool:
        """Whether the short report may show something of it; where not, it is not computed for that one."""
        return self.on_request or type(self).brief is not Section.brief

    def rows(self, suite: SuiteReport, data: Any) -> Iterator[Mapping[str, Any]]:
        """Its rows of the CSV table, column -> value; a column that is not named stays empty."""
        return iter(())

    def put(self, plain: dict[str, Any], data: Any) -> None:
        """Put its data, as JSON has it, into the object of its suite."""
        plain[self.name] = data
