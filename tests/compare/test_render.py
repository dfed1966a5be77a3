"""The same comparison in every format, to the byte."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from gtr_bench.compare.model import CellChange, CellName, Comparison, CurveChange, MetricChange, Side, SideAbsence
from gtr_bench.compare.render import render_comparison, summary
from gtr_bench.report.absences import Absence
from gtr_bench.report.model import Provenance

GOLDEN = Path(__file__).parent / "golden"

MADE = Provenance(14, "0123456789ab", ("0.1.0",), ("0123456789ab (dirty)",), ("fedcba987654",), ("cpu",), "0.1.0")
WORSE = CellChange(
    *("swap", "laptop", "a|b <i>", "gtr[sigma=0.5]", True, "worse", True, (0, 1, 2, 3, 4, 5), ((6,), ()), 0),
    parameters=("learning_rate 0.00025 -> 0.1",),
    versions=("gymnasium 1.1 -> 1.2",),
    metrics=(
        MetricChange(
            *("lifetime_return", "higher", 300.25, 250.125, -50.125, -60.5, -40.25, 6),
            *("exact paired sign-flip permutation, two-sided", 0.03125, 0.0416, 0.0416, None, None, "worse"),
        ),
        MetricChange("drop", "neutral", reason="needs a second phase"),
    ),
    curve=CurveChange(16384, 1, -100.3, 12.5, 10, 6, "exact paired sign-flip max-T over points", 0.03125, 0.03125),
    speed=0.95,
    reasons=(
        "lifetime_return worse: 300.2 -> 250.1, p (Holm) 0.04160",
        "parameters differ: learning_rate 0.00025 -> 0.1",
    ),
    jobs=(("aaaa",) * 6, ("bbbb",) * 6),
)
IDENTICAL = CellChange(
    *("swap", "laptop", "cartpole", "ppo", False, "identical", True, (0, 1), ((), ()), 2, (), ()),
    metrics=(
        MetricChange("lifetime_return", "higher", 57.2, 57.2, 0.0, n=2, outcome="identical"),
        MetricChange("drop", "neutral", 1.0, 1.0, 0.0, n=2, outcome="identical"),
    ),
    curve=None,
    speed=None,
    reasons=(),
    jobs=(("cccc", "dddd"), ("cccc", "dddd")),
)
FAILED = CellChange(
    *("walk", "", "ant", "ppo", False, "failed", False, (), ((), ()), 0, (), ()),
    metrics=(MetricChange("lifetime_return", "higher", reason="no values on both sides"),) * 2,
    curve=None,
    speed=None,
    reasons=("done in A and failed in B: seeds 0-3", "no finished run in B"),
    jobs=(("eeee",) * 4, ()),
)
UNDECIDED = CellChange(
    *("walk", "", "hopper", "ppo", False, "cannot decide", True, (0, 1, 2), ((), ()), 0, (), ()),
    metrics=(
        MetricChange(
            *("lifetime_return", "higher", 300.0, 150.0, -150.0, -math.inf, math.inf, 3),
            *("exact paired sign-flip permutation, two-sided", 0.25, 0.25, 0.25, None, None, "cannot decide"),
        ),
        MetricChange("drop", "neutral", reason="no values on both sides"),
    ),
    curve=CurveChange(0, 0, -150.0, None, 10, 3, "exact paired sign-flip max-T over points", 0.25, 0.25),
    speed=1.0,
    reasons=("lifetime_return: 3 pairs cannot decide at 0.05: at least 6 are needed",),
    jobs=(("ffff",) * 3, ("abcd",) * 3),
)
COMPARISON = Comparison(
    a=Side("before", MADE, ("swap: 2 jobs of an earlier definition under the same labels left out",), ("AVX2",)),
    b=Side("commit fedcba987654", MADE, (), ("AVX2", "AVX512")),
    alpha=0.05,
    margin=0.0,
    metrics=("lifetime_return", "drop"),
    cells=(WORSE, IDENTICAL, FAILED, UNDECIDED),
    only_a=(CellName("swap", "laptop", "cartpole", "spo"), CellName("swap", "laptop", "cartpole", "trpo")),
    only_b=(CellName("other", "full", "acrobot", "ppo"),),
    absences=(
        SideAbsence(
            "B", "walk", "", Absence("ant", "ppo", "run", "failed", "oom: 12 GB wanted", (0, 1, 2, 3), ("e",) * 4)
        ),
    ),
    method="worse: by the test",
    reconstructed=("gtr",),
)
RENDERED = {
    "compare.txt": render_comparison(COMPARISON, "terminal"),
    "compare.md": render_comparison(COMPARISON, "markdown"),
    "compare.json": render_comparison(COMPARISON, "json"),
}


@pytest.mark.parametrize("name", RENDERED)
def test_every_format_gives_the_golden_text(name: str) -> None:
    assert RENDERED[name] == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["compare.txt", "compare.md"])
@pytest.mark.parametrize(
    "text",
    ["-50.12", "-60.50, -40.25", "0.04160", "-100.3", "0.9500", "step 16,384, phase 1", "seeds 0-3", "spo, trpo"],
)
def test_readable_formats_show_the_same_numbers(name: str, text: str) -> None:
    assert text in RENDERED[name]


def test_markdown_escapes_names_and_sets_regressions_in_bold() -> None:
    assert "a\\|b \\<i\\>" in RENDERED["compare.md"]
    assert "**worse**" in RENDERED["compare.md"]
    assert "**failed**" in RENDERED["compare.md"]
    assert "**cannot decide**" in RENDERED["compare.md"]
    assert "**identical**" not in RENDERED["compare.md"]


def test_json_holds_unrounded_numbers_and_whether_it_is_a_regression() -> None:
    data = json.loads(RENDERED["compare.json"])
    assert data["format"] == 2
    assert data["regression"] is True
    assert data["undecided"] is True
    assert data["unjudged"] == ["1 cell cannot decide", "drop not compared in 1 cell", "2 cells only in A"]
    assert data["cells"][0]["metrics"][0]["difference"] == -50.125


def test_ends_of_intervals_that_nothing_bounds_are_unbounded_in_words_and_named_in_json() -> None:
    assert "-150.0 [unbounded]" in RENDERED["compare.txt"]
    change = json.loads(RENDERED["compare.json"])["cells"][3]["metrics"][0]
    assert (change["low"], change["high"], change["unbounded"]) == (None, None, ["low", "high"])


def test_the_summary_counts_verdicts_and_what_is_on_one_side_only() -> None:
    assert summary(COMPARISON) == (
        "compared 4 cells: 1 worse, 1 failed, 1 cannot decide, 1 identical; only in A: 2 cells; only in B: 1 cell"
    )


def test_a_terminal_gets_escape_codes_only_in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in render_comparison(COMPARISON, "terminal", colour=True)
    assert "\x1b[" not in RENDERED["compare.txt"]
