"""Arrow tables of many jobs as arrays per job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from gtr_bench.store.rows import numpy_of

__all__ = ["Columns", "by_job", "matrix_of", "numpy_of"]

Columns: TypeAlias = Mapping[str, "np.ndarray[Any, Any]"]


def by_job(table: pa.Table, columns: Mapping[str, np.ndarray[Any, Any]], order: Sequence[str]) -> dict[str, Columns]:
    """Job -> column -> its rows, sorted by the columns `order`, the first one counting most.

    Args:
        table: has a column `job`.
        columns: what to split, each as long as the table.
        order: names among `columns`.
    """
    jobs = table["job"].combine_chunks().dictionary_encode()
    codes = numpy_of(jobs.indices)
    keys = [codes, *(columns[name] for name in order)]
    if not _in_order(keys):
        rows = np.lexsort(keys[::-1])
        codes = codes[rows]
        columns = {name: values[rows] for name, values in columns.items()}
    cuts = np.searchsorted(codes, np.arange(len(jobs.dictionary) + 1))
    return {
        job: {name: values[cuts[code] : cuts[code + 1]] for name, values in columns.items()}
        for code, job in enumerate(jobs.dictionary.to_pylist())
    }


def _in_order(keys: Sequence[np.ndarray[Any, Any]]) -> bool:
    """Whether rows are sorted by `keys` already, as files are written; sorting them again is most of the work here."""
    equal = np.ones(max(0, len(keys[0]) - 1), dtype=np.bool_)
    for key in keys:
        if np.any(equal & (key[1:] < key[:-1])):
            return False
        equal &= key[1:] == key[:-1]
    return True


def matrix_of(column: pa.ChunkedArray | pa.Array) -> np.ndarray[Any, Any]:
    """A column of maps from names to numbers, `[rows, names]`; NaN where a row's map has no such name, or is null."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if array.null_count == len(array):
        return np.empty((len(array), 0))
    ends = numpy_of(array.offsets)
    names = array.keys[ends[0] : ends[-1]].dictionary_encode()
    found = np.full((len(array), len(names.dictionary)), np.nan)
    found[np.repeat(np.arange(len(array)), np.diff(ends)), numpy_of(names.indices)] = numpy_of(
        array.items[ends[0] : ends[-1]]
    )
    return found
