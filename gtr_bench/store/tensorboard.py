"""Results as event files, which TensorBoard reads: a run folder per job."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from gtr_bench.errors import MissingExtraError, RequestError
from gtr_bench.names import file_name
from gtr_bench.store.export import tidy
from gtr_bench.store.reader import Warn, warn_on_stderr

__all__ = ["EVENT_FILE", "write_runs"]

EVENT_FILE = "events.out.tfevents.gtr-bench"
"""The name of every event file; TensorBoard looks for `tfevents` in it."""

_LABELS = ("suite", "scale", "sequence", "algorithm")
_UNKNOWN = "unknown"


def write_runs(results: Sequence[Path], out: Path, *, warn: Warn = warn_on_stderr) -> int:
    """Write `<out>/<suite>/<scale>/<sequence>/<algorithm>/seed_<seed>/`, with an event file in each; returns how many.

    Scalars against environment steps of the job, as float32, which is all that TensorBoard has: `evaluation/COLUMN` in
    the phase that is trained (`evaluation/phase_N/COLUMN` in others), `achievement/NAME`, and `iteration/COLUMN`. A
    null is no point. The parameters are the run's hyperparameters. What was exported to `out` before is replaced.

    Args:
        results: results folders; a job in two of them counts once.
        out: the folder; nothing is there under this name before all is written.
        warn: called with a sentence for each file that was left out.

    Raises:
        MissingExtraError: TensorBoard is not installed.
        RequestError: no jobs, or `out` cannot be written or holds something else.
    """
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        raise MissingExtraError("`--format tensorboard`", "tensorboard") from None
    _refuse_foreign(out)
    parts: dict[str, dict[str, pa.Table]] = {}
    for what in ("evaluations", "iterations"):
        for job, table in _by_job(tidy(results, what, warn=warn)):
            parts.setdefault(job, {})[what] = table
    names = _run_names({job: next(iter(tables.values())).slice(0, 1).to_pylist()[0] for job, tables in parts.items()})
    target = out.resolve()
    try:
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
        try:
            for job, tables in parts.items():
                folder = partial / "runs" / names[job]
                folder.mkdir(parents=True)
                _write_run(folder / EVENT_FILE, job, tables)
            if target.exists():
                os.rename(target, partial / "before")
            os.rename(partial / "runs", target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise RequestError(f"`{out}` cannot be written: {error.strerror or error}") from error
    return len(parts)


def _refuse_foreign(out: Path) -> None:
    """Raise RequestError where replacing the folder would remove anything but an export."""
    if not os.path.lexists(out):
        return
    found = [each for each in out.rglob("*") if not each.is_dir() or each.is_symlink()] if out.is_dir() else [out]
    foreign = next((each for each in found if each.name != EVENT_FILE), None)
    if foreign is not None or out.is_symlink():
        raise RequestError(
            f"`{out}` holds something else than an export: `{foreign or out}`", hint="name a folder of its own"
        )


def _by_job(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """The rows of each job, which follow each other."""
    jobs = table["job"].to_pylist()
    start = 0
    for end in range(1, len(jobs) + 1):
        if end == len(jobs) or jobs[end] != jobs[start]:
            yield jobs[start], table.slice(start, end - start)
            start = end


def _run_names(labels: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Job id -> path of its run; jobs with the same labels (of suites that changed) are told apart by their ids."""
    wanted = {
        job: "/".join([*(file_name(row[name] or _UNKNOWN) for name in _LABELS), f"seed_{_seed(row)}"])
        for job, row in labels.items()
    }
    times = Counter(wanted.values())
    return {job: name if times[name] == 1 else f"{name}_{job}" for job, name in wanted.items()}


def _seed(row: Mapping[str, Any]) -> str:
    return _UNKNOWN if row["seed"] is None else str(row["seed"])


def _write_run(path: Path, job: str, tables: Mapping[str, pa.Table]) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb
    from tensorboard.summary.writer.record_writer import RecordWriter

    row = next(iter(tables.values())).slice(0, 1).to_pylist()[0]
    settings = {
        name.removeprefix("parameter."): value
        for name, value in row.items()
        if name.startswith("parameter.") and value is not None
    }
    with open(path, "wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(file_version="brain.Event:2").SerializeToString())
        hyperparameters = hparams_pb(settings, trial_id=job, start_time_secs=0)
        writer.write(Event(step=0, summary=hyperparameters).SerializeToString())
        for what, table in tables.items():
            for step, scalars in _scalars(what, table):
                values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]
                writer.write(Event(step=step, summary=Summary(value=values)).SerializeToString())


def _scalars(what: str, table: pa.Table) -> Iterator[tuple[int, dict[str, float]]]:
    """Step and tag -> value of each row."""
    first = table.column_names.index("job") + 1
    names = [name for name in table.column_names[first:] if not name.startswith("parameter.")]
    for row in table.select(names).to_pylist():
        if what == "iterations":
            yield row["step"], _numbers("iteration/", row)
        else:
            elsewhere = row["evaluated_phase"] != row["phase"]
            prefix = f"phase_{row['evaluated_phase']}/" if elsewhere else ""
            achievements = dict(row.pop("achievements") or ())
            scalars = _numbers(f"evaluation/{prefix}", row)
            yield row["step"], scalars | {f"achievement/{prefix}{name}": rate for name, rate in achievements.items()}


def _numbers(prefix: str, row: Mapping[str, Any]) -> dict[str, float]:
    return {
        f"{prefix}{name}": float(value)
        for name, value in row.items()
        if name not in {"step", "evaluated_phase", "point"} and value is not None
    }
