"""What an error suggests, on the command line and in Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gtr_bench.errors import RequestError, did_you_mean

PARAMETERS = ("num_envs", "learning_rate", "learning_rate_schedule", "value_clip_range", "clip_range", "gamma")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("clip", "clip_range"),
        ("range", "clip_range"),
        ("value_clip", "value_clip_range"),
        ("learning", "learning_rate"),
        ("envs", "num_envs"),
        ("gamm", "gamma"),
        ("learning_rat", "learning_rate"),
        ("clip_rnge", "clip_range"),
    ],
)
def test_a_word_of_a_name_and_a_misspelt_name_both_suggest_it(name: str, wanted: str) -> None:
    assert did_you_mean(name, PARAMETERS) == f"did you mean `{wanted}`?"


@pytest.mark.parametrize("name", ["sigma_", "xyz", "", "c", "cl"])
def test_where_nothing_is_near_all_names_are_listed_or_the_nearest_is_no_single_letters_beginning(name: str) -> None:
    assert "clip_range`?" not in did_you_mean(name, PARAMETERS)


def test_an_error_in_python_shows_its_hint_below_the_sentence() -> None:
    code = "import gtr_bench; gtr_bench.report('nowhere', metrics=['phase_fnal'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    *_, sentence, hint = done.stderr.splitlines()
    assert sentence.endswith("UnknownNameError: unknown metric `phase_fnal`")
    assert hint == "hint: did you mean `phase_final`?"


def test_a_wrong_attribute_in_python_is_answered_with_the_nearest() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import gtr_bench; gtr_bench.lod"], capture_output=True, text=True, check=False
    )
    assert done.stderr.endswith("Did you mean: 'load'?\n")


def test_a_results_folder_with_a_near_name_is_suggested(tmp_path: Path) -> None:
    import gtr_bench

    (tmp_path / "quick" / "jobs").mkdir(parents=True)
    (tmp_path / "quack").mkdir()
    for call in (gtr_bench.load, gtr_bench.report):
        with pytest.raises(RequestError) as caught:
            call(tmp_path / "quik")
        assert caught.value.hint == f"did you mean `{tmp_path / 'quick'}`?"
    with pytest.raises(RequestError) as caught:
        gtr_bench.load(tmp_path / "something_else")
    assert caught.value.hint == "`gtr-bench run SUITE --results DIR` makes one"
