"""The same numbers in every format, to the byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gtr_bench.report.json import render_json
from gtr_bench.report.markdown import render_markdown
from gtr_bench.report.model import Aggregate, Cell, Difference, Interval, MetricTable, Provenance, Report, SuiteReport
from gtr_bench.report.terminal import render_terminal
from gtr_bench.report.text import number

GOLDEN = Path(__file__).parent / "golden"

PPO = Cell("cartpole_swap", "ppo", 295.918, 290.04, 301.61, 5, 0, 0, 0, 0, 0, None, ("aaaa", "bbbb"))
GTR = Cell(
    *("cartpole_swap", "gtr[sigma=0.5]", 355.9, 351.5, 360.7, 4, 1, 0, 0, 1, 2),
    Difference("ppo", 60.03, 55.38, 65.67, 4),
    ("cccc",),
)
ONE_SEED = Cell("a|b <i>", "ppo", -0.0123456, None, None, 1, 0, 0, 0, 4, 0, None, ("dddd",))
NONE = Cell("a|b <i>", "gtr[sigma=0.5]", None, None, None, 0, 0, 1, 1, 3, 0, None, ())
REPORT = Report(
    suites=(
        SuiteReport(
            suite="swap",
            scale="laptop",
            question="Does *GTR* cross sooner?",
            smoke=True,
            baseline="ppo",
            algorithms=("ppo", "gtr[sigma=0.5]"),
            reconstructions=("gtr[sigma=0.5]",),
            tables=(
                MetricTable(
                    "lifetime_return",
                    True,
                    "higher",
                    "mean return over all evaluation points of the run",
                    (PPO, GTR, ONE_SEED, NONE),
                    (
                        Aggregate(
                            "ppo",
                            Interval(0.5947, 0.5752, 0.6158, 1),
                            Interval(0.5947, 0.5752, 0.6158, 1),
                            Interval(0.588, 0.572, 0.6166, 1),
                            *(None, None, 2, 1),
                        ),
                        Aggregate("gtr[sigma=0.5]", None, None, None, None, None, 2, 0),
                    ),
                    ("aggregates: as they are",),
                ),
            ),
            jobs={"complete": 9, "diverged": 1, "failed": 1, "missing": 8},
            notes=("1 job of an earlier version of the suite left out",),
        ),
    ),
    method="mean over seeds",
    provenance=Provenance(
        10, "0123456789ab", ("0.1.0",), ("0123456789ab (dirty)",), ("fedcba987654",), ("cpu",), "0.1.0"
    ),
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("report.txt", render_terminal(REPORT)),
        ("report.md", render_markdown(REPORT)),
        ("report.json", render_json(REPORT)),
    ],
)
def test_every_format_gives_the_golden_text(name: str, text: str) -> None:
    assert text == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("text", [render_terminal(REPORT), render_markdown(REPORT), render_json(REPORT)])
def test_every_format_says_what_a_reader_must_know(text: str) -> None:
    assert "smoke scale: no claim" in text
    assert "this project's reconstruction" in text
    assert "0123456789ab (dirty)" in text


def test_json_keeps_the_unrounded_numbers_and_the_ids() -> None:
    (suite,) = json.loads(render_json(REPORT))["suites"]
    cells = suite["tables"][0]["cells"]
    assert cells[0]["value"] == 295.918
    assert cells[0]["jobs"] == ["aaaa", "bbbb"]
    assert cells[2]["low"] is None


def test_markdown_tables_have_the_same_number_of_columns_in_every_row() -> None:
    rows = [line.replace("\\|", "") for line in render_markdown(REPORT).splitlines() if line.startswith("|")]
    widths = {row.count("|") for row in rows if "IQM" not in row}
    assert len(rows) == 6 + 4
    assert widths == {11, 7}


def test_colour_is_used_on_a_terminal_and_not_with_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[33m" in render_terminal(REPORT, colour=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[33m" not in render_terminal(REPORT, colour=True)
    assert "\x1b" not in render_terminal(REPORT)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (295.918, "295.9"),
        (-0.0123456, "-0.01235"),
        (12345.6, "12,350"),
        (999999.0, "1.000e+06"),
        (123456.0, "123,500"),
        (9.9996, "10.00"),
        (5e-5, "5.000e-05"),
        (1.0, "1.000"),
    ],
)
def test_numbers_have_four_significant_digits(value: float, text: str) -> None:
    assert number(value) == text
