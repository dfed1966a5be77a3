"""The ledger of requests as a user meets it: run, look, edit the claim, report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Program

CARTPOLE = 'env = "gym:CartPole-v1"\nshift = { kind = "action_permutation", cycle = 2 }'
CLAIM = """
[[claim]]
id = "higher"
better = "ppo"
than = "spo"
metric = "lifetime_return"
direction = "higher"
margin = 1.5
"""

pytestmark = pytest.mark.slow


def requests(program: Program, suite: str = "tiny-laptop") -> list[str]:
    return sorted(path.name for path in (program.folder / "results" / "requests" / suite).iterdir())


def claim(program: Program, *arguments: str) -> dict[str, Any]:
    answer = program("report", *arguments, "--json")
    assert answer.returncode == 0, answer.stderr
    (suite,) = json.loads(answer.stdout)["suites"]
    (found,) = suite["claims"]
    return dict(found)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture
def suite(program: Program) -> Path:
    program.write_suite({"swap": CARTPOLE}, ["ppo", "spo"])
    path = program.folder / "tiny.toml"
    path.write_text(path.read_text() + CLAIM)
    return path


def test_a_claim_edited_after_the_results_is_marked_and_running_it_again_does_not_make_it_registered(
    program: Program, suite: Path
) -> None:
    assert program("run", "tiny.toml", "-j", "1").returncode == 0
    assert requests(program) == ["0001.toml"]
    assert program("run", "tiny.toml", "-j", "1").returncode == 0
    assert requests(program) == ["0001.toml"]
    assert claim(program)["changed"] == ""
    assert claim(program, "--suite", "tiny.toml")["changed"] == ""

    edit(suite, "margin = 1.5", "margin = 0.5")
    what = "margin 1.5 -> 0.5"
    edited = claim(program, "--suite", "tiny.toml")
    assert (edited["margin"], edited["changed"]) == (0.5, f"not registered: differs from what was run: {what}")
    assert claim(program)["margin"] == 1.5

    ended = program("run", "tiny.toml", "-j", "1")
    assert "trained 0" in ended.stderr
    assert requests(program) == ["0001.toml", "0002.toml"]
    for arguments in ((), ("--suite", "tiny.toml")):
        marked = claim(program, *arguments)
        assert marked["changed"].startswith(f"changed after results: {what} in request 2 of 20")
    assert "(changed after results)" in program("report").stdout
    assert claim(program, "--suite", "results/requests/tiny-laptop/0001.toml")["changed"] == ""


def test_two_runs_at_once_of_two_texts_are_both_recorded(program: Program, suite: Path) -> None:
    (program.folder / "other.toml").write_text(suite.read_text().replace("margin = 1.5", "margin = 0.5"))
    running = [program.start("run", name, "-j", "1") for name in ("tiny.toml", "other.toml")]
    for each in running:
        _, stderr = each.communicate(timeout=300)
        assert each.returncode == 0, stderr
    assert requests(program) == ["0001.toml", "0002.toml"]
    assert claim(program)["margin"] in (0.5, 1.5)


def test_statements_of_a_path_over_finished_jobs_are_marked(program: Program, suite: Path) -> None:
    """`ablate --path` compares algorithms whose jobs may all be there already."""
    path = ("ablate", "--path", "--components", "kernel", "--suite", "tiny.toml", "--seeds", "2", "-j", "1")
    edit(suite, 'id = "spo"', 'id = "spo"\n\n[[algorithm]]\nid = "gtr"')
    first = program(*path, "--json")
    assert first.returncode == 0, first.stderr
    name = "path-tiny-kernel-laptop"
    assert requests(program, name) == ["0001.toml"]
    (found,) = json.loads(first.stdout)["suites"]
    assert {each["changed"] for each in found["claims"]} == {""}
    again = program(*path, "--json")
    assert json.loads(again.stdout)["suites"] == [found]
    for each in (program.folder / "results" / "requests" / name).iterdir():
        each.unlink()
    late = program(*path, "--json")
    assert requests(program, name) == ["0001.toml"]
    (suite_,) = json.loads(late.stdout)["suites"]
    assert "claims and comparisons were registered before the ledger of requests: time unknown" in suite_["notes"]
