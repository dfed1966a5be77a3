"""What the writer promises: whole files or none, nulls where nothing was computed, small files."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from gtr_bench.algorithms.gtr.algorithm import GTR
from gtr_bench.errors import RequestError
from gtr_bench.learners.policy import PolicyLearner
from gtr_bench.store.schema import EVALUATIONS, JOB, SCHEMA_KEY, SCHEMA_VERSION, iterations_schema
from gtr_bench.store.writer import check_output, write_output, write_table
from tests.helpers import job_columns
from tests.schedule.conftest import make_job

ITERATIONS = iterations_schema({**PolicyLearner.columns, **GTR.columns})


def _iterations(rows: int) -> dict[str, object]:
    generator = np.random.default_rng(0)
    columns: dict[str, object] = {
        name: generator.normal(size=rows)
        for name in ITERATIONS.names
        if name not in {"job", "iteration", "step", "phase"}
    }
    columns["episodes"] = np.arange(rows)
    return {
        "job": ["0123456789abcdef"] * rows,
        "iteration": np.arange(rows),
        "step": np.arange(rows) * 1024,
        "phase": np.zeros(rows, dtype=np.int64),
        **columns,
    }


def test_the_schema_version_is_in_the_file(tmp_path: Path) -> None:
    write_table(tmp_path / "iterations.parquet", ITERATIONS, _iterations(2))
    assert pq.read_schema(tmp_path / "iterations.parquet").metadata[SCHEMA_KEY] == str(SCHEMA_VERSION).encode()


@pytest.mark.parametrize("schema", [EVALUATIONS, ITERATIONS, JOB])
def test_no_columns_give_an_empty_table_of_the_schema(tmp_path: Path, schema: object) -> None:
    write_table(tmp_path / "x.parquet", schema, {})
    assert pq.read_table(tmp_path / "x.parquet").schema.equals(schema)


def test_a_thousand_iterations_stay_far_under_a_megabyte(tmp_path: Path) -> None:
    write_table(tmp_path / "iterations.parquet", ITERATIONS, _iterations(1000))
    assert (tmp_path / "iterations.parquet").stat().st_size < 250_000


def test_missing_columns_and_none_are_null_while_nan_stays_nan(tmp_path: Path) -> None:
    columns = {name: values for name, values in _iterations(3).items() if name != "turning"}
    columns["policy_loss"] = [None, math.nan, 1.0]
    write_table(tmp_path / "x.parquet", ITERATIONS, columns)  # type: ignore[arg-type]
    table = pq.read_table(tmp_path / "x.parquet")
    assert table["turning"].null_count == 3
    assert table["policy_loss"].null_count == 1
    assert math.isnan(table["policy_loss"][1].as_py())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"sigma": [1, 2]}, "unknown columns `sigma`"),
        ({"entropy": [1.0]}, "different lengths"),
        ({"step": [1, None]}, "`step` must not be null"),
    ],
)
def test_what_does_not_fit_the_schema_is_refused(tmp_path: Path, change: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        write_table(tmp_path / "x.parquet", ITERATIONS, {**_iterations(2), **change})  # type: ignore[dict-item]
    assert list(tmp_path.iterdir()) == []


def test_a_required_column_may_not_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`seed` must not be null"):
        write_table(tmp_path / "x.parquet", JOB, {name: ["a"] for name in JOB.names[:9]})


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_refusing_disk_leaves_the_old_file_and_no_partial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    path = tmp_path / "iterations.parquet"
    write_table(path, ITERATIONS, _iterations(2))

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, broken, refuse)
    with pytest.raises(OSError, match="No space left"):
        write_table(path, ITERATIONS, _iterations(5))
    monkeypatch.undo()
    assert [file.name for file in tmp_path.iterdir()] == ["iterations.parquet"]
    assert pq.read_metadata(path).num_rows == 2


def test_a_named_output_keeps_links_and_writes_into_pipes_instead_of_replacing_them(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_output(tmp_path / "link", lambda file: file.write(b"new"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_output(tmp_path / "pipe", lambda file: file.write(b"data"))
        assert os.read(reader, 10) == b"data"
    finally:
        os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


def test_a_named_output_that_is_a_folder_or_lies_in_none_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="cannot be written: Is a directory"):
        write_output(tmp_path, lambda file: None)
    with pytest.raises(RequestError, match="cannot be written: No such file or directory"):
        write_output(tmp_path / "absent" / "file", lambda file: None)


def test_what_cannot_be_written_is_known_before_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("old")
    for path in (tmp_path, tmp_path / "absent" / "file", tmp_path / "file" / "x"):
        with pytest.raises(RequestError) as late:
            write_output(path, lambda file: None)
        with pytest.raises(RequestError) as early:
            check_output(path)
        assert early.value.sentence == late.value.sentence
    for path in (tmp_path / "file", tmp_path / "new", Path("/dev/null")):
        check_output(path)
    # The tests may run as root, who may write anywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path.resolve())
    with pytest.raises(RequestError, match="cannot be written: Permission denied"):
        check_output(tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "old"


def test_only_what_shrinks_is_compressed_because_each_compressed_page_costs_a_reader(tmp_path: Path) -> None:
    columns = job_columns(make_job(), suite_text="# a line\n" * 200, packages="{}")
    write_table(tmp_path / "job.parquet", JOB, columns)
    found = pq.read_metadata(tmp_path / "job.parquet").row_group(0)
    each = {found.column(index).path_in_schema: found.column(index) for index in range(found.num_columns)}
    assert each["suite_text"].compression == "ZSTD"
    assert {each[name].compression for name in ("job", "status", "seed", "packages")} == {"UNCOMPRESSED"}
    # one row repeats nothing: a dictionary would be a second page of every text
    assert not any(column.has_dictionary_page for column in each.values())
