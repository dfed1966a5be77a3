"""Whether a checkpoint was left by the code that runs now: a job that failed goes on from it only then."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gtr_bench.errors import ResultsError
from gtr_bench.schedule.folders import read_json
from gtr_bench.store.provenance import packages

__all__ = ["difference_of_code"]


def difference_of_code(checkpoint: Path, provenance: Mapping[str, Any]) -> str | None:
    """What differs between the code that left a checkpoint and this one, in a few words; None if nothing does.

    Args:
        checkpoint: the folder.
        provenance: of this run, as in cohort.json.
    """
    try:
        left = read_json(checkpoint / "worker.json")
        before, versions = left["git_sha"], dict(left["versions"])
        unclean = left["git_dirty"] or provenance["git_dirty"]
    except (ResultsError, KeyError, TypeError, ValueError):
        return "what code left it is unknown"
    now = provenance["git_sha"]
    if before != now:
        return f"commit {_short(before)} then, {_short(now)} now"
    if unclean:
        return "the code has changes that are in no commit"
    current = packages()
    for name in sorted(versions.keys() | current.keys()):
        if versions.get(name) != current.get(name):
            return f"{name} {versions.get(name, 'absent')} then, {current.get(name, 'absent')} now"
    return None


def _short(commit: object) -> str:
    return commit[:12] if isinstance(commit, str) else "unknown"
