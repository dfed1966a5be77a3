"""The HTML page: escaped, self-contained, reproducible."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gtr_bench.report.blocks import Entry, Grid, Heading, Lines
from gtr_bench.report.build import build_report
from gtr_bench.report.charts import Line, figure
from gtr_bench.report.html import render_html
from gtr_bench.report.page import render_page
from gtr_bench.suite.expand import Job

Fill = Callable[..., Path]

EVIL = '<script>alert("1")</script>\'"&'


class Tags(HTMLParser):
    """Counts elements and remembers addresses."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.count: dict[str, int] = {}
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def page_of(text: str) -> str:
    line = Line(text, [0, 1, 2], [1, 2, 3], [0, 1, 2], [2, 3, 4], [([0, 1, 2], [1, 1, 2])])
    chart = figure(text, [line], x_label=text, y_label=text, verticals=[1])
    grid = Grid(text, ("n", text), ((Entry("1"), Entry(text, bold=True)),))
    content = [Heading(1, text), Lines((text,), "warning"), Heading(2, text), grid, Lines((text,), "footer")]
    return render_page(text, content, {text: [chart]})


def test_names_from_files_are_never_markup() -> None:
    assert Tags(page_of(EVIL)).count == Tags(page_of("plain")).count


def test_the_page_names_no_address_but_data() -> None:
    page = page_of("plain")
    assert Tags(page).addresses == ["data:,"]
    assert not re.search(r"url\(|@import|//[a-z]", re.sub(r"http://www\.w3\.org/2000/svg", "", page))


def test_the_policy_allows_the_pages_own_script_alone() -> None:
    page = page_of("plain")
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src 'sha256-{digest}'" in page


def test_equal_content_gives_an_equal_page() -> None:
    assert page_of("plain") == page_of("plain")


@pytest.mark.parametrize("values", [[5.0, 5.0, 5.0], [-1e9, 0.0, 1e9], [0.0, 0.0, 0.0]])
def test_charts_of_any_range_have_finite_places(values: list[float]) -> None:
    chart = figure("t", [Line("a", [1, 2, 3], values, values, values)], x_label="x", y_label="y")
    assert "nan" not in chart
    assert "inf" not in chart


def test_long_seed_lines_are_thinned() -> None:
    xs = list(range(1000))
    chart = figure("t", [Line("a", [0, 999], [0, 1], [0, 1], [0, 1], [(xs, xs)])], x_label="x", y_label="y")
    (path,) = re.findall(r'class="seeds" d="([^"]*)"', chart)
    assert path.count("L") < 400


def test_a_logarithmic_axis_has_ticks_at_one_two_five() -> None:
    chart = figure("t", [Line("a", [0.05, 2], [0, 1], [0, 1], [0, 1])], x_label="x", y_label="y", log=True)
    assert {"0.1", "0.5", "1"} <= set(re.findall(r">([\d.]+)</text>", chart))


def test_curves_stand_between_the_claims_and_the_tables_and_long_tables_are_folded(fill: Fill, jobs: list[Job]) -> None:
    page = render_html(build_report([fill(jobs)], curves=True))
    assert page.index("<h2>Claims") < page.index("<h2>Learning curves") < page.index("<h2>recovery_steps")
    folded = render_page("t", [Grid("every one", ("name",), ((Entry("a"),),), detail=True)])
    assert '<details><summary>every one</summary><div class="scroll"' in folded


def test_a_verdict_has_its_colour_and_its_word() -> None:
    grid = Grid("", ("claim", "verdict"), ((Entry("a"), Entry("refuted (smoke scale: no claim)")),))
    assert '<td class="verdict refuted">refuted (smoke scale: no claim)</td>' in render_page("t", [grid])
