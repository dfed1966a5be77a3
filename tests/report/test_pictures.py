"""Pictures of worlds: drawn by a child, and whatever goes wrong there costs a sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gtr_bench.cli.main import execute
from gtr_bench.errors import EnvironmentFault, MissingExtraError
from gtr_bench.report import picture_child, pictures
from gtr_bench.report.blocks import Heading, Pictures
from gtr_bench.report.build import build_report
from gtr_bench.report.formats import render
from gtr_bench.report.model import Picture, Report
from gtr_bench.report.page import render_page
from gtr_bench.report.page_body import body
from gtr_bench.report.pictures import MOST, MOST_BYTES, with_pictures
from gtr_bench.suite.expand import Job

CHARTS_BYTES = 900_000
"""What drawing the figures of a page costs."""
PAGE_BYTES = 2_000_000
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (240).to_bytes(4) + (160).to_bytes(4)


@pytest.fixture
def report(fill: Callable[..., Path], jobs: list[Job]) -> Report:
    return build_report([fill(jobs)])


def of_environments(report: Report, *names: str, options: dict[str, Any] | None = None) -> Report:
    """The report, its first sequence going through these environments."""
    (suite,) = report.suites
    phases = [{"environment": name, "options": options or {}, "steps": 10, "variant": 0} for name in names]
    world = replace(suite.setup.worlds[0], sequence={**suite.setup.worlds[0].sequence, "phases": phases})
    sections = {**suite.sections, "setup": replace(suite.setup, worlds=(world,))}
    return replace(report, suites=(replace(suite, sections=sections),))


@pytest.fixture
def no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "_draw", lambda *arguments: pytest.fail("a child was started"))


def test_cartpole_is_drawn_small_and_equal_every_time(report: Report) -> None:
    one, again = (with_pictures(of_environments(report, "gym:CartPole-v1")) for _ in range(2))
    (picture,) = one.suites[0].pictures
    assert picture.png is not None, picture.why
    assert picture.png.startswith(b"\x89PNG")
    assert len(picture.png) < 10_000
    assert int.from_bytes(picture.png[16:20]) == 240
    page = render(one, "html")
    assert page == render(again, "html")
    assert '<img src="data:image/png;base64,' in page
    assert 'loading="lazy" alt="gym:CartPole-v1, under random actions"' in page


def test_other_formats_have_no_pictures(report: Report) -> None:
    (suite,) = report.suites
    drawn = replace(report, suites=(replace(suite, pictures=(Picture("gym:CartPole-v1", ("a",), PNG, ""),)),))
    for format in ("terminal", "markdown", "latex", "csv", "json"):
        assert render(drawn, format) == render(report, format)


@pytest.mark.usefixtures("no_child")
def test_a_users_own_module_is_never_imported_for_a_picture(report: Report) -> None:
    (picture,) = with_pictures(of_environments(report, "gym:antigravity:Flying-v0")).suites[0].pictures
    assert picture.png is None
    assert picture.why == "a package's own module is not imported for a picture"
    assert "antigravity" not in sys.modules


@pytest.mark.usefixtures("no_child")
@pytest.mark.parametrize("file", ["/etc/passwd", "..\\secret"])
def test_options_that_may_name_a_file_are_not_tried(report: Report, file: str) -> None:
    found = with_pictures(of_environments(report, "gym:HalfCheetah-v5", options={"xml_file": file}))
    assert found.suites[0].pictures[0].why == "its options may name a file"


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (MissingExtraError("the environment `atari:Pong`", "atari"), "the extra `atari` is missing"),
        (EnvironmentFault("it fell over"), "it fell over"),
        (ValueError("/home/someone"), "it could not be drawn here (ValueError)"),
    ],
)
def test_what_keeps_a_world_from_being_drawn_is_said_on_the_page(
    report: Report, monkeypatch: pytest.MonkeyPatch, error: Exception, why: str
) -> None:
    def raises(world: Any) -> Any:
        raise error

    def in_process(listed: Path, folder: Path, seconds: float) -> bool:
        picture_child.main(listed, folder)
        return True

    monkeypatch.setattr(picture_child, "_drawn", raises)
    monkeypatch.setattr(picture_child, "_limit_memory", lambda: None)
    monkeypatch.setattr(pictures, "_draw", in_process)
    page = render(with_pictures(of_environments(report, "atari:Pong")), "html")
    assert f'<p class="note">no picture of atari:Pong: {why.replace("`", "")}</p>' in page.replace("`", "")
    assert "<img" not in page[: page.index("<script>")]


def test_a_crash_costs_one_picture(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    def crashes_at_the_second(listed: Path, folder: Path, seconds: float) -> bool:
        for number, world in enumerate(json.loads(listed.read_text())):
            if (folder / f"{number}.txt").exists():
                continue
            if world["environment"] == "gym:b":
                break
            (folder / f"{number}.png").write_bytes(PNG)
        return True

    monkeypatch.setattr(pictures, "_draw", crashes_at_the_second)
    found = with_pictures(of_environments(report, "gym:a", "gym:b", "gym:c")).suites[0].pictures
    assert [each.png is not None for each in found] == [True, False, True]
    assert found[1].why == "the simulator crashed"


def test_drawing_has_a_time_limit(report: Report) -> None:
    (picture,) = with_pictures(of_environments(report, "gym:CartPole-v1"), seconds=0.0).suites[0].pictures
    assert picture.why == "drawing took longer than 0 s"


def test_there_is_one_picture_per_distinct_environment_and_six_at_most(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def draw(listed: Path, folder: Path, seconds: float) -> bool:
        for number, world in enumerate(json.loads(listed.read_text())):
            asked.append(world["environment"])
            (folder / f"{number}.png").write_bytes(PNG if number else PNG + bytes(MOST_BYTES))
        return True

    monkeypatch.setattr(pictures, "_draw", draw)
    names = [f"gym:{number}" for number in range(8)]
    found = with_pictures(of_environments(report, *names, *names)).suites[0].pictures
    assert asked == names[:6]
    assert [each.environment for each in found] == names[:6]
    assert found[0].why == "it is too large"


def test_a_page_with_all_pictures_it_may_have_stays_below_two_megabytes() -> None:
    largest = Picture("gym:CartPole-v1", ("a",), PNG + bytes(MOST_BYTES - len(PNG)), "")
    page = render_page("t", [Heading(2, "Setup"), Pictures((largest,) * MOST)])
    assert len(page) + CHARTS_BYTES < PAGE_BYTES * 0.85


def test_names_of_worlds_are_never_markup() -> None:
    evil = '"><script>alert(1)</script>'
    shown = body([Pictures((Picture(evil, (evil,), PNG, ""), Picture(evil, (), None, evil)))], {}, "")
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;") == 5


@pytest.mark.usefixtures("no_child")
def test_no_pictures_starts_no_child_and_neither_do_other_formats(
    fill: Callable[..., Path], jobs: list[Job], capsys: pytest.CaptureFixture[str]
) -> None:
    results = str(fill(jobs))
    assert execute(["report", results, "--format", "html", "--no-pictures"]) == 0
    shown = capsys.readouterr().out
    assert "<img" not in shown[: shown.index("<script>")]
    assert "no picture" not in shown
    assert ">Setup</h2>" in shown
    assert execute(["report", results, "--format", "json"]) == 0
