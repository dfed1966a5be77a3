"""Reports on many jobs: the cost of a job stays the same, and what is not asked for is not read."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gtr_bench.report import scores
from gtr_bench.report.build import build_report
from gtr_bench.store import reader
from gtr_bench.suite.expand import Job
from gtr_bench.suite.load import parse_suite

from .conftest import SUITE

Fill = Callable[..., Path]


def test_only_the_columns_a_report_needs_are_read(fill: Fill, jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, set[str]] = {}
    plain = reader._read_file

    def watched(path: Path, kind: Any, frame: Any, declared: Any) -> Any:
        asked.setdefault(path.name, set()).update((*frame.names, *declared))
        return plain(path, kind, frame, declared)

    monkeypatch.setattr(reader, "_read_file", watched)
    build_report([fill(jobs)])
    assert not {"episodes", "return_std", "length_mean"} & asked["evaluations.parquet"]
    assert not {"grad_norm", "weight_norm", "policy_loss", "value_loss"} & asked["iterations.parquet"]
    assert not {"message", "command", "cohort"} & asked["job.parquet"]


def test_rows_of_sound_files_are_looked_at_together_and_each_file_is_read_once(
    fill: Fill, jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, opened = [], Counter[str]()
    plain, plain_look = reader.read_regular, reader.why_not_rows

    def watched(path: Path, most_bytes: int | None = None) -> bytes:
        opened[str(path)] += 1
        return plain(path, most_bytes)

    def look(table: Any, kind: str, job: str) -> str | None:
        looked.append((kind, job))
        return plain_look(table, kind, job)

    monkeypatch.setattr(reader, "read_regular", watched)
    monkeypatch.setattr(reader, "why_not_rows", look)
    results = fill(jobs)
    build_report([results])
    assert looked == []
    assert len(opened) >= 2 * len(jobs)
    assert set(opened.values()) == {1}
    broken = results / "jobs" / jobs[0].id / "evaluations.parquet"
    rows = pq.read_table(broken)
    broken.write_bytes(_written(pa.concat_tables([rows, rows])))
    told: list[str] = []
    reader.read(reader.job_folders([results]).values(), "evaluations", warn=told.append)
    assert looked == [("evaluations", jobs[0].id)]
    assert "rows are doubled" in told[0]


def _written(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def test_worlds_are_found_per_sequence_and_not_per_job(
    fill: Fill, jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    plain = scores.worlds_of

    def watched(definition: Any) -> tuple[str, ...]:
        asked.append(repr(definition["sequence"]))
        return plain(definition)

    monkeypatch.setattr(scores, "worlds_of", watched)
    build_report([fill(jobs)])
    assert 0 < len(asked) == len(set(asked)) < len(jobs) / 2


@pytest.mark.slow
def test_processor_time_grows_no_faster_than_the_jobs(fill: Fill) -> None:
    seconds = []
    for seeds in (10, 40):
        text = SUITE.replace("seeds = 5\n", f"seeds = {seeds}\n")
        results = fill(parse_suite(text, path="swap.toml", scale="laptop").jobs(), text=text, name=str(seeds))
        build_report([results])
        times = []
        for _ in range(3):
            start = time.process_time()
            build_report([results])
            times.append(time.process_time() - start)
        seconds.append(min(times))
    # four times the jobs; the rest leaves room for a busy machine
    assert seconds[1] < 6 * seconds[0]
