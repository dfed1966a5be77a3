"""A report says how a suite's values were chosen, in every format, and marks what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gtr_bench.report.build import build_report
from gtr_bench.report.formats import render
from gtr_bench.report.html import render_html
from gtr_bench.report.model import SuiteReport
from gtr_bench.report.terminal import render_terminal
from gtr_bench.suite.expand import Job
from gtr_bench.suite.load import parse_suite
from tests.report.conftest import SUITE

RECORD = """
[tuned]
suite = "swap"
scale = "laptop"
metric = "recovery_steps"
direction = "lower"
budget = 8
sampler = "qmc"
seeds = [9000, 9001]
tune_fraction = 0.5
phases = { cartpole_swap = 2, acrobot_swap = 2 }
command = "gtr-bench tune swap.toml --budget 8"
gtr_bench = "0.1.0"
finished = "2026-01-01T00:00:00+00:00"

[tuned.algorithm.ppo]
trials = 8
values = { clip_range = 0.2, learning_rate = 2.5e-4 }
ranges = { clip_range = "0.05:0.8:log", learning_rate = "1e-4:1e-2:log" }
score = 900.5
suite_score = 950.0
diverged = 1

[tuned.algorithm.gtr]
trials = 8
values = { sigma = 0.5, learning_rate = 2.5e-4 }
ranges = { sigma = "0.05:2:log", learning_rate = "1e-4:1e-2:log" }
score = 700.0
"""
TUNED = SUITE + RECORD
STATED = 'id = "gtr"\nsigma = 0.5'
ACROBOT = 'id = "acrobot_swap"\n'
OF_GTR = RECORD[RECORD.index("[tuned.algorithm.gtr]") :]
SENTENCE = (
    "tuned by recovery_steps (lower is better) with 8 trials per algorithm (qmc) on seeds 9000-9001 and the "
    "first 2 phases of swap, scale laptop"
)

Reported = Callable[[str], SuiteReport]


@pytest.fixture
def results(jobs: list[Job], fill: Callable[..., Path]) -> Path:
    return fill(jobs, text=TUNED)


@pytest.fixture
def reported(results: Path, tmp_path: Path) -> Reported:
    def report(text: str) -> SuiteReport:
        path = tmp_path / "asked.toml"
        path.write_text(text)
        (found,) = build_report([results], suite=str(path)).suites
        return found

    return report


def marks(suite: SuiteReport) -> tuple[str, ...]:
    return tuple(suite.tuning.marks)


def test_the_record_moves_no_job_of_the_suite() -> None:
    ids = [[job.id for job in parse_suite(text, path="x.toml").jobs()] for text in (SUITE, TUNED)]
    assert ids[0] == ids[1]


@pytest.mark.parametrize("form", ["terminal", "markdown", "html", "latex"])
def test_every_format_says_what_was_tuned_and_shows_the_values(results: Path, form: str) -> None:
    report = build_report([results])
    text = {"terminal": render_terminal, "html": render_html}.get(form, lambda each: render(each, form))(report)
    plain = " ".join(text.replace("\\", "").replace("|", " ").split())
    for words in (SENTENCE, "sigma = 0.5", "0.05:2:log", "900.5", "950", "1 jobs diverged", "tuned until 2026-01-01"):
        assert words in plain, words


def test_json_has_the_record_and_the_sentence(results: Path) -> None:
    (suite,) = json.loads(render(build_report([results]), "json"))["suites"]
    assert SENTENCE in suite["statements"]
    ppo, gtr = suite["tuning"]["algorithms"]
    assert (ppo["trials"], ppo["score"], ppo["suite_score"], ppo["diverged"]) == (8, 900.5, 950.0, 1)
    assert gtr["values"] == {"sigma": 0.5, "learning_rate": 2.5e-4}
    assert suite["tuning"]["seeds"] == [9000, 9001]


def test_a_suite_without_a_record_says_nothing_of_tuning(reported: Reported) -> None:
    suite = reported(SUITE)
    assert suite.tuning is None
    assert not any("tuned" in note for note in suite.notes)


def test_what_is_as_it_was_tuned_has_no_mark(reported: Reported) -> None:
    assert marks(reported(TUNED)) == ()


@pytest.mark.parametrize(
    ("old", "new", "mark"),
    [
        (STATED, STATED.replace("0.5", "0.4"), "edited after tuning: the values of gtr are not"),
        (ACROBOT, ACROBOT + "training.learning_rate = 1e-3\n", "edited after tuning: the values of ppo, gtr are not"),
        ("seeds = [9000, 9001]", "seeds = [3, 4, 9001]", "seeds used in tuning are reported: 3-4"),
        ("trials = 8\nvalues = { s", "trials = 16\nvalues = { s", "unequal tuning: ppo 8 trials, gtr 16 trials"),
        (OF_GTR, "", "unequal tuning: ppo 8 trials, gtr 0 trials"),
        ('{ sigma = "0.05:2:log", ', "{ ", "unequal search: ppo 2 parameters, gtr 1 parameter"),
        ('metric = "recovery_steps"\nd', 'metric = "phase_auc"\nd', "tuned by phase_auc, not by the primary metric"),
    ],
)
def test_what_is_wrong_is_marked_among_the_notes_over_all_tables(
    reported: Reported, old: str, new: str, mark: str
) -> None:
    assert old in TUNED
    suite = reported(TUNED.replace(old, new))
    assert [each.startswith(mark) for each in marks(suite)] == [True]
    assert marks(suite)[0] in suite.notes


def test_an_edited_algorithm_is_marked_in_its_row(reported: Reported) -> None:
    suite = reported(TUNED.replace(STATED, STATED.replace("0.5", "0.4")))
    assert {each.algorithm: each.mark for each in suite.tuning.algorithms} == {"ppo": "", "gtr": "edited after tuning"}


def test_an_algorithm_that_was_tuned_and_left_out_is_shown(reported: Reported) -> None:
    suite = reported(TUNED + OF_GTR.replace("algorithm.gtr", "algorithm.spo"))
    assert [(each.algorithm, each.shown) for each in suite.tuning.algorithms][-1] == ("spo", False)
    assert marks(suite) == ()
