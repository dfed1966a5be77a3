r"""A report as LaTeX to `\input` into a paper: tables in booktabs style, sentences as paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gtr_bench.report.blocks import Entry, Grid, Heading, Lines, Pictures
from gtr_bench.report.layout import blocks
from gtr_bench.report.model import Report

__all__ = ["render_latex"]

_HEADINGS = {1: "section", 2: "subsection"}

# Long labels make tables wider than a page; only those are scaled, and to its width.
_SHRINK = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}"

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "`": r"\textasciigrave{}",
    # A bracket after a row's end or at the start of one would be read as an optional argument.
    "[": "{[}",
    "]": "{]}",
    "†": r"\textdagger{}",
    "‡": r"\textdaggerdbl{}",
    "±": r"\textpm{}",
}


def render_latex(report: Report) -> str:
    """The report as a fragment that needs `booktabs` and `graphicx`; everything that came from a file is escaped."""
    lines = [r"% \usepackage{booktabs}", r"% \usepackage{graphicx}"]
    for block in blocks(report):
        if isinstance(block, Pictures):
            continue
        lines.append("")
        if isinstance(block, Heading):
            lines.append(rf"\{_HEADINGS[block.level]}*{{{_escape(block.text)}}}")
        elif isinstance(block, Lines):
            lines += [_line(text, block.kind in ("headline", "warning")) for text in block.texts]
        else:
            lines += _grid(block)
    return "\n".join(lines) + "\n"


def _line(text: str, strong: bool) -> str:
    return rf"\textbf{{{_prose(text)}}}\par" if strong else rf"{_prose(text)}\par"


def _prose(text: str) -> str:
    """A sentence whose backticks are code, as on the page."""
    mark = re.escape(_SPECIAL["`"])
    return re.sub(f"{mark}(.+?){mark}", r"\\texttt{\1}", _escape(text))


def _grid(grid: Grid) -> Iterator[str]:
    yield r"\begin{table}[htbp]"
    yield r"\centering\footnotesize"
    if grid.title:
        yield rf"\caption{{{_escape(grid.title)}}}"
    yield rf"{_SHRINK}{{\begin{{tabular}}{{{''.join('r' if name in grid.numeric else 'l' for name in grid.names)}}}"
    yield r"\toprule"
    yield _row([_escape(name) for name in grid.names])
    yield r"\midrule"
    yield from (_row([_entry(each) for each in row]) for row in grid.rows)
    yield r"\bottomrule"
    yield r"\end{tabular}}"
    yield r"\end{table}"


def _row(entries: list[str]) -> str:
    return " & ".join(entries) + r" \\"


def _entry(entry: Entry) -> str:
    return rf"\textbf{{{_escape(entry.text)}}}" if entry.bold else _escape(entry.text)


def _escape(value: str) -> str:
    return re.sub("|".join(map(re.escape, _SPECIAL)), lambda found: _SPECIAL[found[0]], " ".join(value.split()))
