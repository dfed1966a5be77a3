"""Columns of files as arrays."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from gtr_bench.report.columns import matrix_of

KIND = pa.map_(pa.string(), pa.float64())
ROWS = [[("a", 0.5), ("b", 1.0)], None, [("c", 0.0), ("a", math.nan)], []]
EXPECTED = [[0.5, 1.0, np.nan], [np.nan] * 3, [np.nan, np.nan, 0.0], [np.nan] * 3]


def test_maps_become_a_matrix_with_nan_where_a_row_lacks_a_name() -> None:
    np.testing.assert_array_equal(matrix_of(pa.array(ROWS, KIND)), EXPECTED)


def test_chunks_and_slices_of_maps_keep_their_rows() -> None:
    chunked = pa.chunked_array([pa.array(ROWS[:1], KIND), pa.array(ROWS[1:], KIND)])
    np.testing.assert_array_equal(matrix_of(chunked), EXPECTED)
    np.testing.assert_array_equal(matrix_of(pa.array([[("z", 9.0)], *ROWS, [("y", 8.0)]], KIND).slice(1, 4)), EXPECTED)


@pytest.mark.parametrize("rows", [0, 3])
def test_a_column_without_any_map_has_no_names(rows: int) -> None:
    assert matrix_of(pa.nulls(rows, KIND)).shape == (rows, 0)
