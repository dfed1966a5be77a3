"""The command line with a fake worker: in this process, or in one of its own that can be killed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gtr_bench.cli.main import execute
from gtr_bench.schedule.executors import process
from gtr_bench.suite import Suite
from tests.helpers import points_of, suite_text, write_finished

FAKE_CLI = Path(__file__).with_name("fake_cli.py")
FAKE_WORKER = Path(__file__).parents[1] / "schedule" / "fake_worker.py"


class Cli:
    """Runs commands in a folder that holds `tiny.toml`."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self.folder = folder
        self.results = folder / "results"
        self.started: list[subprocess.Popen[str]] = []

    def write_suite(self, seeds: int = 2) -> None:
        (self.folder / "tiny.toml").write_text(suite_text(seeds=seeds, algorithms=("ppo", "spo")))

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
            level = 100 + 1e4 * job.definition["algorithm"]["parameters"]["learning_rate"] + job.seed
            length = job.definition["sequence"]["phases"][0]["steps"]
            returns = [level + (step - phase * length) / 1000 for step, phase, _ in points_of(job)]
            write_finished(results or self.results, job, returns, suite_path=suite.path, suite_text=suite.text)

    def starts(self) -> dict[str, list[tuple[str, int, int]]]:
        """Job id -> (cohort, members, first step) of each start."""
        found = {}
        for path in sorted((self.results / "jobs").glob("*/starts.txt")):
            lines = [line.split() for line in path.read_text().splitlines()]
            found[path.parent.name] = [(cohort, int(members), int(step)) for cohort, members, step in lines]
        return found

    def done(self) -> int:
        return len(list(self.results.glob("jobs/*/job.parquet")))


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
        text = re.sub(r"\b((?:study|tuning) [\w.+-]+)-[0-9a-f]{8}\b", r"\1-<digest>", text)
        text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:<port>", text)
        text = re.sub(r"\bPython 3[.\d]+", "Python <version>", text)
        text = re.sub(r"\bsha256 of their ids [0-9a-f]{12}\b", "sha256 of their ids <digest>", text)
        text = re.sub(r"\bpackages [0-9a-f]{12}\b", "packages <digest>", text)
        return "\n".join(line.rstrip() for line in text.splitlines())

    return clean
