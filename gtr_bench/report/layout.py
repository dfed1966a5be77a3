"""A report as headings, lines and tables: what the terminal, markdown and LaTeX all show, in the same order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gtr_bench.report import text
from gtr_bench.report.model import Mechanism, MetricTable, Report, SuiteReport

__all__ = ["Block", "Entry", "Grid", "Heading", "Lines", "blocks"]


@dataclass(frozen=True)
class Heading:
    """A suite (level 1) or one of its parts (level 2)."""

    level: Literal[1, 2]
    text: str


@dataclass(frozen=True)
class Lines:
    """Sentences. `warning`: a reader must not miss them; `note`: they explain a table; `footer`: the last of all."""

    texts: tuple[str, ...]
    kind: Literal["plain", "warning", "note", "footer"] = "plain"


@dataclass(frozen=True)
class Entry:
    """One place of a table."""

    text: str
    bold: bool = False


@dataclass(frozen=True)
class Grid:
    """A table; every row has as many entries as `names`. `detail`: too long for a terminal."""

    title: str
    names: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]
    detail: bool = False


Block: TypeAlias = Heading | Lines | Grid


def blocks(report: Report) -> Iterator[Block]:
    """Everything a report shows, from first to last."""
    for suite in report.suites:
        yield Heading(1, f"{suite.suite}, scale {suite.scale}")
        if suite.smoke:
            yield Lines((text.SMOKE,), "warning")
        yield Lines(tuple(text.suite_lines(suite)))
        yield from _claims(suite)
        for table in suite.tables:
            yield from _table(suite, table)
        if suite.mechanism is not None:
            yield from _mechanism(suite, suite.mechanism)
        yield from _absences(suite)
    yield Lines(tuple(text.provenance_lines(report)), "footer")


def _grid(title: str, names: Sequence[str], rows: Sequence[Sequence[str]], *, detail: bool = False) -> Grid:
    return Grid(title, tuple(names), tuple(tuple(Entry(each) for each in row) for row in rows), detail)


def _claims(suite: SuiteReport) -> Iterator[Block]:
    if suite.claims:
        yield Heading(2, "Claims" + (f" ({text.SMOKE})" if suite.smoke else ""))
        yield _grid("", text.CLAIM_HEADER, [text.claim_row(suite, claim) for claim in suite.claims])
        yield Lines(tuple(text.claim_lines(suite)), "note")


def _table(suite: SuiteReport, table: MetricTable) -> Iterator[Block]:
    yield Heading(2, text.table_title(table))
    rows = []
    for cell in table.cells:
        row = [Entry(each) for each in text.cell_row(suite, table, cell)]
        row[text.VALUE_COLUMN] = Entry(row[text.VALUE_COLUMN].text, cell.best)
        rows.append(tuple(row))
    yield Grid("", tuple(text.header(suite, table)), tuple(rows))
    if table.aggregates:
        over = [text.aggregate_row(suite, table, each) for each in table.aggregates]
        yield _grid(f"{table.metric} over all environments", text.aggregate_header(suite, table), over)
    if table.profiles:
        shares = [text.profile_row(suite, each) for each in table.profiles]
        yield _grid(f"{table.metric}: performance profile", text.profile_header(table), shares, detail=True)
    yield Lines(tuple(text.table_lines(table)), "note")


def _mechanism(suite: SuiteReport, found: Mechanism) -> Iterator[Block]:
    yield Heading(2, "Mechanism: what the policy does around shifts")
    if found.sentences:
        yield Lines(tuple(found.sentences))
    if found.rows:
        yield _grid(
            "path_efficiency before and after shifts", text.mechanism_header(suite), text.mechanism_rows(suite, found)
        )
        every = [text.diagnostic_row(suite, row) for row in found.rows]
        yield _grid("diagnostics before and after shifts", text.diagnostic_header(suite), every, detail=True)
    if found.relaxation:
        yield Lines(found.relaxation_sentences)
        followed = [text.relaxation_row(suite, row) for row in found.relaxation]
        yield _grid("does relaxation follow advantage or noise?", text.RELAXATION_HEADER, followed)
    yield Lines(tuple(text.mechanism_lines(found)), "note")


def _absences(suite: SuiteReport) -> Iterator[Block]:
    if suite.missing:
        yield Heading(2, "Failed, missing and diverged jobs")
        yield _grid("", text.ABSENCE_HEADER, [text.absence_row(suite, each) for each in suite.missing])
