"""A report as blocks, from first to last: what the terminal, markdown, HTML and LaTeX all show, in the same order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gtr_bench.report import text
from gtr_bench.report.blocks import Block, Heading, Lines
from gtr_bench.report.model import Report, SuiteReport
from gtr_bench.report.sections.registry import section

__all__ = ["blocks"]


def blocks(report: Report) -> Iterator[Block]:
    """Everything a report shows, from first to last."""
    for suite in report.suites:
        yield Heading(1, f"{suite.suite}, scale {suite.scale}")
        if suite.smoke:
            yield Lines((text.SMOKE,), "warning")
        yield Lines(tuple(text.suite_lines(suite)))
        yield from _sections(suite)
    yield Lines(tuple(text.provenance_lines(report)), "footer")


def _sections(suite: SuiteReport) -> Iterator[Block]:
    """Section by section; one that stands within another comes before that one's notes."""
    shown = {name: section(name) for name, data in suite.sections.items() if data is not None}
    content = {name: list(each.blocks(suite, suite.sections[name])) for name, each in shown.items()}
    for name, each in shown.items():
        if each.within not in shown:
            inner = [content[other] for other, part in shown.items() if part.within == name]
            yield from _joined([content[name], *inner])


def _joined(parts: Sequence[Sequence[Block]]) -> Iterator[Block]:
    """The parts one after the other, with the notes at their ends together at the end."""
    notes: list[Lines] = []
    for part in parts:
        end = len(part)
        while end and isinstance(block := part[end - 1], Lines) and block.kind == "note":
            end -= 1
        yield from part[:end]
        notes += [block for block in part[end:] if isinstance(block, Lines)]
    texts = tuple(line for note in sorted(notes, key=lambda each: each.last) for line in note.texts)
    if texts:
        yield Lines(texts, "note")
