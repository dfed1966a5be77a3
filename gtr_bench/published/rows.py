"""The published rows, from `published/*.csv` beside the shipped suites: a row is a number read in the named source."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gtr_bench.errors import RequestError
from gtr_bench.suite.load import SHIPPED

__all__ = [
    "FOLDER",
    "Row",
    "about",
    "environments",
    "marks_of",
    "published_rows",
    "source_text",
    "unknown",
    "value_text",
]

FOLDER = SHIPPED / "published"


@dataclass(frozen=True, slots=True)
class Row:
    """One published number.

    Attributes:
        source: who published it, and where it was read.
        year: of the source.
        domain: its field, such as `procgen`.
        environment: as the source calls it, with what makes it another one.
        algorithm: as the source calls it.
        metric: what the number is, in words.
        value: in the metric's unit.
        decimals: how many digits behind the point the source gives.
        spread: a number, or `[low; high]`; empty where the source gives none.
        spread_kind: what the spread is.
        seeds: runs behind the number; None where the source does not say.
        budget_steps: agent-environment interactions; None where the source does not say.
        note: what else a reader must know.
    """

    source: str
    year: int
    domain: str
    environment: str
    algorithm: str
    metric: str
    value: float
    decimals: int
    spread: str
    spread_kind: str
    seeds: int | None
    budget_steps: int | None
    note: str


def published_rows() -> tuple[Row, ...]:
    """All of them, file by file.

    Raises:
        RequestError: the folder of the shipped suites is not there.
    """
    return _rows_in(FOLDER)


@cache
def _rows_in(folder: Path) -> tuple[Row, ...]:
    files = sorted(folder.glob("*.csv"))
    if not files:
        raise RequestError(
            "the published rows are not installed here", hint="they are in `suites/published` of a clone"
        )
    return tuple(row for file in files for row in _rows_of(file))


def _rows_of(file: Path) -> Iterable[Row]:
    """The rows of a file; lines that begin with `#` say how to read it."""
    lines = (line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    for each in csv.DictReader(lines):
        yield Row(
            source=each["source"],
            year=int(each["year"]),
            domain=each["domain"],
            environment=each["environment"],
            algorithm=each["algorithm"],
            metric=each["metric"],
            value=float(each["value"]),
            decimals=len(each["value"].partition(".")[2]),
            spread=each["spread"],
            spread_kind=each["spread_kind"],
            seeds=_count(each["seeds"]),
            budget_steps=_count(each["budget_steps"]),
            note=each["note"],
        )


def _count(text: str) -> int | None:
    return int(text) if text else None


def environments() -> list[str]:
    """The published environments, in the order of the rows; raises as `published_rows`."""
    return list(dict.fromkeys(row.environment for row in published_rows()))


def about(environment: str) -> list[Row]:
    """The rows of an environment, or of all whose names contain the text, such as `starpilot`.

    Raises:
        RequestError: no environment is called so, or as `published_rows`.
    """
    known = environments()
    meant = {environment} if environment in known else {name for name in known if environment.lower() in name.lower()}
    if not meant or not environment:
        raise unknown(environment)
    return [row for row in published_rows() if row.environment in meant]


def unknown(environment: str) -> RequestError:
    """What to say of an environment on which no number is published; the hundreds there are fill no hint."""
    known = environments()
    near = difflib.get_close_matches(environment, {*known, *(name.split()[0] for name in known)}, n=1)
    hint = f"did you mean `{near[0]}`?" if near else "`gtr-bench list published` has all"
    return RequestError(f"unknown published environment `{environment}`", hint=hint)


def marks_of(rows: Iterable[Row]) -> dict[str, str]:
    """Source and year of some rows -> `[1]`, `[2]`, in their order: what stands in a table in place of the source."""
    found = dict.fromkeys(source_text(row) for row in rows)
    return {source: f"[{number}]" for number, source in enumerate(found, 1)}


def source_text(row: Row) -> str:
    """The source with its year, which some name themselves."""
    return row.source if str(row.year) in row.source else f"{row.source}, {row.year}"


def value_text(row: Row) -> str:
    """`8.028 ± 0.667 (standard error)`, `0.0545 [0.0529; 0.0563] (90% bootstrap CI)`, or the value alone."""
    value = f"{row.value:,.{row.decimals}f}"
    if not row.spread:
        return value
    spread = row.spread if row.spread.startswith("[") else f"± {row.spread}"
    return f"{value} {spread} ({row.spread_kind})" if row.spread_kind else f"{value} {spread}"
