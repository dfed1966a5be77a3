"""Whose reference runs a metric's values are measured against, in words."""

from __future__ import annotations

from collections.abc import Iterable

from gtr_bench.metrics.run import Metric
from gtr_bench.report.collect import Record
from gtr_bench.report.scores import Scores
from gtr_bench.suite.bars import BEST, OWN

__all__ = ["bar_of", "bar_sentence"]


def bar_of(records: Iterable[Record], metric: type[Metric], scores: Scores) -> str:
    """The suite's `reference` where the metric of a finished record reads a reference run, empty where none does."""
    finished = (record for record in records if record.summary)
    return scores.reference if any(any(scores.references_of(each, metric).values()) for each in finished) else ""


def bar_sentence(reference: str) -> str:
    """What stands under a table; `reference` is a label, `best` or `own`."""
    if reference == OWN:
        return "reference runs: each algorithm's own, so values of different algorithms are measured by different bars"
    if reference == BEST:
        return "reference runs: in each phase those of the algorithm with the highest final level, for all algorithms"
    return f"reference runs: those of `{reference}`, for all algorithms"
