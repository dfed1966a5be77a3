"""The published numbers as entries, an environment each, and as one table that may be narrowed to some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gtr_bench.catalogue.entry import Entry
from gtr_bench.errors import UnknownNameError
from gtr_bench.published.rows import Row, about, environments, published_rows, value_text
from gtr_bench.report.blocks import NUMERIC, Grid, grid
from gtr_bench.wording import counted

__all__ = ["entry", "listing", "names"]

HEADER = ("environment", "algorithm", "metric", "value ± spread (kind)", "seeds", "budget", "source")


def names() -> list[str]:
    """The published environments, file by file."""
    return environments()


def entry(name: str) -> Entry:
    """One environment with its rows.

    Raises:
        UnknownNameError: nobody published a number on it.
    """
    if name not in environments():
        raise UnknownNameError("published environment", name, environments())
    rows = [row for row in published_rows() if row.environment == name]
    return Entry(
        name=name,
        meaning=f"{counted(len(rows), 'published number')} ({rows[0].domain})",
        package="gtr-bench",
        facts={"domain": rows[0].domain},
        tables={
            "numbers": [
                {
                    "algorithm": row.algorithm,
                    "metric": row.metric,
                    "value": value_text(row),
                    "seeds": row.seeds,
                    "budget_steps": row.budget_steps,
                    "source": f"{row.source} ({row.year})",
                    "note": row.note,
                }
                for row in rows
            ]
        },
    )


def listing(environment: str | None) -> tuple[Grid, list[dict[str, Any]]]:
    """All rows, or those of the environments that are called so: as a table, and as data.

    Raises:
        UnknownNameError: nobody published a number on such an environment.
    """
    rows: Sequence[Row] = published_rows() if environment is None else about(environment)
    table = grid("", HEADER, [_cells(row) for row in rows], numeric=NUMERIC | {"seeds", "budget"})
    return table, [asdict(row) for row in rows]


def _cells(row: Row) -> list[str]:
    seeds, budget = ("-" if count is None else f"{count:,}" for count in (row.seeds, row.budget_steps))
    return [row.environment, row.algorithm, row.metric, value_text(row), seeds, budget, f"{row.source} ({row.year})"]
