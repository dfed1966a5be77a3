"""Results folders with curves of one's choice, written by the real writer for the jobs of a real suite text."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gtr_bench.store.schema import EVALUATIONS, JOB
from gtr_bench.store.writer import write_table
from gtr_bench.suite.expand import Job
from gtr_bench.suite.identity import canonical_json
from gtr_bench.suite.load import parse_suite

SUITE = """
[suite]
name = "swap"
question = "Did the program change?"
primary_metric = "lifetime_return"

[evaluation]
every = 1024
episodes = 4

[scale.laptop]
seeds = 8
steps_per_phase = 4096

[[sequence]]
id = "cartpole"
env = "gym:CartPole-v1"
phases = 2
shift = { kind = "action_permutation", cycle = 2 }

[[algorithm]]
id = "ppo"

[[algorithm]]
id = "gtr"
"""
OLD = "0123456789abcdef0123456789abcdef01234567"
NEW = "fedcba9876543210fedcba9876543210fedcba98"

Bend = Callable[[Job, np.ndarray], np.ndarray]
"""(job, returns at its points) -> the returns that are stored."""


def as_they_are(job: Job, returns: np.ndarray) -> np.ndarray:
    return returns


def jobs_of(text: str = SUITE, keep: str = "") -> list[Job]:
    """The jobs of a suite at laptop scale; only those of one algorithm with `keep`."""
    return [job for job in parse_suite(text, path="swap.toml", scale="laptop").jobs() if keep in ("", job.algorithm)]


def points_of(job: Job) -> list[tuple[int, int, str]]:
    """(step, phase, point) as training takes them."""
    every = job.definition["evaluation"]["every"]
    points, start = [], 0
    for phase, each in enumerate(job.definition["sequence"]["phases"]):
        points.append((start, phase, "after_shift" if phase else "start"))
        points += [(start + step, phase, "grid") for step in range(every, each["steps"] + 1, every)]
        start += each["steps"]
    return points


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
    folder = results / "jobs" / job.id
    folder.mkdir(parents=True)
    points = points_of(job)
    returns = np.linspace(20, 120, len(points)) + 10 * np.random.default_rng(job.seed).normal(size=len(points))
    count = len(points)
    rows = {
        "job": [job.id] * count,
        "step": [step for step, _, _ in points],
        "phase": [phase for _, phase, _ in points],
        "evaluated_phase": [phase for _, phase, _ in points],
        "point": [point for _, _, point in points],
        "episodes": [4] * count,
        "return_mean": bend(job, returns),
    }
    kept = [place for place, (step, _, _) in enumerate(points) if upto is None or step <= upto]
    rows = {name: [values[place] for place in kept] for name, values in rows.items()}
    write_table(folder / "evaluations.parquet", EVALUATIONS, rows)
    row = {
        "job": job.id,
        "status": "complete",
        **{name: getattr(job, name) for name in ("suite", "scale", "algorithm", "sequence", "role", "seed")},
        "algorithm_name": job.definition["algorithm"]["name"],
        "definition": canonical_json(job.definition),
        "device": "cpu",
        "steps_per_second": 1000.0,
        "finished": "2026-01-01T00:10:00+00:00",
        "gtr_bench_version": "0.1.0",
        "git_sha": sha,
        "git_dirty": False,
        "packages": json.dumps({"numpy": "2.0"}),
        "suite_path": "swap.toml",
        "suite_text": text,
        **changed,
    }
    write_table(folder / "job.parquet", JOB, {name: [value] for name, value in row.items()})


def write_unfinished(results: Path, jobs: Sequence[Job], *, reason: str = "", sha: str | None = OLD) -> None:
    """Jobs that were started; with a `reason` they failed."""
    labels = ("id", "definition", "suite", "scale", "algorithm", "sequence", "role", "seed")
    cohort = {
        "jobs": [{name: getattr(job, name) for name in labels} for job in jobs],
        "provenance": {"suite_text": SUITE, "suite_path": "swap.toml", "git_sha": sha},
    }
    path = results / "cohorts" / f"c{len(list(results.glob('cohorts/*')))}" / "cohort.json"
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
