"""Reports on many jobs: the cost of a job stays the same, and what is not asked for is not read."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
