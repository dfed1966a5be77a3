"""A report as the output of a notebook's cell: what the page has without its style sheet, script and charts."""

from __future__ import annotations

from html import escape

from gtr_bench.report.blocks import Block, Entry, Grid, Heading, Pictures
from gtr_bench.report.layout import blocks
from gtr_bench.report.model import Report

__all__ = ["render_notebook"]

_FLUSH = {True: "right", False: "left"}


def render_notebook(report: Report) -> str:
    """An HTML fragment without scripts, all of it escaped; long tables are folded. Notebooks style its tables."""
    return "<div>\n" + "\n".join(filter(None, map(_block, blocks(report)))) + "\n</div>"


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        # A cell's own heading is above: the suite is no title of the document.
        return f"<h{block.level + 2}>{escape(block.text)}</h{block.level + 2}>"
    if isinstance(block, Grid):
        return _table(block)
    if isinstance(block, Pictures):  # a page alone has them
        return ""
    tag = {"warning": "strong", "note": "small", "footer": "small"}.get(block.kind, "span")
    return "\n".join(f"<p><{tag}>{escape(line)}</{tag}></p>" for line in block.texts)


def _table(grid: Grid) -> str:
    heads = "".join(f'<th style="{_aligned(grid, name)}">{escape(name)}</th>' for name in grid.names)
    rows = "\n".join(
        "<tr>"
        + "".join(
            f'<td style="{_aligned(grid, name)}">{_entry(each)}</td>'
            for name, each in zip(grid.names, row, strict=True)
        )
        + "</tr>"
        for row in grid.rows
    )
    table = f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
    title = escape(grid.title)
    if grid.detail:
        return f"<details><summary>{title}</summary>\n{table}\n</details>"
    return f"<p><b>{title}</b></p>\n{table}" if title else table


def _aligned(grid: Grid, name: str) -> str:
    return f"text-align: {_FLUSH[name in grid.numeric]}"


def _entry(entry: Entry) -> str:
    return f"<b>{escape(entry.text)}</b>" if entry.bold else escape(entry.text)
