"""A figure as a PNG, SVG or PDF file, or as a page of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from gtr_bench.errors import RequestError
from gtr_bench.report.blocks import Heading
from gtr_bench.report.figures import embed
from gtr_bench.report.figures.chart import Chart
from gtr_bench.report.figures.pdf import canonical
from gtr_bench.report.page import render_page
from gtr_bench.store.writer import write_output

__all__ = ["SCALE", "check_suffix", "png_of", "save_chart"]

SCALE = 2
"""pixels of a PNG for one of the figure's"""


def check_suffix(out: Path) -> None:
    """Raise RequestError unless figures can be written in the format of `out`'s suffix."""
    if out.suffix not in _FORMATS:
        raise RequestError(f"`{out}` should end in {', '.join(f'`{suffix}`' for suffix in _FORMATS)}")


def save_chart(chart: Chart, out: Path) -> None:
    """Write a figure; equal figures give equal files.

    Raises:
        RequestError: another suffix than `.png`, `.svg`, `.pdf` or `.html`, or a file that cannot be written.
    """
    check_suffix(out)
    content = _FORMATS[out.suffix](chart)
    write_output(out, lambda file: file.write(content))


def png_of(chart: Chart) -> bytes:
    """The content of a PNG file."""
    import vl_convert

    return bytes(vl_convert.vegalite_to_png(chart.titled, scale=SCALE, allowed_base_urls=[]))


def _svg(chart: Chart) -> bytes:
    import vl_convert

    return _renumbered(str(vl_convert.vegalite_to_svg(chart.titled, allowed_base_urls=[]))).encode()


def _renumbered(svg: str) -> str:
    """Clip paths counted from 1: what draws them counts on from figure to figure."""
    places = re.compile(r'(?<= id="clip)\d+(?=")|(?<= clip-path="url\(#clip)\d+(?=\)")')
    numbers = {old: str(new) for new, old in enumerate(dict.fromkeys(places.findall(svg)), 1)}
    return places.sub(lambda found: numbers[found[0]], svg)


def _pdf(chart: Chart) -> bytes:
    import vl_convert

    return canonical(bytes(vl_convert.vegalite_to_pdf(chart.titled, allowed_base_urls=[])))


def _html(chart: Chart) -> bytes:
    """Headed as in a report: the suite, then what is drawn."""
    suite, _, drawn = chart.title.partition(": ")
    figures = {suite: [embed.figure(chart)]}
    return render_page(chart.title, [Heading(1, suite)], figures, charts_heading=drawn.capitalize()).encode()


_FORMATS: Mapping[str, Callable[[Chart], bytes]] = {".png": png_of, ".svg": _svg, ".pdf": _pdf, ".html": _html}
