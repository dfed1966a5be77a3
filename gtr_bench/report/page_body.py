"""The body of an HTML page: headings with their contents, sentences, tables, pictures of worlds, finished charts."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from gtr_bench.report.blocks import Block, Entry, Grid, Heading, Lines, Pictures
from gtr_bench.report.model import Picture

__all__ = ["body"]

LONG = 40
"""Characters of a table's entry that is set in several lines."""
MOST_NOTES = 6
"""Sentences below a table that are shown at once; more are folded."""
FEWEST_PARTS = 4
"""Parts of a page that has a line of contents."""

FEW_PICTURES = 2
"""Pictures that stand beside the text where there is room."""


def body(content: Iterable[Block], charts: Mapping[str, Sequence[str]], charts_heading: str) -> str:
    """All of it but scripts; arguments as of `page.render_page`."""
    return "\n".join(_Body(charts, charts_heading).parts(list(content)))


class _Body:
    """Puts charts where they belong and remembers the headings for the contents."""

    def __init__(self, charts: Mapping[str, Sequence[str]], charts_heading: str) -> None:
        self._charts = charts
        self._charts_heading = charts_heading
        self._waiting: list[str] = []
        self._headings: list[Heading] = []

    def parts(self, content: Sequence[Block]) -> list[str]:
        """Element by element; the contents stand above the first part, so below the answer."""
        parts: list[str] = []
        contents_at: int | None = None
        for block in content:
            if isinstance(block, Heading) and block.level == 2 and contents_at is None:
                contents_at = len(parts)
            parts += self._elements(block)
        parts += self._flushed()
        if contents_at is not None:
            parts[contents_at:contents_at] = _contents(self._headings)
        return parts

    def _elements(self, block: Block) -> Iterator[str]:
        if isinstance(block, Heading):
            if block.level == 1 or not block.lead:
                yield from self._flushed()
            yield self._heading(block)
            if block.level == 1:
                self._waiting = list(self._charts.get(block.text, ()))
        elif isinstance(block, Lines):
            if block.kind == "footer":
                yield from self._flushed()
            yield _lines(block)
        elif isinstance(block, Pictures):
            yield _pictures(block.pictures)
        else:
            yield _table(block)

    def _flushed(self) -> list[str]:
        """The charts that wait for the end of the parts that come before them."""
        waiting, self._waiting = self._waiting, []
        if not waiting or not self._charts_heading:
            return waiting
        return [self._heading(Heading(2, self._charts_heading)), *waiting]

    def _heading(self, heading: Heading) -> str:
        self._headings.append(heading)
        return f'<h{heading.level} id="part-{len(self._headings)}">{escape(heading.text)}</h{heading.level}>'


def _contents(headings: Sequence[Heading]) -> list[str]:
    """Links to the parts, suite by suite where there are several; nothing on a short page."""
    if sum(heading.level == 2 for heading in headings) < FEWEST_PARTS:
        return []
    several = sum(heading.level == 1 for heading in headings) > 1
    shown = [
        f'<li{" class=suite" if heading.level == 1 else ""}><a href="#part-{number}">{escape(heading.text)}</a></li>'
        for number, heading in enumerate(headings, 1)
        if several or heading.level == 2
    ]
    return [f'<nav aria-label="contents"><ul>{"".join(shown)}</ul></nav>']


def _lines(block: Lines) -> str:
    lines = "\n".join(f'<p class="{block.kind}">{_text(line)}</p>' for line in block.texts)
    if block.kind == "footer":
        return f"<footer>\n{lines}\n</footer>"
    if block.kind == "note" and len(block.texts) > MOST_NOTES:
        return f"<details><summary>{len(block.texts)} notes</summary>\n{lines}\n</details>"
    return lines


def _text(line: str) -> str:
    """A sentence whose backticks are code, as they are everywhere else that people read."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(line))


def _pictures(pictures: Sequence[Picture]) -> str:
    """Those that there are side by side, then why others are missing."""
    shown = "".join(f"<li>{_picture(each)}</li>" for each in pictures if each.png is not None)
    missing = "\n".join(
        f'<p class="note">no picture of {escape(each.environment)}: {escape(each.why)}</p>'
        for each in pictures
        if each.png is None
    )
    count = sum(each.png is not None for each in pictures)
    few = f' few" style="--count:{count}' if count <= FEW_PICTURES else ""
    return (f'<ul class="worlds{few}">{shown}</ul>\n' if shown else "") + missing


def _picture(picture: Picture) -> str:
    assert picture.png is not None
    width, height = (int.from_bytes(picture.png[at : at + 4]) for at in (16, 20))  # of a PNG's first chunk
    name = escape(picture.environment)
    return (
        f'<img src="data:image/png;base64,{base64.b64encode(picture.png).decode()}" width="{width}" height="{height}" '
        f'loading="lazy" alt="{name}, under random actions"><span>{name}<br>'
        f'<span class="note">{escape(", ".join(picture.sequences))}</span></span>'
    )


def _table(grid: Grid) -> str:
    key = _key(grid)
    heads = "".join(
        f'<th scope="col"{_classes(grid, name, key)}><button type="button">{escape(name)}</button></th>'
        for name in grid.names
    )
    rows = "\n".join(
        "<tr>" + "".join(_cell(grid, name, entry, key) for name, entry in zip(grid.names, row, strict=True)) + "</tr>"
        for row in grid.rows
    )
    caption = f"<caption>{escape(grid.title)}</caption>" if grid.title and not grid.detail else ""
    table = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(grid.title or "table")}"><table>{caption}'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )
    return f"<details><summary>{escape(grid.title)}</summary>{table}</details>" if grid.detail else table


def _key(grid: Grid) -> str:
    """The column that stays in sight while the others scroll: the one that tells rows apart."""
    return "algorithm" if "algorithm" in grid.names else grid.names[0]


def _cell(grid: Grid, name: str, entry: Entry, key: str) -> str:
    text = entry.text
    shown = escape(text)
    if name == key:
        # Where a long name may be broken on a narrow screen.
        shown = re.sub("[_,]", r"\g<0><wbr>", shown)
    if entry.bold:
        shown = f"<strong>{shown}</strong>"
    classes = _classes(grid, name, key, "long" if name == key and len(text) > LONG else "")
    classes = classes or (' class="wide"' if len(text) > LONG else "")
    if name == "verdict":
        classes = f' class="verdict {escape(text.split()[0].rstrip(":"))}"'
    return f"<td{classes}>{shown}</td>"


def _classes(grid: Grid, name: str, key: str, further: str = "") -> str:
    found = ["n"] * (name in grid.numeric) + ["key"] * (name == key) + [further] * bool(further)
    return f' class="{" ".join(found)}"' if found else ""
