"""Write one of our Parquet files so that a reader sees the old file or the new one, never a part."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gtr_bench.errors import RequestError
from gtr_bench.files import replace_file
from gtr_bench.store.checksum import CHECKSUM_KEY, UNSEALED, seal
from gtr_bench.store.schema import JOB
from gtr_bench.store.state import JOB_FILE, TABLES_KEY, stated

__all__ = ["check_output", "write_output", "write_summary", "write_table"]


_WORTH_COMPRESSING = 256
"""bytes of a column before compression"""


def write_table(path: Path, schema: pa.Schema, columns: Mapping[str, Sequence[Any] | np.ndarray]) -> None:
    """Replace `path` by a table of `columns`, durably and atomically (design rule 3).

    Args:
        path: the final file; its folder must exist.
        schema: one of `gtr_bench.store.schema`.
        columns: name -> values, all of one length. `None` becomes null. A nullable column that is missing becomes null.

    Raises:
        ValueError: unknown columns, columns of different lengths, or a required column missing or with nulls.
        OSError: the disk refused (full, read-only); nothing is left behind and the old file is untouched.
    """
    content = _parquet(_table(schema, columns), {})
    replace_file(path, lambda file: file.write(content))


def write_summary(folder: Path, row: Mapping[str, Any]) -> None:
    """Write a job's job.parquet, the last of its files: it states the sizes of the tables that lie there.

    Args:
        folder: the job's.
        row: the columns of `schema.JOB`, one value each.

    Raises:
        ValueError, OSError: as of `write_table`.
    """
    table = _table(JOB, {name: [value] for name, value in row.items()})
    content = _parquet(table, {TABLES_KEY: stated(folder)})
    replace_file(folder / JOB_FILE, lambda file: file.write(content))


def _parquet(table: pa.Table, metadata: Mapping[str, str]) -> bytes:
    """The table as one of our files, with checksums of its pages and of the whole (`checksum`)."""
    sink = pa.BufferOutputStream()
    labels = _labels(table)
    with pq.ParquetWriter(
        sink,
        table.schema,
        compression=_compressions(table, labels),
        use_dictionary=labels,
        write_page_checksum=True,
        # Of one row group they help nobody, and job.parquet would hold its suite's text twice more.
        write_statistics=False,
    ) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({**metadata, CHECKSUM_KEY: UNSEALED})
    return seal(sink.getvalue().to_pybytes())


def write_output(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """`replace_file` for a file the user named; raises RequestError with the reason where it cannot be written.

    A symbolic link keeps pointing where it does, and a device or pipe (`/dev/stdout`) is written to, not replaced.
    """
    try:
        if path.exists() and not path.is_file():
            with open(path, "wb") as file:
                write(file)
        else:
            replace_file(path.resolve(), write)
    except OSError as error:
        raise RequestError(f"`{path}` cannot be written: {error.strerror or error}") from error


def check_output(path: Path) -> None:
    """Raise RequestError, as `write_output` would, when a file the user named cannot be written; creates nothing."""
    target = path.resolve()
    folder = target.parent
    if target.is_dir():
        reason = errno.EISDIR
    elif not folder.exists():
        reason = errno.ENOENT
    elif not folder.is_dir():
        reason = errno.ENOTDIR
    elif not os.access(*((target, os.W_OK) if path.exists() and not path.is_file() else (folder, os.W_OK | os.X_OK))):
        reason = errno.EACCES
    else:
        return
    raise RequestError(f"`{path}` cannot be written: {os.strerror(reason)}", hint="name a file in a folder that exists")


def _labels(table: pa.Table) -> list[str]:
    """Dictionary encoding pays for texts that repeat; for float columns it only adds a dictionary of every value."""
    return [field.name for field in table.schema if pa.types.is_string(field.type)] if len(table) > 1 else []


def _compressions(table: pa.Table, labels: Sequence[str]) -> dict[str, str]:
    """Compression by column: reading a compressed page costs 8 us more, and of a label or a number nothing is saved."""
    return {
        name: "none" if name in labels or table[name].nbytes < _WORTH_COMPRESSING else "zstd"
        for name in table.column_names
    }


def _table(schema: pa.Schema, columns: Mapping[str, Sequence[Any] | np.ndarray]) -> pa.Table:
    unknown = sorted(set(columns) - set(schema.names))
    if unknown:
        raise ValueError(f"unknown columns {', '.join(f'`{name}`' for name in unknown)}")
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise ValueError(f"columns of different lengths: {sorted(lengths)}")
    rows = lengths.pop() if lengths else 0
    arrays = []
    for field in schema:
        given = columns.get(field.name)
        array = pa.nulls(rows, field.type) if given is None else pa.array(given, type=field.type)
        if not field.nullable and array.null_count:
            raise ValueError(f"column `{field.name}` must not be null")
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=schema)
