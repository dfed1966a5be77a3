"""A bit that flips anywhere in a job's files is noticed: nothing is ever read as other data."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gtr_bench.store.checksum import matches, seal
from gtr_bench.store.reader import Kind, read
from gtr_bench.store.schema import EVALUATIONS, iterations_schema
from gtr_bench.store.state import damage_of
from gtr_bench.store.writer import write_summary, write_table
from tests.helpers import job_columns
from tests.schedule.conftest import make_job

FILES: tuple[tuple[str, Kind], ...] = (
    ("evaluations.parquet", "evaluations"),
    ("iterations.parquet", "iterations"),
    ("job.parquet", "jobs"),
)
ROWS = 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The three files of a finished job."""
    job = make_job()
    path = tmp_path / "jobs" / job.id
    path.mkdir(parents=True)
    labels = {"job": [job.id] * ROWS, "step": np.arange(ROWS) * 8, "phase": np.arange(ROWS) // 20}
    numbers = np.random.default_rng(0).normal(size=ROWS)
    evaluations = {"evaluated_phase": labels["phase"], "point": ["grid"] * ROWS, "episodes": np.full(ROWS, 10)}
    write_table(path / "evaluations.parquet", EVALUATIONS, {**labels, **evaluations, "return_mean": numbers})
    schema = iterations_schema(["entropy", "exact_kl"])
    write_table(
        path / "iterations.parquet",
        schema,
        {**labels, "iteration": np.arange(ROWS), "entropy": numbers, "exact_kl": numbers**2},
    )
    write_summary(path, {name: value for name, (value,) in job_columns(job).items()})
    return path


def flips(content: bytes, count: int) -> Iterator[bytes]:
    """The content with one random bit flipped, so often."""
    generator = random.Random(1)
    for _ in range(count):
        changed = bytearray(content)
        changed[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
        yield bytes(changed)


@pytest.mark.parametrize(("name", "kind"), FILES)
def test_one_flipped_bit_is_never_read_as_other_data(name: str, kind: Kind, folder: Path) -> None:
    whole = read([folder], kind)
    content = (folder / name).read_bytes()
    other = noticed = 0
    for changed in flips(content, 100):
        (folder / name).write_bytes(changed)
        said: list[str] = []
        table = read([folder], kind, warn=said.append)
        noticed += bool(said)
        # A bit of the checksum's own name leaves the data as they are.
        other += not said and not table.equals(whole)
    assert other == 0
    assert noticed >= 95


@pytest.mark.parametrize("name", [name for name, _ in FILES])
def test_a_run_notices_every_flipped_bit(name: str, folder: Path) -> None:
    assert damage_of(folder, thorough=True) is None
    for changed in flips((folder / name).read_bytes(), 300):
        (folder / name).write_bytes(changed)
        assert damage_of(folder, thorough=True) is not None


def test_pages_have_checksums_that_others_verify_too(folder: Path) -> None:
    path = folder / "evaluations.parquet"
    column = pq.ParquetFile(path).metadata.row_group(0).column(6)
    assert column.path_in_schema == "return_mean"
    content = bytearray(path.read_bytes())
    content[column.data_page_offset + column.total_compressed_size - 3] ^= 1
    with pytest.raises(OSError, match="CRC checksum verification failed"):
        pq.read_table(pa.BufferReader(bytes(content)), page_checksum_verification=True)


def test_a_file_without_a_checksum_is_judged_by_what_it_has() -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": [1]}), sink)
    content = sink.getvalue().to_pybytes()
    assert matches(content)
    with pytest.raises(ValueError, match="gtr_bench_crc32"):
        seal(content)
