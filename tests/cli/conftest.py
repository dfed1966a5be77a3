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
from gtr_bench.schedule import process

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
        return "\n".join(line.rstrip() for line in text.splitlines())

    return clean
