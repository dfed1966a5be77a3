"""`gtr-bench` as a user runs it: real driver, real workers, real files, tiny suites."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.helpers import FAULTS, suite_text

TABLES = """
[training]
num_envs = 4
num_steps = 32
num_minibatches = 2
epochs = 2

[network]
hidden = [16]

[evaluation]
every = {evaluate_every}
episodes = 2
"""


class Program:
    """Runs `gtr-bench` in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[str]] = []

    def write_suite(
        self,
        sequences: dict[str, str],
        algorithms: Sequence[str] = ("ppo",),
        *,
        seeds: int = 2,
        steps: int = 1024,
        evaluate_every: int = 512,
        phases: int = 2,
        name: str = "tiny.toml",
    ) -> None:
        """`sequences`: id -> further lines of its table, which name the environment."""
        text = suite_text(
            tables=TABLES.format(evaluate_every=evaluate_every),
            seeds=seeds,
            steps=steps,
            sequences={identifier: f"phases = {phases}\n{lines}" for identifier, lines in sequences.items()},
            algorithms=algorithms,
        )
        (self.folder / name).write_text(text)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        path = [str(FAULTS), *filter(None, [os.environ.get("PYTHONPATH")])]  # the program under test may stand there
        process = subprocess.Popen(
            [sys.executable, "-m", "gtr_bench.cli", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments)
        stdout, stderr = process.communicate(timeout=300)
        return subprocess.CompletedProcess(list(arguments), process.returncode, stdout, stderr)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path)
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
        process.communicate()
