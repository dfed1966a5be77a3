"""Where results come from."""

from __future__ import annotations

import subprocess
from pathlib import Path

from gtr_bench.schedule.provenance import git_state, provenance


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    return subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True
    ).stdout


def test_a_commit_is_named_and_a_change_makes_it_dirty(tmp_path: Path) -> None:
    git(tmp_path, "init")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "one")
    commit, dirty = git_state(tmp_path)
    assert commit == git(tmp_path, "rev-parse", "HEAD").strip()
    assert dirty is False
    (tmp_path / "file").write_text("2")
    assert git_state(tmp_path) == (commit, True)


def test_outside_of_a_checkout_nothing_is_claimed(tmp_path: Path) -> None:
    assert git_state(tmp_path) == (None, None)


def test_the_entry_of_cohort_json_has_the_fields_of_the_contract() -> None:
    entry = provenance(["gtr-bench", "run"], "text", "suites/x.toml")
    assert list(entry) == ["command", "suite_text", "suite_path", "git_sha", "git_dirty"]
    assert entry["command"] == ["gtr-bench", "run"]
