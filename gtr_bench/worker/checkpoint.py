"""A cohort's checkpoint: a folder with what its run saved, what the worker must not forget, and digests of both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gtr_bench.errors import GtrBenchError, ResultsError, disk_fault
from gtr_bench.files import replace_folder, whole_folder, write_json
from gtr_bench.learners.base import Run
from gtr_bench.worker.failures import reason_of

__all__ = ["load_checkpoint", "origin_of", "save_checkpoint"]

_FORMAT = 3  # 1 was a single file, 2 had no digests
_OWN = "worker.json"
_SUMS = "SHA256SUMS"  # as `sha256sum` writes it


def origin_of(cohort: Mapping[str, Any], versions: Mapping[str, str]) -> dict[str, Any]:
    """What a checkpoint says of where it comes from: cohort, commit, and the versions of what is installed."""
    provenance = cohort["provenance"]
    git = {name: provenance.get(name) for name in ("git_sha", "git_dirty")}
    return {"cohort": cohort["id"], **git, "versions": dict(versions)}


def save_checkpoint(path: Path, run: Run, spent: Mapping[str, float], origin: Mapping[str, Any]) -> None:
    """Replace the checkpoint: at every instant there is a whole one, the old or the new.

    Args:
        path: the folder.
        run: what is saved.
        spent: seconds of all workers so far, by kind.
        origin: of `origin_of`.

    Raises:
        OSError: the disk refused; the old one is still there.
    """

    def fill(folder: Path) -> None:
        run.save(folder)
        write_json(folder / _OWN, {"format": _FORMAT, **origin, "step": run.step, "spent": dict(spent)})
        (folder / _SUMS).write_text(_sums(folder))

    replace_folder(path, fill)


def load_checkpoint(path: Path, run: Run, cohort: str) -> dict[str, float] | None:
    """Let `run` continue from the newest whole checkpoint; what was spent until then, None when there is none.

    Nothing is loaded from a file whose digest differs, so no damage is taken for data.

    Args:
        path: the folder.
        run: nothing was trained in it yet.
        cohort: the id of the cohort it must be of.

    Raises:
        ResultsError: it is damaged, of another cohort or of another format; `run` may be half loaded then.
        Exception: memory or the disk, not the checkpoint, kept it from being read.
    """
    folder = whole_folder(path)
    if folder is None:
        return None
    try:
        return _load(folder, run, cohort)
    except Exception as error:
        # What an environment raises when its episodes are played again is no damage either.
        if disk_fault(error) is not None or reason_of(error) == "oom" or isinstance(error, GtrBenchError):
            raise
        raise ResultsError(f"`{path.name}` is damaged ({type(error).__name__})") from error


def _load(folder: Path, run: Run, cohort: str) -> dict[str, float]:
    if not (folder / _SUMS).exists():
        raise ResultsError(f"`{folder.name}` has no `{_SUMS}`: it is of an earlier version, or damaged")
    if (folder / _SUMS).read_bytes() != _sums(folder).encode():
        raise ResultsError(f"`{folder.name}` is damaged: its files differ from its `{_SUMS}`")
    own = json.loads((folder / _OWN).read_text())
    if own["format"] != _FORMAT:
        raise ResultsError(f"`{folder.name}` has format {own['format']}, this program reads {_FORMAT}")
    if own["cohort"] != cohort:
        raise ResultsError(f"`{folder.name}` is of the cohort {own['cohort']}")
    spent = {name: float(own["spent"][name]) for name in ("wall_seconds", "cpu_seconds")}
    run.load(folder)
    return spent


def _sums(folder: Path) -> str:
    """A line per file: its SHA-256 and its name."""
    lines = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file() and each != folder / _SUMS):
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        lines.append(f"{digest}  {path.relative_to(folder).as_posix()}\n")
    return "".join(lines)
