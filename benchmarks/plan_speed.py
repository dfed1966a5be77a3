"""CPU seconds of `gtr-bench plan`: `python -m benchmarks.plan_speed [--jobs 10000] [--repeats 5]`.

The whole command is measured, start-up and imports included, on suites of `--jobs` jobs: few settings with many seeds,
and many settings with ten seeds; in an empty results folder, and in one where every job is done. The figures are user
plus system time of all threads, the median over `--repeats` processes and the largest.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.report_speed import measure
from benchmarks.repository import helpers
from gtr_bench.schedule.assignments import job_record
from gtr_bench.suite import group, load_suite

suite_text, touch_done = helpers().suite_text, helpers().touch_done


def write_suite(path: Path, *, settings: int, seeds: int) -> None:
    """A suite of `settings` x `seeds` jobs."""
    rates = [round(1e-5 * (index + 1), 9) for index in range(settings)]
    text = suite_text("many", "How long does a plan take?", seeds=seeds, steps=4096)
    path.write_text(f"{text}grid = {{ learning_rate = {rates} }}\n", encoding="utf-8")


def write_done(suite: Path, results: Path) -> None:
    """What a plan reads of a finished suite: names in the job folders, locks, and the cohorts' files."""
    loaded = load_suite(suite)
    for cohort in group(loaded.jobs()):
        folder = results / "cohorts" / cohort.id
        folder.mkdir(parents=True)
        data = {"format": 1, "id": cohort.id, "jobs": [job_record(job) for job in cohort.jobs]}
        (folder / "cohort.json").write_text(json.dumps(data), encoding="utf-8")
        for job in cohort.jobs:
            folder = results / "jobs" / job.id
            touch_done(folder)
            (folder / "lock").write_text(cohort.id, encoding="utf-8")


def main() -> None:
    """Write suites and folders, then time the plans."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seeds, grid = folder / "seeds.toml", folder / "grid.toml"
        write_suite(seeds, settings=10, seeds=arguments.jobs // 10)
        write_suite(grid, settings=arguments.jobs // 10, seeds=10)
        write_done(seeds, folder / "done")
        cases = {
            "10 settings, many seeds, nothing done": [str(seeds), "--results", str(folder / "empty")],
            "many settings, 10 seeds, nothing done": [str(grid), "--results", str(folder / "empty")],
            "10 settings, many seeds, all done": [str(seeds), "--results", str(folder / "done")],
        }
        for what, options in cases.items():
            command = [sys.executable, "-m", "gtr_bench.cli", "plan", *options]
            used = [measure(command)[0] for _ in range(arguments.repeats)]
            print(f"{what:<38} {statistics.median(used):.2f} s of CPU time, at most {max(used):.2f} s")


if __name__ == "__main__":
    main()
