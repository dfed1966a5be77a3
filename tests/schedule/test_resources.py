"""Workers start only where the memory they will need is there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gtr_bench.schedule.assignments import Assignment, job_record
from gtr_bench.schedule.resources import MemoryGate, free_disk_bytes

MB = 1 << 20


def assignment(jobs: Any, count: int = 1, **options: Any) -> Assignment:
    members = tuple(jobs(count, **options))
    return Assignment("c", members, tuple(job_record(job) for job in members))


def worker(of: Assignment, *, now: int, peak: int) -> Any:
    return SimpleNamespace(assignment=of, memory_bytes=now, peak_memory_bytes=peak)


def test_an_unknown_shape_is_taken_for_the_default_and_a_known_one_for_its_peak(jobs: Any) -> None:
    gate = MemoryGate(600 * MB, lambda: 700 * MB)
    small = assignment(jobs)
    assert gate.expected(small) == 600 * MB
    gate.learn(worker(small, now=0, peak=300 * MB))
    gate.learn(worker(small, now=0, peak=200 * MB))
    assert gate.expected(small) == 300 * MB
    assert gate.expected(assignment(jobs, 2)) == 600 * MB
    assert gate.expected(assignment(jobs, algorithm="spo")) == 600 * MB


def test_what_running_workers_will_still_take_is_kept_free(jobs: Any) -> None:
    gate = MemoryGate(600 * MB, lambda: 1000 * MB)
    one = assignment(jobs)
    assert gate.fits(one, [])
    assert gate.fits(one, [worker(one, now=500 * MB, peak=500 * MB)])
    assert not gate.fits(one, [worker(one, now=100 * MB, peak=100 * MB)])
    assert gate.fits(one, [worker(one, now=900 * MB, peak=900 * MB)])


def test_free_disk_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    assert free_disk_bytes(tmp_path / "a" / "b") > 0
