"""When the page is made anew, and what happens where it cannot be."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gtr_bench.watch.renewal import Page, Renewal, pause
from tests.helpers import wait_for


@pytest.fixture
def renewing() -> Iterator[Callable[..., Renewal]]:
    """`renewing(program, look)`: a renewal by a Python program, looking all the time; ended afterwards."""
    started: list[Renewal] = []

    def start(program: str, look: Callable[[], bytes], tell: Callable[[str], None] = print) -> Renewal:
        started.append(Renewal([sys.executable, "-S", "-c", program], look, 0.01, tell))
        started[-1].start()
        return started[-1]

    yield start
    for each in started:
        each.stop()


def test_looks_and_reports_leave_most_of_the_time_to_others() -> None:
    assert pause(2.0, 0.01, 0.1) == 2.0
    assert pause(2.0, 0.5, 0.1) == pytest.approx(10.0)
    assert pause(2.0, 0.01, 3.0) == pytest.approx(6.0)


def test_the_page_is_made_anew_only_when_the_results_changed(renewing: Any, tmp_path: Path) -> None:
    state, made = [b"1"], tmp_path / "made"
    program = f"open({str(made)!r}, 'a').write('x'); print(len(open({str(made)!r}).read()))"
    renewal = renewing(program, lambda: state[0])
    wait_for(lambda: renewal.page == Page(b"1\n", ""))
    time.sleep(0.3)
    assert made.read_text() == "x"
    state[0] = b"2"
    wait_for(lambda: renewal.page == Page(b"2\n", ""))


def test_a_report_that_fails_is_told_once_and_the_last_page_stays(renewing: Any, tmp_path: Path) -> None:
    state, told, broken = [0], [], tmp_path / "broken"
    program = (
        f"import os, sys; os.path.exists({str(broken)!r}) and sys.exit('error: no `jobs`\\n\\nhint: wait'); print('é')"
    )
    renewal = renewing(program, lambda: bytes(state), told.append)
    wait_for(lambda: renewal.page.content)
    first = renewal.page
    broken.touch()
    for number in (1, 2):
        state[0] = number
        wait_for(lambda: renewal.page.message)
    assert renewal.page.version == first.version
    assert renewal.page.content == "é\n".encode()
    assert renewal.page.message == "no `jobs`\n\nhint: wait\n\nIt is tried again when the results change."
    assert told == ["error: no `jobs`", "hint: wait"]
    broken.unlink()
    state[0] = 3
    wait_for(lambda: renewal.page == first)


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "os._exit(7)"])
def test_one_that_dies_without_a_word_is_told_by_its_exit_code(renewing: Any, end: str) -> None:
    renewal = renewing(f"import os; {end}", lambda: b"")
    wait_for(lambda: "the report ended with exit code" in renewal.page.message)
    assert renewal.page.content is None


def test_a_program_that_cannot_be_started_ends_nothing() -> None:
    renewal = Renewal(["/no/such/program"], lambda: b"", 0.01, lambda line: None)
    renewal.start()
    wait_for(lambda: "could not be started: No such file or directory" in renewal.page.message)
    renewal.stop()


def test_the_end_waits_for_no_report(renewing: Any, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    renewal = renewing(f"import time; open({str(begun)!r}, 'w'); time.sleep(600)", lambda: b"")
    wait_for(begun.exists)
    start = time.monotonic()
    renewal.stop()
    assert time.monotonic() - start < 5
