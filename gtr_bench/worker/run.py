"""Drive one cohort's training: resume, checkpoint, stop, store."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from gtr_bench.errors import ResultsError
from gtr_bench.learn.training import Training
from gtr_bench.worker.checkpoint import load_checkpoint, save_checkpoint
from gtr_bench.worker.heartbeat import Heartbeat
from gtr_bench.worker.storing import Storing

__all__ = ["run_cohort"]


def run_cohort(
    cohort: Mapping[str, Any], folder: Path, heartbeat: Heartbeat, stop: Callable[[], bool], begun: Callable[[], None]
) -> bool:
    """Train the cohort of `folder` to its end; False when `stop` asked for a checkpoint before that.

    Args:
        cohort: content of cohort.json.
        folder: `<results>/cohorts/<id>`.
        heartbeat: told where training stands.
        stop: asked after every iteration.
        begun: called after the first iteration: what fails before is a start-up failure.
    """
    torch.set_num_threads(int(cohort["threads"]))
    # units saturated late in a long life fill gradients and moments with denormal numbers, a hundred times slower
    torch.set_flush_denormal(True)
    device = torch.device(cohort["device"])
    storing = Storing(cohort, folder.parent.parent)
    training = Training([job["definition"] for job in cohort["jobs"]], device, heartbeat.follow)
    for partial in folder.glob(".checkpoint.pt.*.partial"):  # of a worker killed while it wrote
        partial.unlink()
    saved = _resume(folder / "checkpoint.pt", device)
    if saved is not None:
        training.load_state(saved["training"])
        storing.earlier = saved["spent"]
    heartbeat.started(training)
    last = time.monotonic()

    def checkpoint() -> None:
        nonlocal last
        with training.clock.measure("storing"):
            save_checkpoint(folder / "checkpoint.pt", {"training": training.state(), "spent": storing.spent()})
            storing.rows(training)
        last = time.monotonic()

    def after_iteration() -> bool:
        begun()
        if stop():
            return False
        if time.monotonic() - last >= cohort["checkpoint_seconds"]:
            checkpoint()
        return True

    training.run(after_iteration)
    if not training.finished:
        checkpoint()
        training.close()
        heartbeat.say("stopped", training)
        return False
    with training.clock.measure("storing"):
        save_checkpoint(folder / "checkpoint.pt", {"training": training.state(), "spent": storing.spent()})
        storing.finish(training)
        (folder / "checkpoint.pt").unlink(missing_ok=True)  # every job is done: nothing is left to resume
    training.close()
    heartbeat.say("done", training)
    return True


def _resume(path: Path, device: torch.device) -> dict[str, Any] | None:
    """The checkpoint's state; None when there is none or it is damaged, which is put aside and told in the log.

    Raises ResultsError when memory or the disk, not the file, kept it from being read.
    """
    try:
        return load_checkpoint(path, device)
    except ResultsError as error:
        if isinstance(error.__cause__, MemoryError | OSError):
            raise
        aside = path.with_name("checkpoint.damaged")
        path.replace(aside)
        print(f"{error.sentence}; kept as `{aside.name}`, the cohort is trained anew", flush=True)
        return None
