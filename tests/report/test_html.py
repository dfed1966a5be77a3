"""The HTML page: escaped, self-contained, reproducible."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

from gtr_bench.report.blocks import Entry, Grid, Heading, Lines
from gtr_bench.report.build import build_report
from gtr_bench.report.figures.bands import lines
from gtr_bench.report.figures.chart import Chart, grid
from gtr_bench.report.figures.embed import figure, scripts
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
    x, y = ({"field": field, "type": "quantitative", "title": text} for field in ("x", "value"))
    row = {"series": text, "x": [0, 1, 2], "value": [1, 2, 3], "low": [0, 1, 2], "high": [2, 3, 4]}
    panel = {"data": {"values": [row]}, "layer": [lines(0, x, y, {text: 0})]}
    chart = figure(Chart(text, text, (text,), text, grid([panel], names=[text])))
    table = Grid(text, ("n", text), ((Entry("1"), Entry(text, bold=True)),))
    content = [Heading(1, text), Lines((text,), "warning"), Heading(2, text), table, Lines((text,), "footer")]
    return render_page(text, content, {text: [chart]})


def test_names_from_files_are_never_markup() -> None:
    assert Tags(page_of(EVIL)).count == Tags(page_of("plain")).count


def test_the_page_names_no_address_but_data() -> None:
    page = page_of("plain")
    assert Tags(page).addresses == ["data:,"]
    own = page.replace(scripts()[0], "").replace("https://vega.github.io/schema/vega-lite/v6.json", "")
    assert not re.search(r"url\(|@import|//[a-z]", own)


def test_the_policy_allows_the_pages_own_scripts_alone_and_no_evaluation() -> None:
    page = page_of("plain")
    found = re.findall(r"<script>(.*?)</script>", page, re.S)
    assert len(found) == 3
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in found]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src {allowed}"
    assert f'content="{policy}"' in page


def test_a_page_without_a_figure_has_no_vega() -> None:
    assert len(render_page("t", [Heading(1, "t")], {"t": []})) < 20_000


def test_equal_content_gives_an_equal_page() -> None:
    assert page_of("plain") == page_of("plain")


def test_figures_stand_between_the_claims_and_the_tables_and_long_tables_are_folded(
    fill: Fill, jobs: list[Job]
) -> None:
    page = render_html(build_report([fill(jobs)], curves=True))
    parts = [text.split()[0] for text in re.findall(r"<h2[^>]*>([^<]*)</h2>", page)]
    assert parts[:4] == ["Setup", "Claims", "Figures", "recovery_steps"]
    folded = render_page("t", [Grid("every one", ("name",), ((Entry("a"),),), detail=True)])
    assert '<details><summary>every one</summary><div class="scroll"' in folded


def test_a_verdict_has_its_colour_and_its_word() -> None:
    grid = Grid("", ("claim", "verdict"), ((Entry("a"), Entry("refuted (smoke scale: no claim)")),))
    assert '<td class="verdict refuted">refuted (smoke scale: no claim)</td>' in render_page("t", [grid])


def test_the_contents_link_to_every_part_and_stand_below_the_answer(fill: Fill, jobs: list[Job]) -> None:
    page = render_html(build_report([fill(jobs)], curves=True))
    (contents,) = re.findall(r"<nav.*?</nav>", page)
    linked = re.findall(r'<a href="#(part-\d+)">([^<]*)</a>', contents)
    assert [text for _, text in linked] == re.findall(r"<h2[^>]*>([^<]*)</h2>", page[: page.index("<script>")])
    assert all(f'<h2 id="{part}">{text}</h2>' in page for part, text in linked)
    # The page's own style comes first.
    body = page[page.index("<body>") :]
    assert body.index("<h1") < body.index("headline") < body.index("<nav") < body.index("<h2")


def test_a_short_page_has_no_contents() -> None:
    assert "<nav" not in page_of("plain")


def test_many_notes_are_folded_and_few_are_not() -> None:
    many = Lines(tuple(f"note {number}" for number in range(9)), "note")
    assert "<details><summary>9 notes</summary>" in render_page("t", [many])
    assert "<details>" not in render_page("t", [Lines(("a", "b"), "note")])


def test_the_column_that_tells_rows_apart_stays_in_sight() -> None:
    entries = tuple(Entry(text) for text in ("cartpole", "gtr_gated_surrogate", "1"))
    page = render_page("t", [Grid("", ("environment", "algorithm", "n"), (entries,))])
    assert '<td class="key">gtr_<wbr>gated_<wbr>surrogate</td>' in page
    assert "<td>cartpole</td>" in page
    assert ".key{position:sticky;left:0" in page


def test_what_can_be_typed_is_code_on_the_page_too() -> None:
    page = render_page("t", [Lines(("see `gtr-bench logs <JOB>` and `b",))])
    assert '<p class="plain">see <code>gtr-bench logs &lt;JOB&gt;</code> and `b</p>' in page
