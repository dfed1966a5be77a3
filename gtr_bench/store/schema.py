"""Arrow schemas of the three files a job leaves; docs/results.md says what every column means.

A column that is not defined for an algorithm, or not computed at that iteration, is null; NaN and infinity are kept
as they are, because they say that a number was computed and was not finite.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

__all__ = [
    "EVALUATIONS",
    "ITERATIONS",
    "JOB",
    "POINTS",
    "SCHEMA_KEY",
    "SCHEMA_VERSION",
    "STATUSES",
    "iterations_schema",
]

SCHEMA_VERSION = 1
"""Raised when a column changes its meaning or disappears; a new column does not raise it."""

SCHEMA_KEY = b"gtr_bench_schema"
"""Key in the Parquet file's metadata; the value is the version as decimal text."""

POINTS = ("start", "grid", "before_shift", "after_shift", "end")
"""Values of `evaluations.point`: where on the evaluation grid a row was taken."""

STATUSES = ("complete", "diverged")
"""Values of `job.status`: both are finished."""

_METADATA = {SCHEMA_KEY: str(SCHEMA_VERSION).encode()}


def _required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


EVALUATIONS = pa.schema(
    [
        _required("job", pa.string()),
        _required("step", pa.int64()),
        _required("phase", pa.int32()),
        _required("evaluated_phase", pa.int32()),
        _required("point", pa.string()),
        _required("episodes", pa.int32()),
        _required("return_mean", pa.float64()),
        pa.field("return_std", pa.float64()),
        pa.field("length_mean", pa.float64()),
        pa.field("success_rate", pa.float64()),
        pa.field("test_return_mean", pa.float64()),
        pa.field("achievements", pa.map_(pa.string(), pa.float64())),
    ],
    metadata=_METADATA,
)
"""One row per evaluation point and evaluated phase."""

ITERATIONS = pa.schema(
    [
        _required("job", pa.string()),
        _required("iteration", pa.int32()),
        _required("step", pa.int64()),
        _required("phase", pa.int32()),
        pa.field("episodes", pa.int32()),
    ],
    metadata=_METADATA,
)
"""One row per iteration: what every job has. The other columns are float32 and declared (`learners/columns.py`)."""


def iterations_schema(columns: Iterable[str]) -> pa.Schema:
    """The schema of iterations with these declared columns."""
    return pa.schema([*ITERATIONS, *(pa.field(name, pa.float32()) for name in columns)], metadata=_METADATA)


JOB = pa.schema(
    [
        _required("job", pa.string()),
        _required("status", pa.string()),
        pa.field("message", pa.string()),
        _required("suite", pa.string()),
        pa.field("scale", pa.string()),
        _required("algorithm", pa.string()),
        _required("algorithm_name", pa.string()),
        pa.field("learner", pa.string()),
        _required("sequence", pa.string()),
        pa.field("role", pa.string()),
        _required("seed", pa.int64()),
        pa.field("learner_seed", pa.int64()),
        pa.field("environment_seed", pa.int64()),
        pa.field("shift_seed", pa.int64()),
        _required("definition", pa.string()),
        pa.field("cohort", pa.string()),
        pa.field("member", pa.int32()),
        pa.field("members", pa.int32()),
        pa.field("device", pa.string()),
        pa.field("steps", pa.int64()),
        pa.field("wall_seconds", pa.float64()),
        pa.field("cpu_seconds", pa.float64()),
        pa.field("steps_per_second", pa.float64()),
        pa.field("started", pa.string()),
        pa.field("finished", pa.string()),
        pa.field("gtr_bench_version", pa.string()),
        pa.field("git_sha", pa.string()),
        pa.field("git_dirty", pa.bool_()),
        pa.field("packages", pa.string()),
        pa.field("hardware", pa.string()),
        pa.field("command", pa.string()),
        pa.field("suite_path", pa.string()),
        pa.field("suite_text", pa.string()),
        pa.field("diverged_step", pa.int64()),
        pa.field("peak_memory_bytes", pa.int64()),
        pa.field("peak_device_memory_bytes", pa.int64()),
    ],
    metadata=_METADATA,
)
"""One row: the summary that, renamed into place last, says that the job is done."""
