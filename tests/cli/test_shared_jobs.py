"""Suites that share jobs: whoever trained them first labels them, and all are reported."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from gtr_bench.suite import Suite
from gtr_bench.suite.load import load_suite, parse_suite


@pytest.fixture
def study(cli: Any) -> Suite:
    """A study with the jobs of `tiny.toml` and one setting more, as `ablate` leaves it."""
    path = cli.results / "studies" / "mine" / "suite.toml"
    path.parent.mkdir(parents=True)
    text = (cli.folder / "tiny.toml").read_text().replace('name = "tiny"', 'name = "mine"')
    path.write_text(text + '\n[[algorithm]]\nid = "fast"\nuse = "ppo"\nlearning_rate = 0.01\n')
    suite = load_suite(path)
    cli.fill(suite)
    return suite


def names(cli: Any, *arguments: str) -> list[str]:
    answer = cli("report", *arguments, "--json")
    assert answer.returncode == 0, answer.stderr
    return [suite["suite"] for suite in json.loads(answer.stdout)["suites"]]


def test_a_suite_whose_jobs_another_trained_is_reported_by_name_once_it_was_run(cli: Any, study: Suite) -> None:
    assert names(cli) == ["mine"]
    assert cli("report", "--suite", "tiny").returncode == 2
    ran = cli("run", "tiny.toml")
    assert ran.returncode == 0
    assert "done: 4 jobs; trained 0" in ran.stderr
    assert names(cli, "--suite", "tiny") == ["tiny"]
    assert names(cli) == ["tiny"]
    shutil.rmtree(cli.results / "requests")
    assert names(cli) == ["mine"]


def test_a_request_that_cannot_be_recorded_is_told_and_ends_no_run(cli: Any) -> None:
    cli.fill(load_suite(cli.folder / "tiny.toml"))
    (cli.results / "requests").write_text("in the way")
    ran = cli("run", "tiny.toml")
    assert ran.returncode == 0
    sentence = "this request is not recorded, so reports cannot tell when it was made: Not a directory"
    assert ran.stderr.splitlines().count(sentence) == 1
    assert names(cli) == ["tiny"]


def test_a_kept_text_does_not_override_the_text_stored_with_jobs(cli: Any) -> None:
    cli.fill(load_suite(cli.folder / "tiny.toml"))
    cli.write_suite(seeds=5)
    (cli.results / "suites").mkdir()
    (cli.results / "suites" / "tiny-laptop.toml").write_text((cli.folder / "tiny.toml").read_text())
    (suite,) = json.loads(cli("report", "--json").stdout)["suites"]
    assert suite["jobs"] == {"complete": 4, "diverged": 0, "failed": 0, "missing": 0}


def test_a_kept_suite_without_any_job_is_not_shown(cli: Any, study: Suite) -> None:
    (cli.results / "suites").mkdir()
    text = (cli.folder / "tiny.toml").read_text().replace("steps_per_phase = 1024", "steps_per_phase = 4096")
    assert parse_suite(text, path="x.toml").jobs()
    (cli.results / "suites" / "tiny-laptop.toml").write_text(text)
    assert names(cli) == ["mine"]


def test_studies_are_left_out_beside_other_suites_and_the_report_says_how_to_see_them(cli: Any, study: Suite) -> None:
    alone = cli("report")
    assert "left out" not in alone.stdout
    assert cli("run", "tiny.toml").returncode == 0
    answer = cli("report", COLUMNS="200")
    line = "1 study is left out (mine): `--suite NAME` shows one, `gtr-bench ablate` what it found"
    assert answer.stdout.splitlines().count(line) == 1
    assert "fast" not in answer.stdout
    assert answer.stderr == ""
    assert names(cli, "--suite", "mine") == ["mine"]
    explained = cli("report", "--explain", "mine/laptop/lifetime_return/cartpole/fast")
    assert explained.returncode == 0, explained.stderr
