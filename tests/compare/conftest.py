"""Results folders with curves of one's choice, written by the real writer for the jobs of a real suite text."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gtr_bench.suite.expand import Job
from gtr_bench.suite.load import parse_suite
from tests.helpers import SWAPPED_BACK, points_of, suite_text, write_finished

SUITE = suite_text(
    "swap",
    "Did the program change?",
    tables="\n[evaluation]\nevery = 1024\nepisodes = 4\n",
    seeds=8,
    steps=4096,
    sequences=SWAPPED_BACK,
    algorithms=("ppo", "gtr"),
)
OLD = "0123456789abcdef0123456789abcdef01234567"
NEW = "fedcba9876543210fedcba9876543210fedcba98"

Bend = Callable[[Job, np.ndarray], np.ndarray]
"""(job, returns at its points) -> the returns that are stored."""


def as_they_are(job: Job, returns: np.ndarray) -> np.ndarray:
    return returns


def jobs_of(text: str = SUITE, keep: str = "") -> list[Job]:
    """The jobs of a suite at laptop scale; only those of one algorithm with `keep`."""
    return [job for job in parse_suite(text, path="swap.toml", scale="laptop").jobs() if keep in ("", job.algorithm)]


def write_run(
    results: Path,
    job: Job,
    *,
    text: str = SUITE,
    bend: Bend = as_they_are,
    sha: str | None = OLD,
    upto: int | None = None,
    **changed: Any,
) -> None:
    """One finished job whose curve depends on its seed alone, then bent; `changed` are columns of job.parquet.

    With `upto` its evaluations end there, as a diverged job's do.
    """
    points = points_of(job)
    returns = np.linspace(20, 120, len(points)) + 10 * np.random.default_rng(job.seed).normal(size=len(points))
    kept = sum(upto is None or step <= upto for step, _, _ in points)
    columns = {
        "steps_per_second": 1000.0,
        "gtr_bench_version": "0.1.0",
        "git_sha": sha,
        "git_dirty": False,
        "packages": json.dumps({"numpy": "2.0"}),
        "suite_path": "swap.toml",
        "suite_text": text,
    }
    write_finished(results, job, bend(job, returns)[:kept], **columns | changed)


def write_unfinished(results: Path, jobs: Sequence[Job], *, reason: str = "", sha: str | None = OLD) -> None:
    """Jobs that were started; with a `reason` they failed."""
    labels = ("id", "definition", "suite", "scale", "algorithm", "sequence", "role", "seed")
    cohort = {
        "jobs": [{name: getattr(job, name) for name in labels} for job in jobs],
        "provenance": {"suite_text": SUITE, "suite_path": "swap.toml", "git_sha": sha},
    }
    path = results / "cohorts" / f"{len(list(results.glob('cohorts/*'))):016x}" / "cohort.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(cohort))
    for job in jobs:
        (results / "jobs" / job.id).mkdir(parents=True)
        if reason:
            failure = {"reason": reason, "message": "it raised", "log": "", "step": 0, "time": 0.0}
            (results / "jobs" / job.id / "failure.json").write_text(json.dumps(failure))


Fill = Callable[..., str]


@pytest.fixture(autouse=True)
def no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Durability is tested with the writer; here it would be most of the time."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def fill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fill:
    """Write jobs into a results folder of the working directory; its name."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, jobs: Sequence[Job], **options: Any) -> str:
        for job in jobs:
            write_run(Path(name), job, **options)
        return name

    return write
