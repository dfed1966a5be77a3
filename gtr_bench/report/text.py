"""How numbers and sentences of a report read, the same in every format."""

from __future__ import annotations

import math

from gtr_bench.report.model import Aggregate, Cell, MetricTable, Provenance, Report, SuiteReport
from gtr_bench.schedule.wording import counted

__all__ = [
    "AGGREGATE_HEADER",
    "RECONSTRUCTION",
    "RECONSTRUCTION_MARK",
    "SMOKE",
    "aggregate_row",
    "cell_row",
    "header",
    "label",
    "number",
    "provenance_lines",
    "suite_lines",
    "table_lines",
    "table_title",
]

RECONSTRUCTION = "this project's reconstruction"
RECONSTRUCTION_MARK = "†"
SMOKE = "smoke scale: no claim"
ABSENT = "-"

AGGREGATE_HEADER = ("algorithm", "mean [95% interval]", "median", "IQM", "environments", "n")

_COUNTS = ("diverged", "undefined", "failed", "missing", "censored")


def number(value: float) -> str:
    """Four significant digits, thousands separated, no exponent before a million."""
    if value == 0:
        return "0"
    digits = 3 - math.floor(math.log10(abs(value)))
    rounded = round(value, digits)
    if abs(rounded) >= 1e6 or abs(rounded) < 1e-4:
        return f"{value:.3e}"
    return f"{rounded:,.{max(0, 3 - math.floor(math.log10(abs(rounded))))}f}"


def _interval(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return ABSENT
    return number(value) if low is None or high is None else f"{number(value)} [{number(low)}, {number(high)}]"


def label(suite: SuiteReport, algorithm: str) -> str:
    """The algorithm's label, marked where its form is this project's reconstruction."""
    return f"{algorithm} {RECONSTRUCTION_MARK}" if algorithm in suite.reconstructions else algorithm


def table_title(table: MetricTable) -> str:
    """The metric, whether it is the suite's primary one, and which way is better."""
    better = "" if table.direction == "neutral" else f", {table.direction} is better"
    return f"{table.metric} ({'primary metric' if table.primary else 'metric'}{better})"


def _counts(table: MetricTable) -> list[str]:
    """Counts worth a column: those that are not zero everywhere; diverged, failed and missing always have theirs."""
    always = {"diverged", "failed", "missing"}
    return [name for name in _COUNTS if name in always or any(getattr(cell, name) for cell in table.cells)]


def header(suite: SuiteReport, table: MetricTable) -> list[str]:
    """Column names of a metric's table."""
    names = ["environment", "algorithm", "mean [95% interval]", "n", *_counts(table)]
    return [*names, f"minus {suite.baseline}, paired"] if suite.baseline else names


def cell_row(suite: SuiteReport, table: MetricTable, cell: Cell) -> list[str]:
    """The texts of one row, in the order of `header`."""
    row = [cell.sequence, label(suite, cell.algorithm), _interval(cell.value, cell.low, cell.high), str(cell.n)]
    row += [str(getattr(cell, name)) for name in _counts(table)]
    if suite.baseline:
        difference = cell.difference
        row.append(
            f"{_interval(difference.value, difference.low, difference.high)}, n = {difference.n}"
            if difference
            else ABSENT
        )
    return row


def aggregate_row(suite: SuiteReport, row: Aggregate) -> list[str]:
    """The texts of one aggregate, in the order of `AGGREGATE_HEADER`."""
    numbers = [
        _interval(each.value, each.low, each.high) if each else ABSENT for each in (row.mean, row.median, row.iqm)
    ]
    return [label(suite, row.algorithm), *numbers, str(row.environments), str(row.n)]


def table_lines(table: MetricTable) -> list[str]:
    """What stands under a metric's table."""
    return [f"{table.metric}: {table.definition}", *table.notes]


def suite_lines(suite: SuiteReport) -> list[str]:
    """What stands over a suite's tables, the warnings first."""
    lines = [SMOKE] if suite.smoke else []
    lines += [suite.question] if suite.question else []
    lines.append("jobs: " + ", ".join(f"{count} {state}" for state, count in suite.jobs.items()))
    lines += suite.notes
    if suite.reconstructions:
        lines.append(f"{RECONSTRUCTION_MARK} gtr is {RECONSTRUCTION} of the published method")
    return lines


def provenance_lines(report: Report) -> list[str]:
    """The footer: how the numbers were made, and what made them."""
    source: Provenance = report.provenance
    made = [
        f"{counted(source.jobs, 'finished job')} (sha256 of their ids {source.jobs_digest})",
        *(
            f"{name} {', '.join(values)}"
            for name, values in (
                ("gtr-bench", source.gtr_bench),
                ("git", source.git),
                ("packages", source.packages_digests),
                ("device", source.devices),
            )
            if values
        ),
        f"reported by gtr-bench {source.reported_by}",
    ]
    return [report.method, "; ".join(made)]
