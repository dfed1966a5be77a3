"""The report's page in headless Chromium: what it shows, what its controls do, and that it asks nobody for anything."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gtr_bench.report.blocks import Entry, Grid, Heading, Lines
from gtr_bench.report.figures.chart import Chart, grid
from gtr_bench.report.figures.embed import figure
from gtr_bench.report.figures.learning import learning_chart
from gtr_bench.report.model import LearningCurve, SeedLine, SuiteReport
from gtr_bench.report.page import render_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here (Debian: apt-get install chromium)"),
]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
EVIL = "x'] <img src=x onerror=alert(1)> </script> \u2028"
NAMES = ("gtr <b>", "ppo[1].x")
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
    curves = tuple(
        LearningCurve(
            world,
            name,
            steps=(0, 1000, 1000, 2000),
            mean=(10, 20 + more, 5, 30),
            low=(5, 15, 4, 25),
            high=(15, 25, 6, 35),
            seeds=(SeedLine(0, "", (9, 21, 5, 31)), SeedLine(1, "", (11, 19, 5, 29))),
            boundaries=(1000,),
            worlds=("A", "B"),
            total=2000,
        )
        for world in ("cartpole", EVIL)
        for more, name in enumerate(NAMES)
    )
    suite = SuiteReport("swap", "laptop", "", True, None, NAMES, (), {}, (), {}, curves)
    chart = learning_chart([suite])
    assert chart is not None
    markup = figure(chart)
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
    path.write_text(render_page("swap", content, {"swap, scale laptop": [markup]}, charts_heading="Figures"))
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
    opened.locator("figure[data-drawn]").wait_for()
    yield opened
    context.close()
    assert problems == []


def test_text_is_there_and_nothing_overflows(page: Any) -> None:
    shown = page.inner_text("body")
    for words in ("swap, scale laptop", "smoke scale: no claim", "Figures", "gtr <b>", "10 finished jobs"):
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


def test_a_figure_fits_the_window_in_one_column_or_two(page: Any) -> None:
    wide = page.viewport_size["width"] > 640
    drawing, (one, other) = page.locator(".drawing"), page.locator(".role-title-text", has_text="").all()[:2]
    assert drawing.locator("svg").bounding_box()["width"] <= drawing.bounding_box()["width"]
    assert (abs(one.bounding_box()["y"] - other.bounding_box()["y"]) < 2) == wide


def test_a_point_answers_with_its_values_and_no_name_is_markup(page: Any) -> None:
    point = page.locator(".role-mark.mark-symbol path").nth(1)
    point.scroll_into_view_if_needed()
    point.hover(force=True)
    told = page.locator("#vg-tooltip-element")
    told.get_by_text("[15, 25]").wait_for()
    text = told.inner_text()
    assert all(words in text for words in ("gtr <b> (n = 2)", "1,000", "20"))
    assert page.locator(".drawing img, #vg-tooltip-element b").count() == 0


def test_a_click_on_the_legend_takes_a_line_away_and_brings_it_back(page: Any) -> None:
    line, entry = page.locator(".role-mark.mark-line path").first, page.locator(".role-legend-label text").first

    def opacity() -> str:
        return str(line.evaluate("e => e.getAttribute('opacity') ?? '1'"))

    before = opacity()
    entry.click()
    page.wait_for_timeout(200)
    assert opacity() != before
    entry.click()
    page.wait_for_timeout(200)
    assert opacity() == before


def ticks(page: Any) -> list[str]:
    return list(page.locator(".role-axis-label").first.locator("text").all_inner_texts())


def test_the_wheel_zooms_with_ctrl_alone_and_the_button_resets(page: Any) -> None:
    before = ticks(page)
    box = page.locator(".drawing svg .role-mark.mark-line").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, 20)
    page.wait_for_timeout(200)
    assert ticks(page) == before
    page.locator(".drawing").scroll_into_view_if_needed()
    box = page.locator(".drawing svg .role-mark.mark-line").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.keyboard.down("Shift")
    page.mouse.wheel(0, -900)
    page.keyboard.up("Shift")
    page.wait_for_timeout(300)
    assert ticks(page) != before
    page.get_by_role("button", name="reset").click()
    page.wait_for_timeout(200)
    page.locator("figure[data-drawn]").wait_for()
    assert ticks(page) == before


def test_lines_of_single_seeds_come_on_demand(page: Any) -> None:
    lines = page.locator(".role-mark.mark-line path")
    before = lines.count()
    page.get_by_label("single seeds").check()
    page.wait_for_timeout(300)
    # Two algorithms with two seeds each, in two environments.
    assert lines.count() == before + 8


def test_figures_can_be_downloaded(page: Any, tmp_path: Path) -> None:
    for button, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=button, exact=True).click()
        target = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(target)
        assert target.name == f"swap-laptop-curves.{button.lower()}"
        content = target.read_bytes()
        assert content.startswith(start)
        assert button == "PNG" or b"smoke scale: no claim" in content
        assert len(content) > 1000


def test_three_panels_are_as_wide_as_the_page_and_none_is_cut(browser: Any, tmp_path: Path) -> None:
    """Panels with a smaller margin than the page guesses grow, and the picture grows with them."""
    panel = {
        "data": {"values": [{"x": 1}, {"x": 2}]},
        "mark": "point",
        "encoding": {"x": {"field": "x", "type": "quantitative"}},
    }
    chart = Chart("three", "three", (), "three panels", grid([panel] * 3, margin=10), zooms=False)
    path = tmp_path / "three.html"
    path.write_text(render_page("three", [Heading(1, "three")], {"three": [figure(chart)]}), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(path.as_uri())
    page.wait_for_selector("figure[data-drawn]")
    ends = page.evaluate(
        "(() => { const svg = document.querySelector('.drawing svg');"
        " const right = e => e.getBoundingClientRect().right;"
        " return [right(svg), Math.max(...[...svg.querySelectorAll('path, text')].map(right))] })()"
    )
    assert ends[1] <= ends[0] + 1
    page.close()
