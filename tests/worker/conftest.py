"""A cohort in a results folder, and the worker on it as the driver starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gtr_bench.algorithms.registry import algorithms
from gtr_bench.suite.identity import job_id
from tests.helpers import FAULTS


def definition(algorithm: str, seed: int, environment: str, steps: int, **parameters: Any) -> dict[str, Any]:
    """Two phases of CartPole-sized training with an evaluation at their ends."""
    kind = algorithms.get(algorithm)
    small = {"num_envs": 4, "num_steps": 32, "num_minibatches": 2, "epochs": 2}
    phases = [{"environment": environment, "options": {}, "steps": steps, "variant": variant} for variant in (0, 1)]
    return {
        "identity_version": 1,
        "algorithm": {
            "name": algorithm,
            "version": kind.version,
            "parameters": kind.Parameters(**(small | parameters)).model_dump(mode="json"),
        },
        "sequence": {"phases": phases, "shifts": [{"kind": "reward_flip"}], "max_episode_steps": None},
        "packages": {},
        "network": {"torso": "mlp", "version": 1, "hidden": [16], "activation": "tanh"},
        "evaluation": {"every": steps, "episodes": 2, "deterministic": False, "all_phases": False},
        "seed": seed,
    }


class Cohort:
    """`<folder>/cohorts/c/cohort.json` and what a worker made of it."""

    def __init__(self, results: Path, algorithm: str, environment: str, steps: int, checkpoint_seconds: float) -> None:
        self.folder = results / "cohorts" / "c"
        self.folder.mkdir(parents=True)
        definitions = [definition(algorithm, seed, environment, steps) for seed in (0, 1)]
        labels = {"suite": "s", "scale": "laptop", "algorithm": algorithm, "sequence": "q", "role": "run"}
        jobs = [labels | {"id": job_id(d), "definition": d, "seed": d["seed"]} for d in definitions]
        provenance = {"command": ["x"], "suite_text": "", "suite_path": None, "git_sha": None, "git_dirty": None}
        document = {
            "format": 1,
            "id": "c",
            "jobs": jobs,
            "device": "cpu",
            "threads": 1,
            "checkpoint_seconds": checkpoint_seconds,
            "profile": False,
            "provenance": provenance,
        }
        (self.folder / "cohort.json").write_text(json.dumps(document))
        self.jobs = [results / "jobs" / job["id"] for job in jobs]

    def start(self) -> subprocess.Popen[bytes]:
        """The worker, in the background."""
        environment = os.environ | {"PYTHONPATH": str(FAULTS), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "gtr_bench.worker", str(self.folder / "cohort.json")]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self) -> int:
        """The worker's exit code."""
        with self.start() as process:
            process.communicate(timeout=120)
            return process.returncode

    def heartbeat(self) -> dict[str, Any]:
        """Its last words."""
        found: dict[str, Any] = json.loads((self.folder / "heartbeat.json").read_text())
        return found


@pytest.fixture
def cohort(tmp_path: Path) -> Callable[..., Cohort]:
    """cohort(name="a", algorithm="ppo", environment="gym:CartPole-v1", steps=1024, checkpoint_seconds=60)."""

    def made(
        name: str = "results",
        *,
        algorithm: str = "ppo",
        environment: str = "gym:CartPole-v1",
        steps: int = 1024,
        checkpoint_seconds: float = 60.0,
    ) -> Cohort:
        return Cohort(tmp_path / name, algorithm, environment, steps, checkpoint_seconds)

    return made
