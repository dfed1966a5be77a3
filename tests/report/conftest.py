"""A plausible results folder, written by the real writer for the jobs of a real suite text."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gtr_bench.algorithms.gtr.algorithm import GTR
from gtr_bench.learners.policy import PolicyLearner
from gtr_bench.store.schema import EVALUATIONS, JOB, iterations_schema
from gtr_bench.store.writer import write_table
from gtr_bench.suite.expand import Job
from gtr_bench.suite.load import parse_suite
from tests.helpers import job_columns

SUITE = """
[suite]
name = "swap"
question = "Does GTR cross to swapped actions sooner?"
primary_metric = "recovery_steps"
comparisons = [["gtr", "ppo"]]

[training]
num_steps = 64

[evaluation]
every = 1000
episodes = 4

[scale.laptop]
seeds = 5
steps_per_phase = 10_000

[scale.full]
seeds = 12
steps_per_phase = 20_000

[[sequence]]
id = "cartpole_swap"
env = "gym:CartPole-v1"
phases = 3
shift = { kind = "action_permutation", cycle = 2 }
normalise = { min = 0.0, max = 500.0 }
references = true

[[sequence]]
id = "acrobot_swap"
env = "gym:Acrobot-v1"
phases = 3
shift = { kind = "action_permutation", cycle = 2 }
normalise = { min = -500.0, max = -60.0 }
references = true

[[algorithm]]
id = "ppo"

[[algorithm]]
id = "gtr"
sigma = 0.5
"""

LEVELS = {"cartpole_swap": (20.0, 450.0), "acrobot_swap": (-500.0, -80.0)}
RATES = {"ppo": 3500.0, "gtr": 2000.0}

ITERATIONS = iterations_schema({**PolicyLearner.columns, **GTR.columns})


def evaluation_rows(job: Job, upto: int | None = None) -> dict[str, Any]:
    """A curve that saturates in each phase and drops at each shift; cut after `upto` steps."""
    generator = np.random.default_rng([int(job.id[:8], 16), job.seed])
    low, high = LEVELS[job.sequence]
    rate = RATES[job.algorithm] * (1 + 0.1 * generator.normal())
    rows: list[dict[str, Any]] = []
    start = 0
    phases = job.definition["sequence"]["phases"]
    every = job.definition["evaluation"]["every"]
    for number, phase in enumerate(phases):
        for since in range(0, phase["steps"] + 1, every):
            share = 1 - np.exp(-since / (rate * (1 + 0.5 * (number > 0))))
            point = "grid"
            if since == 0:
                point = "start" if number == 0 else "after_shift"
            elif since == phase["steps"]:
                point = "end" if number == len(phases) - 1 else "before_shift"
            value = low + (high - low) * share + 0.02 * (high - low) * generator.normal()
            rows.append({"step": start + since, "phase": number, "point": point, "return_mean": float(value)})
        start += phase["steps"]
    kept = [row for row in rows if upto is None or row["step"] <= upto]
    columns = {name: [row[name] for row in kept] for name in ("step", "phase", "point", "return_mean")}
    return {
        **columns,
        "job": [job.id] * len(kept),
        "evaluated_phase": columns["phase"],
        "episodes": [4] * len(kept),
        "return_std": [1.0] * len(kept),
        "length_mean": [100.0] * len(kept),
    }


def write_job(
    results: Path,
    job: Job,
    text: str,
    *,
    status: str = "complete",
    stop: int | None = None,
    finished: bool = True,
    rows: dict[str, Any] | None = None,
) -> Path:
    """Write one job's files as a worker would; `stop` is where it diverged, or where an unfinished job has got to.

    `rows` are its evaluations, by default those of `evaluation_rows`.
    """
    folder = results / "jobs" / job.id
    folder.mkdir(parents=True)
    write_table(folder / "evaluations.parquet", EVALUATIONS, rows or evaluation_rows(job, stop))
    iterations = 5
    write_table(
        folder / "iterations.parquet",
        ITERATIONS,
        {
            "job": [job.id] * iterations,
            "iteration": range(iterations),
            "step": [1024 * (index + 1) for index in range(iterations)],
            "phase": [0] * iterations,
            "exact_kl": [0.01] * iterations,
        },
    )
    if finished:
        columns = job_columns(
            job,
            status=status,
            started="2026-01-01T00:00:00+00:00",
            gtr_bench_version="0.1.0",
            git_sha="0123456789abcdef0123456789abcdef01234567",
            git_dirty=False,
            packages=json.dumps({"numpy": "2.0"}),
            suite_path="swap.toml",
            suite_text=text,
            diverged_step=stop if status == "diverged" else None,
        )
        write_table(folder / "job.parquet", JOB, columns)
    return folder


@pytest.fixture(autouse=True)
def no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Durability is tested with the writer; here it would be most of the time."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def jobs() -> list[Job]:
    """The jobs of `SUITE` at laptop scale."""
    return parse_suite(SUITE, path="swap.toml", scale="laptop").jobs()


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """Job folders already written, by id and suite text; writing is most of the time of these tests."""
    return {("", ""): tmp_path_factory.mktemp("templates")}


@pytest.fixture
def fill(tmp_path: Path, templates: dict[tuple[str, str], Path]) -> Callable[..., Path]:
    """Write jobs into a results folder and return it."""

    def write(jobs: list[Job], *, text: str = SUITE, name: str = "results") -> Path:
        results = tmp_path / name
        for job in jobs:
            key = (job.id, text)
            if key not in templates:
                templates[key] = write_job(templates["", ""] / str(len(templates)), job, text)
            shutil.copytree(templates[key], results / "jobs" / job.id)
        return results

    return write
