"""The page of `gtr-bench watch` in headless Chromium: it renews itself and keeps the reader's place."""

from __future__ import annotations

import shutil
import threading
from typing import Any

import pytest

from gtr_bench.report.blocks import Entry, Grid, Heading, Lines
from gtr_bench.report.page import render_page
from gtr_bench.watch.renewal import Page
from gtr_bench.watch.server import Server
from tests.helpers import wait_for

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here (Debian: apt-get install chromium)"),
]


class Made:
    """Stands for a renewal whose page the test makes."""

    page = Page(None, "not yet")


def report(rows: int) -> Page:
    """A page with so many rows above the place where somebody reads, and a table to open."""
    above = Grid("scores", ("seed",), tuple((Entry(str(number)),) for number in range(rows)))
    folded = Grid("more", ("seed",), ((Entry("1"),),), detail=True)
    below = [Lines(tuple(f"line {number}" for number in range(200)))]
    blocks = [Heading(1, "swap"), above, Heading(2, "Here"), folded, *below]
    return Page(render_page(f"{rows} rows", blocks).encode(), "")


def test_the_page_renews_itself_and_the_reader_stays_where_they_were() -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    made, problems = Made(), []
    with Server(0, made, 0.1) as server, sync_api.sync_playwright() as playwright:  # type: ignore[arg-type]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        assert page.inner_text("#note") == "not yet"

        made.page = report(10)
        wait_for(lambda: page.title() == "10 rows")
        _frame(page).evaluate("document.querySelector('details').open = true")
        _frame(page).evaluate("scrollTo(0, document.querySelector('h2').offsetTop + 700)")
        before = _place(page)
        made.page = report(40)
        wait_for(lambda: page.title() == "40 rows")
        wait_for(lambda: page.locator("iframe").count() == 1)
        assert _place(page)[0] == pytest.approx(before[0], abs=2)
        assert _place(page)[1] > before[1] + 300  # although thirty rows came in above
        assert _frame(page).evaluate("document.querySelector('details').open")

        made.page = Page(made.page.content, "the disk is gone")
        wait_for(lambda: page.inner_text("#note") == "the disk is gone")
        assert page.title() == "40 rows"
        server.shutdown()
        browser.close()
    assert problems == []


def _frame(page: Any) -> Any:
    return page.query_selector("iframe.shown").content_frame()


def _place(page: Any) -> tuple[float, float]:
    """Where the heading is on the screen, and how far the page is scrolled."""
    where = _frame(page).evaluate("[document.querySelector('h2').getBoundingClientRect().top, scrollY]")
    return where[0], where[1]
