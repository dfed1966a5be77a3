"""The rows are the source's, each with where it is from."""

from __future__ import annotations

from collections import Counter
from math import fsum
from pathlib import Path

import pytest

from gtr_bench.errors import RequestError
from gtr_bench.published import rows as module
from gtr_bench.published.rows import FOLDER, about, environments, marks_of, published_rows, source_text, value_text


def test_there_are_as_many_rows_of_each_domain_as_were_gathered() -> None:
    counts = {"llm-math": 346, "procgen": 267, "atari": 259, "mujoco": 226, "dmc": 132, "continual-world": 57}
    counts |= {"gym-control": 30, "brax": 21, "gym-classic": 20, "craftax": 16, "crafter": 16, "coom": 9, "minatar": 2}
    assert Counter(row.domain for row in published_rows()) == counts


@pytest.mark.parametrize(
    ("algorithm", "total"), [("PPO", 55.049), ("TRAC", 77.291), ("ReDo", 61.180), ("C-CHAIN", 102.254)]
)
def test_the_columns_of_c_chains_table_on_procgen_sum_to_what_was_checked(algorithm: str, total: float) -> None:
    values = [
        row.value
        for row in about("level-shift hard")
        if row.algorithm == algorithm and row.metric == "lifetime average episode return"
    ]
    assert len(values) == 16
    assert fsum(values) == pytest.approx(total, abs=5e-4)


def test_every_row_has_a_source_and_says_what_it_is_a_number_of() -> None:
    for row in published_rows():
        assert all((row.source, row.environment, row.algorithm, row.metric)), row
        assert 2015 <= row.year <= 2030
        assert row.seeds is None or row.seeds > 0
        assert row.budget_steps is None or row.budget_steps > 0


def test_a_file_holds_one_domain_and_is_called_like_it() -> None:
    files = sorted(FOLDER.glob("*.csv"))
    assert {file.stem for file in files} == {row.domain.replace("-", "_") for row in published_rows()}
    for file in files:
        table = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        assert len(table) - 1 == sum(row.domain.replace("-", "_") == file.stem for row in published_rows())


def test_no_row_has_an_address_or_a_place_on_a_machine() -> None:
    for file in FOLDER.iterdir():
        text = file.read_text(encoding="utf-8")
        assert not [word for word in ("http", "/home", "/work", "/tmp", "file:") if word in text], file


def test_a_value_is_printed_with_the_digits_and_the_spread_of_its_source() -> None:
    by_algorithm = {row.algorithm: value_text(row) for row in about("starpilot level-shift hard")}
    assert by_algorithm["Weight Clipping"] == "8.200 ± 0.729 (standard error)"
    continual = {(row.algorithm, row.metric): value_text(row) for row in about("CW20")}
    assert continual["Fine-tuning (SAC)", "average performance"] == "0.0545 [0.0529; 0.0563] (90% bootstrap CI)"


def test_an_environment_is_found_by_its_name_or_a_part_of_it() -> None:
    assert {row.environment for row in about("CW20")} == {"CW20"}
    parts = {row.environment for row in about("StarPilot")}
    assert "starpilot level-shift hard" in parts
    assert all("starpilot" in name for name in parts)
    assert {row.environment for row in about("CW10")} == {"CW10"}, "a whole name means itself alone"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("starpilto", "did you mean `starpilot`?"),
        ("CW21", "did you mean `CW20`?"),
        ("", "`gtr-bench list published` has all"),
        ("no such thing", "`gtr-bench list published` has all"),
    ],
)
def test_an_unknown_environment_is_refused_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(RequestError) as caught:
        about(name)
    assert caught.value.sentence == f"unknown published environment `{name}`"
    assert caught.value.hint == hint


def test_a_source_has_one_mark_and_its_year_once() -> None:
    marks = marks_of(published_rows())
    assert list(marks.values()) == [f"[{number}]" for number in range(1, len(marks) + 1)]
    assert {source_text(row) for row in published_rows()} == set(marks)
    assert not [source for source in marks if source.count("2025") > 1]


def test_without_the_folder_a_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    with pytest.raises(RequestError, match="not installed here"):
        environments()
