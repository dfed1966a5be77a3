"""The report's page in headless Chromium: what it shows, what its controls do, and that it asks nobody for anything."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gtr_bench.report.blocks import Entry, Grid, Heading, Lines
from gtr_bench.report.charts import Line, figure
from gtr_bench.report.page import render_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here (Debian: apt-get install chromium)"),
]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 900}}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with a wide table, a chart with seeds and a name that would be markup."""
    line = Line("gtr <b>", [0, 1000, 2000], [10, 20, 30], [5, 15, 25], [15, 25, 35], [([0, 1000, 2000], [9, 21, 31])])
    chart = figure("swap: cartpole", [line], x_label="environment steps", y_label="return", verticals=[1000])
    names = ("environment", "algorithm", "mean [95% interval]", "n", *(f"column {i}" for i in range(12)))
    rows = [
        ("cartpole", "ppo", "9.5 [9, 10]", "10"),
        ("cartpole", "gtr", "1,200 [1,100, 1,300]", "10"),
        ("acrobot", "spo", "-80.1 [-90, -70]", "9"),
    ]
    grid = Grid("scores", names, tuple(tuple(Entry(text) for text in (*row, *["0.1234"] * 12)) for row in rows))
    content = [
        Heading(1, "swap, scale laptop"),
        Lines(("smoke scale: no claim",), "warning"),
        Heading(2, "Claims"),
        grid,
        Lines(("10 finished jobs",), "footer"),
    ]
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_page("swap", content, {"swap, scale laptop": [chart]}))
    return path


@pytest.fixture(params=[(size, scheme) for size in SIZES for scheme in ("light", "dark")], ids="-".join)
def page(browser: Any, file: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page at one width in one colour scheme; fails afterwards for a console error or a request that leaves it."""
    size, scheme = request.param
    context = browser.new_context(viewport=SIZES[size], color_scheme=scheme, accept_downloads=True)
    opened = context.new_page()
    problems: list[str] = []
    opened.on(
        "console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None
    )
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("request", lambda sent: problems.append(sent.url) if sent.url.startswith("http") else None)
    opened.goto(file.as_uri())
    yield opened
    context.close()
    assert problems == []


def test_text_is_there_and_nothing_overflows(page: Any) -> None:
    shown = page.inner_text("body")
    for words in ("swap, scale laptop", "smoke scale: no claim", "Learning curves", "gtr <b>", "10 finished jobs"):
        assert words in shown
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    ink, paper = page.evaluate("(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))")
    assert ink != paper


def test_tables_sort_by_number_both_ways(page: Any) -> None:
    head = page.locator("th", has_text="mean")

    def column() -> list[str]:
        return [text.split()[0] for text in page.locator("tbody tr td:nth-child(3)").all_inner_texts()]

    head.locator("button").click()
    assert column() == ["-80.1", "9.5", "1,200"]
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").press("Enter")
    assert column() == ["1,200", "9.5", "-80.1"]
    assert head.get_attribute("aria-sort") == "descending"


def test_lines_of_single_seeds_come_on_demand(page: Any) -> None:
    seeds = page.locator("path.seeds")
    assert not seeds.first.is_visible()
    page.get_by_label("single seeds").check()
    assert seeds.first.is_visible()


def test_figures_can_be_downloaded(page: Any, tmp_path: Path) -> None:
    for button, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=button, exact=True).click()
        target = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(target)
        assert target.name == f"swap-cartpole.{button.lower()}"
        assert target.read_bytes().startswith(start)
        assert target.stat().st_size > 1000
