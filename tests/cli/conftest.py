"""The command line with a fake worker: in this process, or in one of its own that can be killed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gtr_bench.cli.main import execute
from gtr_bench.schedule.executors import process
from gtr_bench.store.schema import EVALUATIONS, JOB
from gtr_bench.store.writer import write_table
from gtr_bench.suite import Suite, canonical_json

FAKE_CLI = Path(__file__).with_name("fake_cli.py")
FAKE_WORKER = Path(__file__).parents[1] / "schedule" / "fake_worker.py"

SUITE = """
[suite]
name = "tiny"
question = "Does it run?"
primary_metric = "lifetime_return"

[scale.laptop]
seeds = {seeds}
steps_per_phase = 1024

[[sequence]]
id = "cartpole"
env = "gym:CartPole-v1"
phases = 2
shift = {{ kind = "action_permutation" }}

[[algorithm]]
id = "ppo"

[[algorithm]]
id = "spo"
"""


class Cli:
    """Runs commands in a folder that holds `tiny.toml`."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self.folder = folder
        self.results = folder / "results"
        self.started: list[subprocess.Popen[str]] = []

    def write_suite(self, seeds: int = 2) -> None:
        (self.folder / "tiny.toml").write_text(SUITE.format(seeds=seeds))

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run to the end, in this process: importing everything anew would take most of the time."""
        self._capture.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["gtr-bench", *arguments])
            patch.setattr(process, "WORKER_COMMAND", (sys.executable, "-S", str(FAKE_WORKER)))
            for name, value in {"COLUMNS": "100", **environment}.items():
                patch.setenv(name, value)
            code = execute(arguments)
        captured = self._capture.readouterr()
        return subprocess.CompletedProcess(list(arguments), code, captured.out, captured.err)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start in a process of its own and return at once."""
        started = subprocess.Popen(
            [sys.executable, str(FAKE_CLI), *arguments],
            cwd=self.folder,
            env={**os.environ, "COLUMNS": "100", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(started)
        return started

    def fill(self, suite: Suite, results: Path | None = None) -> None:
        """Write what real workers would leave of a suite's jobs: evaluations that rise with the learning rate."""
        for job in suite.jobs():
            folder = (results or self.results) / "jobs" / job.id
            folder.mkdir(parents=True, exist_ok=True)
            phases = job.definition["sequence"]["phases"]
            every = job.definition["evaluation"]["every"]
            points = [
                (step, number, "grid" if step else "start" if number == 0 else "after_shift")
                for number, phase in enumerate(phases)
                for step in range(0, phase["steps"] + 1, every)
            ]
            level = 100 + 1e4 * job.definition["algorithm"]["parameters"]["learning_rate"] + job.seed
            columns = {
                "job": [job.id] * len(points),
                "step": [step + number * phases[0]["steps"] for step, number, _ in points],
                "phase": [number for _, number, _ in points],
                "evaluated_phase": [number for _, number, _ in points],
                "point": [point for _, _, point in points],
                "episodes": [10] * len(points),
                "return_mean": [level + step / 1000 for step, _, _ in points],
            }
            row = {name: getattr(job, name) for name in ("suite", "scale", "algorithm", "sequence", "role", "seed")} | {
                "job": job.id,
                "status": "complete",
                "algorithm_name": job.definition["algorithm"]["name"],
                "definition": canonical_json(job.definition),
                "device": "cpu",
                "packages": "{}",
                "finished": "2026-01-01T00:00:00+00:00",
                "suite_path": suite.path,
                "suite_text": suite.text,
            }
            write_table(folder / "evaluations.parquet", EVALUATIONS, columns)
            write_table(folder / "job.parquet", JOB, {name: [value] for name, value in row.items()})

    def starts(self) -> dict[str, list[tuple[str, int, int]]]:
        """Job id -> (cohort, members, first step) of each start."""
        found = {}
        for path in sorted((self.results / "jobs").glob("*/starts.txt")):
            lines = [line.split() for line in path.read_text().splitlines()]
            found[path.parent.name] = [(cohort, int(members), int(step)) for cohort, members, step in lines]
        return found

    def done(self) -> int:
        return len(list(self.results.glob("jobs/*/job.parquet")))

    def wait_for(self, condition: Callable[[], Any], seconds: float = 20.0) -> None:
        """Poll until something is true."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError("it did not happen in time")
            time.sleep(0.02)


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    command = Cli(tmp_path, capsys)
    command.write_suite()
    yield command
    for started in command.started:
        if started.poll() is None:
            started.kill()
        started.communicate()


@pytest.fixture
def normalise(tmp_path: Path) -> Callable[[str], str]:
    """Replace what differs between runs: paths, ids, times, sizes, speeds."""

    def clean(text: str) -> str:
        text = text.replace(str(tmp_path), "<folder>")
        text = re.sub(r"\b[0-9a-f]{16}\b", "<id>", text)
        text = re.sub(r"\b\d+(\.\d+)? (s|min|h)\b( \d+ (s|min))?", "<time>", text)
        text = re.sub(r"\b\d+(\.\d+)? (kB|MB|GB|TB)\b", "<size>", text)
        text = re.sub(r"\b(study [\w.+-]+)-[0-9a-f]{8}\b", r"\1-<digest>", text)
        text = re.sub(r"\bPython 3[.\d]+", "Python <version>", text)
        text = re.sub(r"\bsha256 of their ids [0-9a-f]{12}\b", "sha256 of their ids <digest>", text)
        text = re.sub(r"\bpackages [0-9a-f]{12}\b", "packages <digest>", text)
        return "\n".join(line.rstrip() for line in text.splitlines())

    return clean
