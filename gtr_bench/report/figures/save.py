"""A figure as a PNG, SVG or PDF file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from gtr_bench.errors import RequestError
from gtr_bench.report.figures.chart import Chart, Spec
from gtr_bench.report.figures.pdf import canonical
from gtr_bench.store.writer import write_output

__all__ = ["check_suffix", "save_chart"]

SCALE = 2
"""pixels of a PNG for one of the figure's"""


def check_suffix(out: Path) -> None:
    """Raise RequestError unless figures can be written in the format of `out`'s suffix."""
    if out.suffix not in _FORMATS:
        raise RequestError(f"`{out}` should end in {', '.join(f'`{suffix}`' for suffix in _FORMATS)}")


def save_chart(chart: Chart, out: Path) -> None:
    """Write a figure; equal figures give equal files.

    Raises:
        RequestError: another suffix than `.png`, `.svg` or `.pdf`, or a file that cannot be written.
    """
    check_suffix(out)
    content = _FORMATS[out.suffix](chart.titled)
    write_output(out, lambda file: file.write(content))


def _png(spec: Spec) -> bytes:
    import vl_convert

    return bytes(vl_convert.vegalite_to_png(spec, scale=SCALE, allowed_base_urls=[]))


def _svg(spec: Spec) -> bytes:
    import vl_convert

    return _renumbered(str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))).encode()


def _renumbered(svg: str) -> str:
    """Clip paths counted from 1: what draws them counts on from figure to figure."""
    places = re.compile(r'(?<= id="clip)\d+(?=")|(?<= clip-path="url\(#clip)\d+(?=\)")')
    numbers = {old: str(new) for new, old in enumerate(dict.fromkeys(places.findall(svg)), 1)}
    return places.sub(lambda found: numbers[found[0]], svg)


def _pdf(spec: Spec) -> bytes:
    import vl_convert

    return canonical(bytes(vl_convert.vegalite_to_pdf(spec, allowed_base_urls=[])))


_FORMATS: Mapping[str, Callable[[Spec], bytes]] = {".png": _png, ".svg": _svg, ".pdf": _pdf}
