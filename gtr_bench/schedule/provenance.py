"""What a cohort.json says about where its jobs come from: command line, suite text, git state of this checkout."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["git_state", "provenance"]


def git_state(folder: Path | None = None) -> tuple[str | None, bool | None]:
    """(commit, whether tracked files differ from it) of the checkout this package runs from.

    (None, None) for an installed package, which lies in no checkout of this project, or without git.
    """
    project = folder or Path(__file__).resolve().parents[2]
    if not (project / ".git").exists():
        return None, None
    try:
        commit, changes = (
            subprocess.run(
                ["git", "-C", str(project), *arguments], capture_output=True, text=True, timeout=10, check=True
            ).stdout
            for arguments in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        )
    except (OSError, subprocess.SubprocessError):
        return None, None
    return commit.strip(), bool(changes.strip())


def provenance(command: Sequence[str], suite_text: str, suite_path: str) -> dict[str, Any]:
    """The `provenance` entry of cohort.json, equal for all cohorts of one run."""
    commit, dirty = git_state()
    return {
        "command": list(command),
        "suite_text": suite_text,
        "suite_path": suite_path,
        "git_sha": commit,
        "git_dirty": dirty,
    }
