"""How the values of a tuned suite were chosen, and whether they still are those."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from gtr_bench.report.blocks import NUMERIC, Block, Heading, Lines, grid
from gtr_bench.report.collect import SuiteRecords
from gtr_bench.report.model import SuiteReport
from gtr_bench.report.scores import Scores
from gtr_bench.report.sections.base import Asked, Section
from gtr_bench.report.text import ABSENT, label, number
from gtr_bench.report.tuning import NOT_SHOWN, TunedAlgorithm, TuningRecord, tuning_of

__all__ = ["TuningSection"]

HEADER = ("algorithm", "chosen values", "among", "trials", "score", "score of the suite's values", "note")
NUMBERS = NUMERIC | {"trials", "score", "score of the suite's values"}


class TuningSection(Section):
    """A row per algorithm of a suite that `gtr-bench tune` wrote."""

    name: ClassVar[str] = "tuning"

    def applies(self, found: SuiteRecords) -> bool:
        """Where the suite's file has a table `[tuned]`."""
        return found.suite is not None and found.suite.tuned is not None

    def compute(self, found: SuiteRecords, scores: Scores, asked: Asked) -> TuningRecord | None:
        """Of all environments, whichever are shown."""
        return tuning_of(found.suite, found.records)

    def blocks(self, suite: SuiteReport, data: TuningRecord) -> Iterator[Block]:
        """The values; the sentence and its marks stand over all tables (`build.py`)."""
        yield Heading(2, "Tuning")
        yield grid("", HEADER, [_row(suite, each) for each in data.algorithms], numeric=NUMBERS)
        yield Lines((f"tuned until {data.finished} by gtr-bench {data.gtr_bench}: {data.command}",), "note")

    def put(self, plain: dict[str, Any], data: Any) -> None:
        """Only where there is something."""
        if data is not None:
            plain[self.name] = data


def _row(suite: SuiteReport, each: TunedAlgorithm) -> list[str]:
    ill = [f"{count} jobs {state}" for state, count in (("diverged", each.diverged), ("failed", each.failed)) if count]
    notes = [*([each.mark] if each.mark else []), *([] if each.shown else [NOT_SHOWN]), *ill]
    return [
        label(suite, each.algorithm),
        ", ".join(f"{name} = {_value(value)}" for name, value in each.values.items()) or ABSENT,
        ", ".join(f"{name} {text}" for name, text in each.ranges.items()) or ABSENT,
        str(each.trials),
        ABSENT if each.score is None else number(each.score),
        ABSENT if each.suite_score is None else number(each.suite_score),
        "; ".join(notes) or ABSENT,
    ]


def _value(value: bool | int | float | str) -> str:
    """As a suite writes it."""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
