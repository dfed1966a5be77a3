"""What a report shows, as headings, lines and tables: every format renders these and knows nothing else."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from gtr_bench.report.model import Picture

__all__ = ["NUMERIC", "Block", "Entry", "Grid", "Heading", "Lines", "Pictures", "grid"]

NUMERIC = frozenset(
    {"diverged", "undefined", "failed", "missing", "censored"}
    | {"n", "environments", "p", "p (Holm)", "seeds needed", "jobs"}
)
"""Columns that many tables have and whose entries are numbers alone."""


@dataclass(frozen=True)
class Heading:
    """A suite (level 1) or one of its parts (level 2); `lead`: a page shows the part above its charts."""

    level: Literal[1, 2]
    text: str
    lead: bool = False


@dataclass(frozen=True)
class Lines:
    """Sentences. `warning`: a reader must not miss them; `note`: they explain a table; `footer`: the last of all.

    `headline`: the answer to the suite's question, in large letters where there are any.
    `last`: a note on what was left out, after those of the sections that complete this one. `command`: each ends with
    one to be copied, so that no line is broken.
    """

    texts: tuple[str, ...]
    kind: Literal["plain", "headline", "warning", "note", "footer", "command"] = "plain"
    last: bool = False


@dataclass(frozen=True)
class Entry:
    """One place of a table."""

    text: str
    bold: bool = False


@dataclass(frozen=True)
class Grid:
    """A table; every row has as many entries as `names`. `detail`: too long for a terminal.

    `numeric`: the names of columns whose entries are numbers alone, set flush right. `optional`: columns that a
    terminal too narrow for all leaves out, the first of them first.
    """

    title: str
    names: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]
    detail: bool = False
    numeric: frozenset[str] = NUMERIC
    optional: tuple[str, ...] = ()

    def without(self, names: Collection[str]) -> Grid:
        """The table without some of its columns."""
        kept = [place for place, name in enumerate(self.names) if name not in names]
        rows = tuple(tuple(row[place] for place in kept) for row in self.rows)
        return replace(self, names=tuple(self.names[place] for place in kept), rows=rows)


@dataclass(frozen=True)
class Pictures:
    """Worlds side by side, for pages alone; those that could not be drawn are named with why not."""

    pictures: tuple[Picture, ...]


Block: TypeAlias = Heading | Lines | Grid | Pictures


def grid(
    title: str,
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    detail: bool = False,
    numeric: frozenset[str] = NUMERIC,
    optional: tuple[str, ...] = (),
) -> Grid:
    """A table of plain texts."""
    entries = tuple(tuple(Entry(each) for each in row) for row in rows)
    return Grid(title, tuple(names), entries, detail, numeric, optional)
