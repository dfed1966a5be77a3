"""Jobs a request gets for free: done already, but trained for another suite or scale, or under another name."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from gtr_bench.errors import ResultsError
from gtr_bench.schedule.folders import ResultsFolder

if TYPE_CHECKING:
    from gtr_bench.suite import Job

__all__ = ["Labels", "count_cached", "labels_of"]

_LABELS = ("suite", "scale", "algorithm", "sequence", "role")

Labels = tuple[object, ...]
"""suite, scale, algorithm, sequence, role"""


def count_cached(done: Iterable[Job], folder: ResultsFolder) -> int:
    """How many of some done jobs were trained under other labels than here; what nobody can tell does not count."""
    wanted = {job.id: job for job in done}
    return sum(found != _labels(wanted[job_id]) for job_id, found in labels_of(wanted, folder).items())


def labels_of(job_ids: Collection[str], folder: ResultsFolder) -> dict[str, Labels]:
    """Job id -> the labels it was trained under, of those that can be told.

    The file of the cohort a job's lock names tells the labels of all its jobs at once: 10,000 done jobs cost about
    0.2 s. Only where that file is gone the job's own is read.
    """
    by_cohort: dict[str | None, list[str]] = {}
    for job_id in job_ids:
        by_cohort.setdefault(folder.cohort_of(job_id), []).append(job_id)
    labels: dict[str, Labels] = {}
    for cohort, own in by_cohort.items():
        known = _of_cohort(folder, cohort) if cohort else {}
        labels |= {job_id: known[job_id] for job_id in own if job_id in known}
    return labels | _of_jobs(folder, [job_id for job_id in job_ids if job_id not in labels])


def _labels(job: Job) -> Labels:
    return tuple(getattr(job, name) for name in _LABELS)


def _of_cohort(folder: ResultsFolder, cohort: str) -> dict[str, Labels]:
    """Job id -> labels, as a cohort's file lists them; empty where it is missing or not one of ours."""
    content = folder.read_cohort(cohort)
    return {} if content is None else {r["id"]: tuple(r[name] for name in _LABELS) for r in content["jobs"]}


def _of_jobs(folder: ResultsFolder, job_ids: list[str]) -> dict[str, Labels]:
    """Job id -> labels, from each job.parquet; one that cannot be read is left out."""
    if not job_ids:
        return {}
    from gtr_bench.store.reader import read

    try:
        paths = (folder.job(job_id) for job_id in job_ids)
        rows = read(paths, "jobs", ["job", *_LABELS], warn=lambda sentence: None).to_pylist()
    except ResultsError:
        return {}
    return {row["job"]: tuple(row[name] for name in _LABELS) for row in rows}
