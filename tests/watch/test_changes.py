"""What counts as a change of results, and what does not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gtr_bench.watch.changes import fingerprint

JOB = "jobs/0123456789abcdef"


def write(path: Path, text: str = "x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def rename_over(path: Path) -> None:
    """A new file of the same size and time, as one that is written within a tick of the clock."""
    found = path.stat()
    write(path.with_name("beside"))
    os.utime(path.with_name("beside"), ns=(found.st_atime_ns, found.st_mtime_ns))
    path.with_name("beside").rename(path)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for name in (f"{JOB}/evaluations.parquet", f"{JOB}/lock", "cohorts/c/cohort.json", "requests/s-laptop/0001.toml"):
        write(tmp_path / "results" / name)
    return tmp_path / "results"


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: write(folder / JOB / "evaluations.parquet", "xy"),
        lambda folder: rename_over(folder / JOB / "evaluations.parquet"),
        lambda folder: write(folder / JOB / "iterations.parquet"),
        lambda folder: write(folder / JOB / "job.parquet"),
        lambda folder: write(folder / JOB / "failure.json"),
        lambda folder: (folder / JOB / "evaluations.parquet").unlink(),
        lambda folder: write(folder / "jobs/fedcba9876543210/evaluations.parquet"),
        lambda folder: write(folder / "cohorts/d/cohort.json"),
        lambda folder: write(folder / "requests/s-laptop/0002.toml"),
        lambda folder: write(folder.parent / "suite.toml", "[suite] # another"),
    ],
    ids=["grown", "replaced", "iterations", "done", "failed", "gone", "new job", "new cohort", "request", "suite file"],
)
def test_what_a_report_is_made_of_is_noticed(results: Path, change: Callable[[Path], object]) -> None:
    suite = results.parent / "suite.toml"
    write(suite, "[suite]")
    before = fingerprint([results], suite)
    assert fingerprint([results], suite) == before
    change(results)
    assert fingerprint([results], suite) != before


@pytest.mark.parametrize("name", ["cohorts/c/heartbeat.json", "cohorts/c/log.txt", f"{JOB}/lock"])
def test_what_workers_rewrite_every_second_is_not(results: Path, name: str) -> None:
    write(results / name, "before")
    before = fingerprint([results])
    write(results / name, "and after")
    assert fingerprint([results]) == before


def test_without_jobs_there_is_nothing_to_report_on(tmp_path: Path) -> None:
    assert fingerprint([tmp_path / "results"]) is None
    write(tmp_path / "results" / "cohorts/c/cohort.json")
    assert fingerprint([tmp_path / "results"]) is None
    write(tmp_path / "results" / JOB / "lock")
    assert fingerprint([tmp_path / "results"]) is not None
