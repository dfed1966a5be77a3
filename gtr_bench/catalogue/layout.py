"""The catalogue as headings, lines and tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydantic import JsonValue

from gtr_bench.catalogue.entry import Entry
from gtr_bench.catalogue.kinds import KINDS, Kind
from gtr_bench.catalogue.parameters import Parameter
from gtr_bench.report.blocks import Block, Grid, Heading, Lines
from gtr_bench.report.blocks import Entry as GridEntry

__all__ = ["entry_blocks", "kind_blocks", "list_blocks", "words"]

LONGEST_LINE = 40
"""names that are printed one under the other; more follow each other on a line"""


def kind_blocks() -> Iterator[Block]:
    """The kinds, how many entries each has, and what they are."""
    rows = [[kind.name, str(len(kind.names())), kind.meaning] for kind in KINDS.values()]
    yield _grid(["kind", "entries", "meaning"], rows)
    yield Lines(("`gtr-bench list KIND` lists one kind, `gtr-bench list KIND NAME` tells all about one of it",), "note")


def list_blocks(kind: Kind, entries: Sequence[Entry]) -> Iterator[Block]:
    """One line per entry; where others than gtr-bench registered some, whose each is."""
    if not entries:
        yield Lines((f"{kind.name}: none so far",))
        return
    versions = any(entry.version is not None for entry in entries)
    packages = len({entry.package for entry in entries}) > 1
    names = [
        "name", *(["version"] if versions else []), *(["package"] if packages else []),
        *(_words_of(column) for column in kind.columns), "meaning",
    ]  # fmt: skip
    rows = []
    for entry in entries:
        facts = [words(entry.facts.get(column)) for column in kind.columns]
        version = [words(entry.version)] if versions else []
        rows.append([entry.name, *version, *([entry.package] if packages else []), *facts, entry.meaning])
    yield _grid(names, rows)


def entry_blocks(kind: Kind, entry: Entry) -> Iterator[Block]:
    """All that is known of one entry."""
    of = ", ".join(
        [
            *([f"version {entry.version}"] if entry.version is not None else []),
            *([f"from {entry.package}"] if entry.package not in ("", "gtr-bench") else []),
        ]
    )
    yield Heading(1, f"{entry.name} ({kind.name}{', ' if of else ''}{of})")
    yield Lines((entry.meaning, *(" ".join(part.split()) for part in entry.text.split("\n\n") if part)))
    told = [f"{_words_of(key)}: {words(value)}" for key, value in entry.facts.items() if value not in (None, False, [])]
    if told:
        yield Lines(tuple(told))
    for title, parameters in (
        ("parameters", [each for each in entry.parameters if not each.shared]),
        (f"parameters all {kind.name} share", [each for each in entry.parameters if each.shared]),
    ):
        if parameters:
            yield Heading(2, title)
            yield _parameters(parameters)
    for title, rows in entry.tables.items():
        yield from _table(title, rows)


def _table(title: str, rows: Sequence[Mapping[str, JsonValue]]) -> Iterator[Block]:
    if not rows:
        return
    yield Heading(2, title)
    if len(rows[0]) == 1 and len(rows) > LONGEST_LINE:
        yield Lines((", ".join(words(value) for row in rows for value in row.values()),))
    else:
        used = [key for key in rows[0] if any(words(row[key]) != "-" for row in rows)]
        yield _grid([_words_of(key) for key in used], [[words(row[key]) for key in used] for row in rows])


def _parameters(parameters: Sequence[Parameter]) -> Grid:
    """A table without the columns that all leave empty."""
    names = ["key", "default", "values", "searched", "meaning", "source"]
    rows = [
        [each.name, each.default_text, each.values, each.search_text, each.meaning or "-", each.source or "-"]
        for each in parameters
    ]
    used = [place for place in range(len(names)) if place < 3 or any(row[place] != "-" for row in rows)]
    return _grid([names[place] for place in used], [[row[place] for place in used] for row in rows])


def _grid(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Grid:
    return Grid("", tuple(names), tuple(tuple(GridEntry(each) for each in row) for row in rows))


def _words_of(key: str) -> str:
    return key.replace("_", " ")


def words(value: JsonValue) -> str:
    """`yes`, `1,200`, `ppo, gtr`; `-` for nothing."""
    if value is None or value == [] or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, int) else f"{value:g}"
    if isinstance(value, list):
        return ", ".join(words(each) for each in value)
    return str(value)
