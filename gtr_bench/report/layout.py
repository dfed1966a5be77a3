"""A report as blocks, from first to last: what markdown, HTML, LaTeX and `--full` show, and the short report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from gtr_bench.report import text
from gtr_bench.report.blocks import Block, Heading, Lines
from gtr_bench.report.headline import headline
from gtr_bench.report.model import Report, SuiteReport
from gtr_bench.report.next import CommandLine, next_lines
from gtr_bench.report.sections.registry import section

__all__ = ["blocks", "brief_blocks", "each_note_once"]


def blocks(report: Report) -> Iterator[Block]:
    """Everything a report shows, from first to last."""
    for suite in report.suites:
        yield Heading(1, f"{suite.suite}, scale {suite.scale}")
        if suite.question:
            yield Lines((suite.question,))
        yield Lines((headline(suite),), "headline")
        if suite.smoke:
            yield Lines((text.SMOKE,), "warning")
        yield Lines(tuple(text.state_lines(suite)))
        yield from _sections(suite)
    yield Lines(tuple(text.provenance_lines(report)), "footer")


def brief_blocks(report: Report, asked: CommandLine) -> Iterator[Block]:
    """What somebody wants to know first: claims, the primary metric, what is missing, and the command to type next."""
    for suite in report.suites:
        yield Heading(1, f"{suite.suite}, scale {suite.scale}" + (f" ({text.SMOKE})" if suite.smoke else ""))
        states = [f"{count} {state}" for state, count in suite.jobs.items() if count]
        question = [suite.question] if suite.question else []
        told = suite.brief.notes if suite.brief else suite.notes
        yield Lines((*question, f"jobs: {', '.join(states)}", *told))
        notes = [*text.mark_lines(suite)]
        for name, data in suite.sections.items():
            for block in section(name).brief(suite, data) if data is not None else ():
                if isinstance(block, Lines) and block.kind == "note":
                    notes += block.texts
                else:
                    yield block
        yield Lines(tuple(notes), "note")
        yield Lines(next_lines(suite, asked), "command")


def each_note_once(content: Iterable[Block]) -> Iterator[Block]:
    """The blocks without what a note above has said already."""
    said: set[str] = set()
    for block in content:
        if isinstance(block, Lines) and block.kind == "note":
            new = tuple(line for line in dict.fromkeys(block.texts) if line not in said)
            said.update(new)
            block = replace(block, texts=new)
        if not isinstance(block, Lines) or block.texts:
            yield block


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
