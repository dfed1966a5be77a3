"""One self-contained HTML page from blocks and charts: no network, phone and dark mode, everything escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files

from gtr_bench.report.blocks import Block, Entry, Grid, Heading, Lines
from gtr_bench.report.figures import embed as figures

__all__ = ["render_page"]


def render_page(
    title: str,
    content: Iterable[Block],
    charts: Mapping[str, Sequence[str]] | None = None,
    *,
    charts_heading: str = "Learning curves",
) -> str:
    """The page.

    Args:
        title: of the document.
        content: headings, lines and tables in their order.
        charts: text of a level-1 heading -> finished `<figure>` elements (`figures.embed`) shown under it.
        charts_heading: what stands above them; parts whose heading has `lead` stay above it.
    """
    style, script = (files("gtr_bench.report").joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    programs = [script]
    if charts and any(charts.values()):
        style += figures.style()
        programs += figures.scripts()
    allowed = " ".join(map(_digest, programs))
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src {allowed}"
    parts: list[str] = []
    waiting: list[str] = []
    for block in content:
        if isinstance(block, Heading) and block.level == 1:
            parts += [*waiting, f"<h1>{escape(block.text)}</h1>"]
            found = (charts or {}).get(block.text, ())
            waiting = [f"<h2>{escape(charts_heading)}</h2>", *found] if found else []
        elif isinstance(block, Heading):
            if not block.lead:
                parts += waiting
                waiting = []
            parts.append(f"<h2>{escape(block.text)}</h2>")
        elif isinstance(block, Lines):
            if block.kind == "footer":
                parts += waiting
                waiting = []
            parts.append(_lines(block))
        else:
            parts.append(_table(block))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n'
        + "\n".join([*parts, *waiting])
        + "".join(f"\n<script>{program}</script>" for program in programs)
        + "\n</body>\n</html>\n"
    )


def _digest(script: str) -> str:
    """What the page's policy knows an inline script by: no other runs."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _lines(block: Lines) -> str:
    lines = "\n".join(f'<p class="{block.kind}">{escape(line)}</p>' for line in block.texts)
    return f"<footer>\n{lines}\n</footer>" if block.kind == "footer" else lines


def _table(grid: Grid) -> str:
    heads = "".join(
        f'<th scope="col"{_number_class(grid, name)}><button type="button">{escape(name)}</button></th>'
        for name in grid.names
    )
    rows = "\n".join(
        "<tr>" + "".join(_cell(grid, name, entry) for name, entry in zip(grid.names, row, strict=True)) + "</tr>"
        for row in grid.rows
    )
    caption = f"<caption>{escape(grid.title)}</caption>" if grid.title and not grid.detail else ""
    table = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(grid.title or "table")}"><table>{caption}'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )
    return f"<details><summary>{escape(grid.title)}</summary>{table}</details>" if grid.detail else table


def _cell(grid: Grid, name: str, entry: Entry) -> str:
    text = entry.text
    shown = f"<strong>{escape(text)}</strong>" if entry.bold else escape(text)
    kind = _number_class(grid, name) or (' class="wide"' if len(text) > 60 else "")
    if name == "verdict":
        kind = f' class="verdict {escape(text.split()[0].rstrip(":"))}"'
    return f"<td{kind}>{shown}</td>"


def _number_class(grid: Grid, name: str) -> str:
    return ' class="n"' if name in grid.numeric else ""
