"""A cohort's checkpoint: a folder with what its run saved and what the worker must not forget."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from gtr_bench.errors import ResultsError
from gtr_bench.files import replace_folder, whole_folder, write_json
from gtr_bench.learners.base import Run

__all__ = ["load_checkpoint", "save_checkpoint"]

_FORMAT = 2  # 1 was a single file
_OWN = "worker.json"


def save_checkpoint(path: Path, run: Run, spent: Mapping[str, float]) -> None:
    """Replace the checkpoint: at every instant there is a whole one, the old or the new.

    Args:
        path: the folder.
        run: what is saved.
        spent: seconds of all workers so far, by kind.

    Raises:
        OSError: the disk refused; the old one is still there.
    """

    def fill(folder: Path) -> None:
        run.save(folder)
        write_json(folder / _OWN, {"format": _FORMAT, "spent": dict(spent)})

    replace_folder(path, fill)


def load_checkpoint(path: Path, run: Run) -> dict[str, float] | None:
    """Let `run` continue from the newest whole checkpoint; what was spent until then, None when there is none.

    Raises:
        ResultsError: it is damaged or of another format; `run` may be half loaded then.
    """
    folder = whole_folder(path)
    if folder is None:
        return None
    try:
        own = json.loads((folder / _OWN).read_text())
        written, spent = int(own["format"]), dict(own["spent"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultsError(f"`{path}` is not a readable checkpoint") from _blamed(error)
    if written != _FORMAT:
        raise ResultsError(f"`{path}` has another checkpoint format")
    run.load(folder)
    return spent


def _blamed(error: Exception) -> Exception | None:
    """The disk's error, if it is one; a file that is not there is none."""
    return None if isinstance(error, FileNotFoundError) else error
