"""What a worker will take is what workers of its shape took; what nobody has seen is unknown."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gtr_bench.files import write_json
from gtr_bench.schedule.assignments import Assignment, job_record
from gtr_bench.schedule.demands import Demands
from gtr_bench.schedule.executors.base import Demand, Usage
from gtr_bench.schedule.folders import ResultsFolder
from gtr_bench.store.writer import write_summary
from gtr_bench.suite.identity import canonical_json

MB = 1 << 20
OLD, TWO = "a" * 16, "2" * 16


def assignment(jobs: Any, count: int = 1, *, cohort: str = "c", **options: Any) -> Assignment:
    members = tuple(jobs(count, **options))
    return Assignment(cohort, members, tuple(job_record(job) for job in members))


def worker(of: Assignment, host: int | None, device: int | None = None) -> Any:
    return SimpleNamespace(assignment=of, peaks=Usage(host, device))


def demands(folder: ResultsFolder, device: str = "cpu") -> Demands:
    return Demands(folder, device, cores=2, unknown_bytes=600 * MB)


def leave(
    folder: ResultsFolder, of: Assignment, *, device: str = "cpu", cohort: str | None = None, **peaks: int
) -> None:
    """What a finished cohort leaves; `cohort` is the one its jobs say they were finished by, if another."""
    folder.cohort(of.id).mkdir(parents=True)
    write_json(folder.cohort(of.id) / "cohort.json", {"jobs": list(of.records), "device": device})
    for job in of.jobs:
        folder.job(job.id).mkdir(parents=True)
        labels = {"job": job.id, "status": "complete", "suite": "s", "algorithm": "a", "algorithm_name": "a"}
        rest = {"sequence": "q", "seed": job.seed, "definition": canonical_json(job.definition)}
        row = labels | rest | {"cohort": cohort or of.id} | peaks
        write_summary(folder.job(job.id), row)


def test_a_shape_nobody_has_seen_is_unknown(jobs: Any, folder: ResultsFolder) -> None:
    one = assignment(jobs)
    known = demands(folder)
    known.read([one])
    assert known.of(one, []) == Demand(2, None, None)


def test_workers_that_ended_tell_their_largest_peak_for_their_shape_and_size_alone(
    jobs: Any, folder: ResultsFolder
) -> None:
    one = assignment(jobs)
    known = demands(folder)
    known.learn(worker(one, 300 * MB, 5))
    known.learn(worker(one, 200 * MB, None))
    assert known.of(one, []) == Demand(2, 300 * MB, 5)
    assert known.of(assignment(jobs, 2), []) == Demand(2)
    assert known.of(assignment(jobs, algorithm="spo"), []) == Demand(2)


def test_a_running_worker_raises_what_is_known_but_is_no_measure_before_one_has_ended(
    jobs: Any, folder: ResultsFolder
) -> None:
    one = assignment(jobs)
    known = demands(folder)
    assert known.of(one, [worker(one, 500 * MB)]).host_bytes is None
    assert known.of(one, [worker(one, 900 * MB, 7), worker(one, 700 * MB)]) == Demand(2, 900 * MB, 7)
    assert known.of(one, [worker(assignment(jobs, 2), 900 * MB, 7)]) == Demand(2)
    known.learn(worker(one, 400 * MB))
    assert known.of(one, [worker(one, 500 * MB)]).host_bytes == 500 * MB
    assert known.of(one, []).host_bytes == 400 * MB


def test_jobs_of_earlier_runs_tell_what_their_workers_took(jobs: Any, folder: ResultsFolder) -> None:
    earlier, larger = assignment(jobs, cohort=OLD), assignment(jobs, 2, cohort=TWO, algorithm="spo")
    leave(folder, earlier, peak_memory_bytes=321 * MB, peak_device_memory_bytes=12 * MB)
    leave(folder, larger, peak_memory_bytes=400 * MB)
    known = demands(folder)
    known.read([earlier, larger])
    assert known.of(assignment(jobs), []) == Demand(2, 321 * MB, 12 * MB)
    assert known.of(larger, []) == Demand(2, 400 * MB, None)


@pytest.mark.parametrize("left", [{"device": "cuda"}, {"cohort": "another"}])
def test_another_device_or_another_cohorts_job_tells_nothing(jobs: Any, folder: ResultsFolder, left: Any) -> None:
    earlier = assignment(jobs, cohort=OLD)
    leave(folder, earlier, peak_memory_bytes=321 * MB, **left)
    known = demands(folder)
    known.read([earlier])
    assert known.of(earlier, []) == Demand(2)


def test_what_cannot_be_read_tells_nothing(jobs: Any, folder: ResultsFolder) -> None:
    earlier = assignment(jobs, cohort=OLD)
    leave(folder, earlier, peak_memory_bytes=321 * MB)
    (folder.job(earlier.jobs[0].id) / "job.parquet").write_text("no Parquet")
    for name, text in (("b" * 16, "{"), ("c" * 16, "{}"), ("d" * 16, '{"jobs": []}')):
        folder.cohort(name).mkdir()
        (Path(folder.cohort(name)) / "cohort.json").write_text(text)
    known = demands(folder)
    known.read([earlier])
    assert known.of(earlier, []) == Demand(2)
