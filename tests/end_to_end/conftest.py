"""`gtr-bench` as a user runs it: real driver, real workers, real files, tiny suites."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

FAULTS = Path(__file__).parents[1] / "fault_package"
ROOT = Path(__file__).parents[2]

HEAD = """
[suite]
name = "tiny"
question = "Does it survive?"
primary_metric = "lifetime_return"

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

[scale.laptop]
seeds = {seeds}
steps_per_phase = {steps}
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
        text = HEAD.format(seeds=seeds, steps=steps, evaluate_every=evaluate_every)
        for identifier, lines in sequences.items():
            text += f'\n[[sequence]]\nid = "{identifier}"\nphases = {phases}\n{lines}\n'
        for algorithm in algorithms:
            text += f'\n[[algorithm]]\nid = "{algorithm}"\n'
        (self.folder / name).write_text(text)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "gtr_bench.cli", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": f"{FAULTS}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1"},
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

    def wait_for(self, condition: Callable[[], Any], seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError("it did not happen in time")
            time.sleep(0.02)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path)
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
        process.communicate()
