"""Suites are kept by name and scale, and what lies among them is trusted no further than a suite file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gtr_bench.store.suites import keep_suite, kept_suites
from gtr_bench.suite.expand import Suite
from gtr_bench.suite.load import parse_suite

TEXT = """
[suite]
name = "swap"
question = "Is it kept?"
primary_metric = "lifetime_return"

[scale.laptop]
seeds = 2
steps_per_phase = 4096

[scale.full]
seeds = 3
steps_per_phase = 4096

[[sequence]]
id = "cartpole"
env = "gym:CartPole-v1"

[[algorithm]]
id = "ppo"
"""


@pytest.fixture
def suite() -> Suite:
    return parse_suite(TEXT, path="swap.toml", scale="full")


def never(sentence: str) -> None:
    raise AssertionError(sentence)


def test_a_kept_suite_comes_back_at_its_scale(tmp_path: Path, suite: Suite) -> None:
    keep_suite(tmp_path, suite)
    assert [path.name for path in (tmp_path / "suites").iterdir()] == ["swap-full.toml"]
    (found,) = kept_suites([tmp_path, tmp_path], [], never)
    assert (found.name, found.scale, found.text) == ("swap", "full", TEXT)
    assert [job.id for job in found.jobs()] == [job.id for job in suite.jobs()]


def test_the_newest_text_of_a_suite_is_kept(tmp_path: Path, suite: Suite) -> None:
    keep_suite(tmp_path, suite)
    keep_suite(tmp_path, parse_suite(TEXT + "# new\n", path="swap.toml", scale="full"))
    assert [found.text for found in kept_suites([tmp_path], [], never)] == [TEXT + "# new\n"]


def test_a_study_in_the_folder_is_not_kept_again(tmp_path: Path) -> None:
    path = tmp_path / "studies" / "swap" / "suite.toml"
    keep_suite(tmp_path, parse_suite(TEXT, path=str(path)))
    assert list(tmp_path.iterdir()) == []


def test_known_suites_are_not_even_read(tmp_path: Path, suite: Suite) -> None:
    keep_suite(tmp_path, suite)
    (tmp_path / "suites" / "swap-full.toml").write_text("[[")
    assert list(kept_suites([tmp_path], [("swap", "full")], never)) == []


def test_broken_and_misnamed_files_are_warnings(tmp_path: Path, suite: Suite) -> None:
    folder = tmp_path / "suites"
    keep_suite(tmp_path, suite)
    (folder / "broken.toml").write_text("[[")
    (folder / "bytes.toml").write_bytes(b"\xff\xfe")
    (folder / "other-laptop.toml").write_text(TEXT)
    (folder / "folder.toml").mkdir()
    told: list[str] = []
    assert [found.name for found in kept_suites([tmp_path], [], told.append)] == ["swap"]
    assert len(told) == 3
    for name, sentence in zip(("broken", "bytes", "other-laptop"), told, strict=True):
        assert sentence.startswith(f"left out `{folder / name}.toml`: ")
