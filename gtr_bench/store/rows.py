"""Whether the rows of a file are those of its job, each of them there and there once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from gtr_bench.store.schema import POINTS, STATUSES

__all__ = ["ROW_KEYS", "numpy_of", "sound_rows", "why_not_rows"]

ROW_KEYS: Mapping[str, tuple[str, ...]] = {
    "jobs": ("job", "status"),
    "evaluations": ("job", "step", "phase", "evaluated_phase", "point"),
    "iterations": ("job", "iteration"),
}
"""What tells the rows of a file apart: decoded in any case, to see that each is there once and is the job's."""


def sound_rows(tables: Sequence[pa.Table], kind: str, jobs: Sequence[str]) -> list[bool]:
    """Whether nothing is wrong with the rows of each file, told of all at once; where False, `why_not_rows` decides.

    One look at thousands of small files together costs a fifth of a look at each. What is rare is not told apart here.

    Args:
        tables: a file's rows each, with the columns that tell rows apart.
        kind: which of a job's files.
        jobs: their folders' names.
    """
    if not tables:
        return []
    keys = [name for name in ROW_KEYS[kind] if name != "job"]
    table = pa.concat_tables([each.select(["job", *keys]) for each in tables])
    lengths = np.array([len(each) for each in tables])
    file = np.repeat(np.arange(len(tables)), lengths)
    owners = table["job"].combine_chunks().dictionary_encode()
    place = {job: index for index, job in enumerate(jobs)}
    named = np.array([place.get(job, -1) for job in owners.dictionary.to_pylist()], dtype=np.int64)
    wrong = named[numpy_of(owners.indices)] != file
    if kind == "jobs":
        wrong |= ~_among(table["status"], STATUSES)
    elif kind == "iterations":
        wrong |= numpy_of(table["iteration"]) != np.arange(len(table)) - np.repeat(
            np.cumsum(lengths) - lengths, lengths
        )
    else:
        step, phase, evaluated = (numpy_of(table[name]) for name in ("step", "phase", "evaluated_phase"))
        wrong |= ~_among(table["point"], POINTS) | (step < 0) | (phase < 0) | (evaluated < 0)
        # Rows that go up cannot be doubled.
        up = np.diff(file) > 0
        equal = ~up
        for column in (step, phase, evaluated):
            up |= equal & (column[1:] > column[:-1])
            equal &= column[1:] == column[:-1]
        wrong[1:] |= ~up
    bad = np.bincount(file[wrong], minlength=len(tables)) > 0
    return [bool(each) for each in ~bad & ((lengths == 1) | (kind != "jobs"))]


def _among(column: pa.ChunkedArray, texts: Collection[str]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether each row's text is one of those."""
    encoded = column.combine_chunks().dictionary_encode()
    known = np.array([text in texts for text in encoded.dictionary.to_pylist()], dtype=np.bool_)
    return np.asarray(known[numpy_of(encoded.indices)])


def why_not_rows(table: pa.Table, kind: str, job: str) -> str | None:
    """What is wrong with the rows of `evaluations`, `iterations` or `jobs` in a job's folder; None where nothing is.

    Args:
        table: has the columns that tell rows apart (below).
        kind: which of a job's files.
        job: the folder's name.
    """
    owners = table["job"].unique().to_pylist()
    if owners not in ([], [job]):
        return "it has rows of another job"
    if kind == "jobs":
        if len(table) != 1:
            return f"it has {len(table)} rows, not 1"
        return None if table["status"][0].as_py() in STATUSES else "its status is none"
    if kind == "iterations":
        numbers = numpy_of(table["iteration"])
        return None if np.array_equal(numbers, np.arange(len(numbers))) else "rows are missing or doubled"
    return _why_not_evaluations(table)


def _why_not_evaluations(table: pa.Table) -> str | None:
    """Points are in the order in which they were taken, and at each the evaluated phases are told apart."""
    points = table["point"].combine_chunks().dictionary_encode()
    if not set(points.dictionary.to_pylist()) <= set(POINTS):
        return "a point is none"
    step, phase, evaluated = (numpy_of(table[name]) for name in ("step", "phase", "evaluated_phase"))
    if len(step) and (step.min() < 0 or phase.min() < 0 or evaluated.min() < 0):
        return "a step or phase is negative"
    keys = step.astype(np.int64)
    for other in (phase, numpy_of(points.indices), evaluated):
        keys = keys * (int(other.max(initial=0)) + 1) + other
    # They are written in order: only what is not needs sorting.
    if not np.all(keys[1:] > keys[:-1]) and len(np.unique(keys)) != len(keys):
        return "rows are doubled"
    return None


def numpy_of(column: pa.ChunkedArray | pa.Array) -> np.ndarray[Any, Any]:
    """Numbers, null as NaN; by DLPack, because Arrow's own `to_numpy` and `fill_null` import pandas first."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    values = pa.Array.from_buffers(array.type, len(array), [None, array.buffers()[1]], offset=array.offset)
    if not array.null_count:
        return np.from_dlpack(values)
    valid = np.from_dlpack(array.is_valid().cast(pa.uint8())).astype(np.bool_)
    return np.where(valid, np.from_dlpack(values), np.nan)
