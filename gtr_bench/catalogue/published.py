"""The published numbers as entries, an environment each, and as one table that may be narrowed to some of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gtr_bench.catalogue.entry import Entry
from gtr_bench.published import rows
from gtr_bench.published.rows import (
    Row,
    about,
    environments,
    marks_of,
    published_rows,
    source_text,
    unknown,
    value_text,
)
from gtr_bench.report.blocks import NUMERIC, Block, Lines, grid
from gtr_bench.wording import counted

__all__ = ["entry", "listing", "names"]

HEADER = ("environment", "algorithm", "metric", "value ± spread (kind)", "seeds", "budget", "source")


def names() -> list[str]:
    """The published environments, file by file; none where the rows are not installed, as with the shipped suites."""
    return environments() if rows.FOLDER.is_dir() else []


def entry(name: str) -> Entry:
    """One environment with its rows.

    Raises:
        RequestError: nobody published a number on it.
    """
    if name not in environments():
        raise unknown(name)
    found = [row for row in published_rows() if row.environment == name]
    return Entry(
        name=name,
        meaning=f"{counted(len(found), 'published number')} ({found[0].domain})",
        package="gtr-bench",
        facts={"domain": found[0].domain},
        tables={
            "numbers": [
                {
                    "algorithm": row.algorithm,
                    "metric": row.metric,
                    "value": value_text(row),
                    "seeds": row.seeds,
                    "budget_steps": row.budget_steps,
                    "source": source_text(row),
                    "note": row.note,
                }
                for row in found
            ]
        },
    )


def listing(environment: str | None) -> tuple[list[Block], list[dict[str, Any]]]:
    """All rows, or those of the environments that are called so: a table with its sources below, and as data.

    Raises:
        RequestError: nobody published a number on such an environment.
    """
    found: Sequence[Row] = published_rows() if environment is None else about(environment)
    marks = marks_of(found)
    table = grid("", HEADER, [_cells(row, marks) for row in found], numeric=NUMERIC | {"seeds", "budget"})
    sources = Lines(tuple(f"{mark} {source}" for source, mark in marks.items()), "note")
    return [table, sources], [asdict(row) for row in found]


def _cells(row: Row, marks: Mapping[str, str]) -> list[str]:
    seeds, budget = ("-" if count is None else f"{count:,}" for count in (row.seeds, row.budget_steps))
    return [row.environment, row.algorithm, row.metric, value_text(row), seeds, budget, marks[source_text(row)]]
