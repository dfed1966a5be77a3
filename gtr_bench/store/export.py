"""Tidy tables for other tools: every row carries the labels and the algorithm's parameters of its job."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from gtr_bench.errors import RequestError
from gtr_bench.store.definitions import with_definitions
from gtr_bench.store.reader import Kind, Warn, job_folders, read, unfinished_jobs, warn_on_stderr
from gtr_bench.store.writer import write_output
from gtr_bench.suite.identity import parameters_of
from gtr_bench.wording import clean

__all__ = ["csv_bytes", "save", "tidy"]

_LABELS = pa.schema(
    [
        ("suite", pa.string()),
        ("scale", pa.string()),
        ("algorithm", pa.string()),
        ("algorithm_name", pa.string()),
        ("sequence", pa.string()),
        ("role", pa.string()),
        ("seed", pa.int64()),
        ("status", pa.string()),
    ]
)


def tidy(results: Sequence[Path], what: Kind, *, warn: Warn = warn_on_stderr) -> pa.Table:
    """One table over the results folders.

    Args:
        results: results folders.
        what: `evaluations` and `iterations` have the columns of their schema after `suite`, `scale`, `algorithm`,
            `algorithm_name`, `sequence`, `role`, `seed` and `status` (`unfinished` where a job has not ended);
            `jobs` has the columns of job.parquet. All end with a column `parameter.NAME` for each parameter of any
            algorithm in the table, null where an algorithm has no such parameter.
        warn: called with a sentence for each file that was left out.

    Raises:
        RequestError: no jobs.
        ResultsError: a file was written by a newer program.
    """
    folders = job_folders(results, warn=warn)
    finished = read(folders.values(), "jobs", None if what == "jobs" else _job_columns(), warn=warn)
    rows = with_definitions(_plain(finished), folders, warn)
    if what == "jobs":
        kept = {row["job"] for row in rows}
        finished = finished.filter(pa.array([job in kept for job in finished["job"].to_pylist()], pa.bool_()))
        return _clean(_beside(finished, _parameters(rows)))
    for job in unfinished_jobs(results, [row["job"] for row in rows], warn=warn):
        name = job["definition"]["algorithm"]["name"]
        rows.append({**job, "job": job["id"], "algorithm_name": name, "status": "unfinished"})
    table = _clean(read(folders.values(), what, warn=warn))
    positions = {row["job"]: index for index, row in enumerate(rows)}
    encoded = table["job"].combine_chunks().dictionary_encode()
    of_job = pa.array([positions.get(job) for job in encoded.dictionary.to_pylist()], type=pa.int64())
    indices = of_job.take(encoded.indices)
    labels = pa.table({field.name: pa.array([row[field.name] for row in rows], field.type) for field in _LABELS})
    return _beside(_beside(_clean(labels).take(indices), table), _clean(_parameters(rows)).take(indices))


def _clean(table: pa.Table) -> pa.Table:
    """The table without control characters in its texts: it may be read on a terminal."""
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            encoded = table[field.name].combine_chunks().dictionary_encode()
            texts = encoded.dictionary.to_pylist()
            fresh = [clean(text) for text in texts]
            if fresh != texts:
                table = table.set_column(place, field, pa.array(fresh, field.type).take(encoded.indices))
    return table


def _job_columns() -> list[str]:
    return ["job", *_LABELS.names, "definition"]


def _plain(table: pa.Table) -> list[dict[str, Any]]:
    wanted = ["job", "definition", *_LABELS.names]
    return list(table.select(wanted).to_pylist())


def _beside(left: pa.Table, right: pa.Table) -> pa.Table:
    return pa.Table.from_arrays([*left.columns, *right.columns], names=[*left.column_names, *right.column_names])


def _parameters(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A column `parameter.NAME` for every parameter, one row per job."""
    settings = [parameters_of(row["definition"]) for row in rows]
    names = sorted({name for each in settings for name in each})
    return pa.table({f"parameter.{name}": _column([each.get(name) for each in settings]) for name in names})


def _column(values: Sequence[Any]) -> pa.Array:
    """Numbers and truth values as such; where kinds differ or a value is a list, JSON text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and float in kinds:
        return pa.array(values, type=pa.float64())
    if len(kinds) <= 1 and kinds <= {bool, int, str}:
        return pa.array(values, type=None if kinds else pa.string())
    return pa.array([None if value is None else json.dumps(value) for value in values], type=pa.string())


def _flat(table: pa.Table) -> pa.Table:
    """The table with maps as JSON text: CSV has none."""
    for place, field in enumerate(table.schema):
        if pa.types.is_map(field.type):
            rows = table[field.name].to_pylist()
            table = table.set_column(place, field.name, _column([row if row is None else dict(row) for row in rows]))
    return table


def csv_bytes(table: pa.Table) -> bytes:
    """The table as CSV with a header; nulls are empty, texts quoted, maps JSON text."""
    sink = pa.BufferOutputStream()
    pyarrow.csv.write_csv(_flat(table), sink)
    return bytes(sink.getvalue())


def save(table: pa.Table, out: Path) -> None:
    """Write `out` atomically as CSV or Parquet by its suffix; raises RequestError where it cannot."""
    if out.suffix == ".csv":
        write_output(out, lambda file: pyarrow.csv.write_csv(_flat(table), file))
    elif out.suffix == ".parquet":
        write_output(out, lambda file: pq.write_table(table, file, compression="zstd"))
    else:
        raise RequestError(f"`{out}` should end in `.csv` or `.parquet`")
