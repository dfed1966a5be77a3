"""One self-contained HTML page from blocks and charts: no network, phone and dark mode, everything escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files

from gtr_bench.report.blocks import Block
from gtr_bench.report.figures import embed as figures
from gtr_bench.report.page_body import body

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
        charts_heading: what stands above them, if anything; parts whose heading has `lead` stay above it.
    """
    style, script = (files("gtr_bench.report").joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    programs = [script]
    if charts and any(charts.values()):
        style += figures.style()
        programs += figures.scripts()
    allowed = " ".join(map(_digest, programs))
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src {allowed}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n'
        + body(content, charts or {}, charts_heading)
        + "".join(f"\n<script>{program}</script>" for program in programs)
        + "\n</body>\n</html>\n"
    )


def _digest(script: str) -> str:
    """What the page's policy knows an inline script by: no other runs."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
