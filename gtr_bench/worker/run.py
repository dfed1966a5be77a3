"""Drive one cohort's training: resume, checkpoint, stop, store."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gtr_bench.errors import ResultsError, disk_fault
from gtr_bench.files import remove_folder, whole_folder
from gtr_bench.learners.base import Run
from gtr_bench.learners.registry import kind_of
from gtr_bench.worker.checkpoint import load_checkpoint, origin_of, save_checkpoint
from gtr_bench.worker.failures import reason_of
from gtr_bench.worker.heartbeat import HeartbeatWriter
from gtr_bench.worker.storing import Storing

__all__ = ["run_cohort"]

CHECKPOINT = "checkpoint"


def run_cohort(
    cohort: Mapping[str, Any],
    folder: Path,
    heartbeat: HeartbeatWriter,
    stop: Callable[[], bool],
    begun: Callable[[], None],
) -> bool:
    """Train the cohort of `folder` to its end; False when `stop` asked for a checkpoint before that.

    Args:
        cohort: content of cohort.json.
        folder: `<results>/cohorts/<id>`.
        heartbeat: told where training stands.
        stop: asked after every iteration.
        begun: called after the first iteration: what fails before is a start-up failure.
    """
    storing = Storing(cohort, folder.parent.parent)
    run, storing.earlier = _begin(cohort, folder, heartbeat, storing.earlier)
    heartbeat.started(run)
    last = time.monotonic()

    def checkpoint() -> None:
        nonlocal last
        with run.clock.measure("storing"):
            save_checkpoint(folder / CHECKPOINT, run, storing.spent(), origin_of(cohort, storing.packages))
            heartbeat.saved(run)
            storing.rows(run)
        last = time.monotonic()

    def after_iteration() -> bool:
        begun()
        if stop():
            return False
        if time.monotonic() - last >= cohort["checkpoint_seconds"]:
            checkpoint()
        return True

    run.run(after_iteration)
    if not run.finished:
        checkpoint()
        run.close()
        heartbeat.say("stopped", run)
        return False
    with run.clock.measure("storing"):
        save_checkpoint(folder / CHECKPOINT, run, storing.spent(), origin_of(cohort, storing.packages))
        storing.finish(run)
        remove_folder(folder / CHECKPOINT)  # every job is done: nothing is left to resume
    run.close()
    heartbeat.say("done", run)
    return True


def _begin(
    cohort: Mapping[str, Any], folder: Path, heartbeat: HeartbeatWriter, unspent: dict[str, float]
) -> tuple[Run, dict[str, float]]:
    """The run, continued where there is a checkpoint, and what earlier workers spent on it.

    A damaged checkpoint is put aside, and that is told in the log and to the driver. Where memory or the disk, not the
    checkpoint, kept it from being read, their error is passed on.
    """
    definitions = [job["definition"] for job in cohort["jobs"]]

    def start() -> Run:
        return kind_of(definitions[0]).start(
            definitions, device=cohort["device"], threads=int(cohort["threads"]), pulse=heartbeat.follow
        )

    run, path = start(), folder / CHECKPOINT
    if whole_folder(path) is None:
        _pass_over_earlier_version(folder)
    try:
        return run, load_checkpoint(path, run, cohort["id"]) or unspent
    except ResultsError as error:
        if disk_fault(error) is not None or reason_of(error) == "oom":
            raise
        run.close()
        aside = folder / "checkpoint.damaged"
        shutil.rmtree(aside, ignore_errors=True)
        found = whole_folder(path)
        if found is not None:
            found.rename(aside)
        remove_folder(path)
        heartbeat.note(f"{error.sentence}; kept as `{aside.name}`, the cohort is trained anew")
        return start(), unspent


def _pass_over_earlier_version(folder: Path) -> None:
    """A checkpoint was a single file once; it cannot be continued from."""
    path = folder / "checkpoint.pt"
    if path.exists():
        path.unlink()
        print(f"`{path.name}` is of an earlier version: removed, the cohort is trained anew", flush=True)
