"""What a worker will take, from what workers of its shape took: in earlier runs, in this one, and so far."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gtr_bench.errors import ResultsError
from gtr_bench.schedule.assignments import Assignment, shape_of
from gtr_bench.schedule.executors.base import Demand, Usage
from gtr_bench.schedule.folders import ResultsFolder
from gtr_bench.schedule.running import Running
from gtr_bench.schedule.speeds import known_shape, newest_cohorts

__all__ = ["Demands"]

_Key = tuple[str, int]
"""Shape and number of members."""


class Demands:
    """Peaks of memory by shape and number of members, of workers on one device."""

    def __init__(self, folder: ResultsFolder, device: str, *, cores: int, unknown_bytes: int) -> None:
        """`cores` per worker; `unknown_bytes` is what is expected of a worker whose like has not been seen."""
        self._folder = folder
        self._device = device
        self._cores = cores
        self._unknown_bytes = unknown_bytes
        self._peaks: dict[_Key, Usage] = {}
        self._looked_for: set[_Key] = set()

    def of(self, assignment: Assignment, running: Iterable[Running]) -> Demand:
        """The demand of a worker on this assignment; `running` are those of this driver."""
        key = _key(assignment)
        finished = self._peaks.get(key, Usage())
        host, device = finished.host_bytes, finished.device_bytes
        for worker in running:
            if _key(worker.assignment) == key:
                so_far = worker.peaks
                device = _larger(device, so_far.device_bytes)
                # It may still grow: before one has finished only an excess over the default tells something.
                if host is not None or (so_far.host_bytes or 0) > self._unknown_bytes:
                    host = _larger(host, so_far.host_bytes)
        return Demand(self._cores, host, device)

    def learn(self, worker: Running) -> None:
        """Remember what a worker that has ended took."""
        self._note(_key(worker.assignment), worker.peaks)

    def read(self, assignments: Iterable[Assignment]) -> None:
        """Learn from the results folder what finished workers of these shapes took; every shape is read once.

        Of the newest cohorts only (`speeds.MOST_COHORTS_READ`), one job of each.
        """
        wanted = {_key(assignment) for assignment in assignments} - self._looked_for
        self._looked_for |= wanted
        found: dict[str, _Key] = {}
        jobs: list[Path] = []
        for cohort_id in newest_cohorts(self._folder) if wanted else ():
            document = self._folder.read_cohort(cohort_id)
            shape = None if document is None else known_shape(document["jobs"][0])
            if document is None or shape is None:
                continue
            ids = [record["id"] for record in document["jobs"]]
            key = shape, len(ids)
            done = [job_id for job_id in ids if self._folder.is_done(job_id)]
            if key in wanted and done and document.get("device") == self._device:
                found[cohort_id] = key
                jobs.append(self._folder.job(done[0]))
        if jobs:
            self._read_jobs(jobs, found)

    def _read_jobs(self, jobs: Iterable[Path], keys: dict[str, _Key]) -> None:
        from gtr_bench.store.reader import read

        columns = ["cohort", "peak_memory_bytes", "peak_device_memory_bytes"]
        try:
            rows = read(jobs, "jobs", columns, warn=lambda sentence: None).to_pylist()
        except ResultsError:
            return
        for row in rows:
            # A job that another cohort finished says nothing about this one.
            if row["cohort"] in keys:
                self._note(keys[row["cohort"]], Usage(row["peak_memory_bytes"], row["peak_device_memory_bytes"]))

    def _note(self, key: _Key, took: Usage) -> None:
        known = self._peaks.get(key, Usage())
        self._peaks[key] = Usage(
            _larger(known.host_bytes, took.host_bytes), _larger(known.device_bytes, took.device_bytes)
        )


def _key(assignment: Assignment) -> _Key:
    return shape_of(assignment.records[0]), len(assignment.records)


def _larger(one: int | None, other: int | None) -> int | None:
    return max((number for number in (one, other) if number is not None), default=None)
