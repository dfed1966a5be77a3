"""CPU seconds and memory of a report on many jobs: `python -m benchmarks.report_speed [--jobs 1000] [--rows 1000]`.

The results are made up, and written by the program's own writer: `--jobs` jobs (5 algorithms, 10 environments, the rest
seeds), each with `--rows` evaluations and `--iterations` iterations. Every figure is of a process of its own, imports
included: CPU seconds of all its threads, and the most memory it held.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.repository import helpers
from gtr_bench.algorithms.gtr.algorithm import GTR
from gtr_bench.learners.policy import PolicyLearner
from gtr_bench.store.schema import EVALUATIONS, JOB, iterations_schema
from gtr_bench.store.writer import write_table
from gtr_bench.suite.expand import Job
from gtr_bench.suite.load import parse_suite

job_columns = helpers().job_columns

ALGORITHMS = ("ppo", "ppo_kl", "spo", "gtr", "oracle")
ENVIRONMENTS = 10
PHASES = 4

ITERATIONS = iterations_schema({**PolicyLearner.columns, **GTR.columns})


def suite_text(seeds: int, rows: int) -> str:
    """A suite whose jobs have `rows` evaluations each."""
    every = 1000
    # a phase has one evaluation before its first step besides those of its grid
    steps = every * (rows // PHASES - 1)
    sequences = "".join(
        f'[[sequence]]\nid = "world_{index}"\nenv = "gym:CartPole-v1"\nphases = {PHASES}\n'
        f'max_episode_steps = {400 + index}\nshift = {{ kind = "action_permutation", cycle = 2 }}\n'
        "normalise = { min = 0.0, max = 500.0 }\n"
        for index in range(ENVIRONMENTS)
    )
    algorithms = "".join(f'[[algorithm]]\nid = "{name}"\n' for name in ALGORITHMS)
    return f"""
[suite]
name = "speed"
question = "How long does a report take?"
primary_metric = "phase_auc"
comparisons = [["gtr", "ppo"], ["gtr", "ppo_kl"]]
[[claim]]
id = "faster"
better = "gtr"
than = "ppo"
metric = "lifetime_return"
direction = "higher"
[training]
num_envs = 1
num_steps = 1000
num_minibatches = 4
[evaluation]
every = {every}
[scale.full]
seeds = {seeds}
steps_per_phase = {steps}
{sequences}
{algorithms}
"""


def write_results(results: Path, jobs: int, rows: int, iterations: int) -> None:
    """Made-up results of `jobs` jobs."""
    text = suite_text(max(1, jobs // (len(ALGORITHMS) * ENVIRONMENTS)), rows)
    suite = parse_suite(text, path="speed.toml", scale="full")
    os.fsync = lambda descriptor: None  # type: ignore[assignment]
    packages = json.dumps({f"package-{index}": "1.0" for index in range(100)})
    for job in suite.jobs():
        folder = results / "jobs" / job.id
        folder.mkdir(parents=True)
        generator = np.random.default_rng(int(job.id[:8], 16))
        write_table(folder / "evaluations.parquet", EVALUATIONS, evaluations(job, generator))
        write_table(folder / "iterations.parquet", ITERATIONS, iterations_of(job, iterations, generator))
        columns = job_columns(
            job, packages=packages, gtr_bench_version="0.1.0", suite_path="speed.toml", suite_text=text,
            git_sha="0" * 40, git_dirty=False,
        )  # fmt: skip
        write_table(folder / "job.parquet", JOB, columns)


def evaluations(job: Job, generator: np.random.Generator) -> dict[str, object]:
    """A curve that saturates in every phase, higher for gtr."""
    length = job.definition["sequence"]["phases"][0]["steps"]
    every = job.definition["evaluation"]["every"]
    since = np.tile(np.arange(0, length + 1, every), PHASES)
    phase = np.repeat(np.arange(PHASES), length // every + 1)
    level = 420.0 if job.algorithm == "gtr" else 380.0
    values = level * (1 - np.exp(-since / (0.2 * length))) + generator.normal(0, 20, len(since))
    point = np.where(since == 0, np.where(phase == 0, "start", "after_shift"), "grid")
    count = len(since)
    return {
        "job": [job.id] * count, "step": since + phase * length, "phase": phase, "evaluated_phase": phase,
        "point": point.tolist(), "episodes": np.full(count, 10), "return_mean": values,
        "return_std": generator.random(count), "length_mean": generator.random(count),
    }  # fmt: skip


def iterations_of(job: Job, count: int, generator: np.random.Generator) -> dict[str, object]:
    """Diagnostics in all columns, so that reading too many of them is seen."""
    phase = np.arange(count) * PHASES // count
    labels = {"job": [job.id] * count, "iteration": np.arange(count), "step": np.arange(count) * 1000, "phase": phase}
    numbers = [field.name for field in ITERATIONS if field.name not in labels]
    return {
        **labels,
        **{name: (100 * generator.random(count)).astype(np.float32) for name in numbers if name != "episodes"},
    }


def measure(command: list[str]) -> tuple[float, float, str]:
    """CPU seconds, peak memory in MB and stdout of a process."""
    script = (
        "import resource, subprocess, sys; found = subprocess.run(sys.argv[1:], capture_output=True, text=True);"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(found.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024); print(found.stderr)"
    )
    found = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True, check=True)
    first, _, rest = found.stdout.partition("\n")
    code, seconds, memory = first.split()
    if code != "0":
        raise SystemExit(rest)
    return float(seconds), float(memory), rest


def main() -> None:
    """Write results, then time the reports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--iterations", type=int, default=1000)
    parser.add_argument("--keep", type=Path, help="write the results there, or use those that are there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = arguments.keep or Path(folder)
        if not (results / "jobs").exists():
            write_results(results, arguments.jobs, arguments.rows, arguments.iterations)
        size = sum(path.stat().st_size for path in results.rglob("*.parquet")) / 1e6
        print(f"{arguments.jobs:,} jobs: {arguments.rows:,} evaluations, {arguments.iterations:,} iterations each")
        print(f"{size:.0f} MB of Parquet")
        for name in ("terminal", "json", "csv", "html"):
            command = [sys.executable, "-m", "gtr_bench.cli", "report", str(results), "--format", name]
            seconds, memory, _ = measure(command)
            print(f"report --format {name:<9} {seconds:5.2f} s of CPU time, {memory:4.0f} MB")


if __name__ == "__main__":
    main()
