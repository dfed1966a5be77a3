"""Jobs, a recording observer and a driver on the fake worker."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from gtr_bench.schedule.driver import Driver
from gtr_bench.schedule.executors.base import Executor
from gtr_bench.schedule.executors.local import LocalExecutor
from gtr_bench.schedule.folders import ResultsFolder
from gtr_bench.schedule.observer import FailedCohort, Launch, Observer, Outcome, Snapshot, WorkerView
from gtr_bench.schedule.settings import Settings
from gtr_bench.schedule.slots import Slot
from gtr_bench.suite import Job, job_id

PARAMETERS = {"learning_rate": 0.001, "num_envs": 8, "num_steps": 128}
FAKE_WORKER = Path(__file__).with_name("fake_worker.py")


def make_job(seed: int = 0, *, algorithm: str = "ppo", environment: str = "gym:CartPole-v1", **options: Any) -> Job:
    """A job whose options tell the fake worker what to do."""
    definition = {
        "identity_version": 1,
        "algorithm": {"name": algorithm, "version": 1, "parameters": PARAMETERS},
        "sequence": {
            "phases": [{"environment": environment, "options": options, "steps": 100, "variant": 0}],
            "shifts": [],
            "max_episode_steps": None,
        },
        "packages": {},
        "network": {"torso": "mlp", "version": 1, "hidden": [8], "activation": "tanh"},
        "evaluation": {"every": 50, "episodes": 1, "deterministic": False, "all_phases": False},
        "seed": seed,
    }
    return Job(job_id(definition), definition, "faults", "laptop", algorithm, environment.split(":")[1], "run", seed)


class Recorder(Observer):
    """Keeps what the driver tells."""

    def __init__(self) -> None:
        self.launched: list[Launch] = []
        self.starts: list[WorkerView] = []
        self.finishes: list[WorkerView] = []
        self.stops: list[WorkerView] = []
        self.preemptions: list[WorkerView] = []
        self.failures: list[FailedCohort] = []
        self.messages: list[str] = []
        self.outcomes: list[Outcome] = []
        self.snapshots: list[Snapshot] = []

    def launch(self, launch: Launch) -> None:
        self.launched.append(launch)

    def started(self, worker: WorkerView) -> None:
        self.starts.append(worker)

    def progress(self, snapshot: Snapshot) -> None:
        self.snapshots.append(snapshot)

    def finished(self, worker: WorkerView, diverged: Sequence[str]) -> None:
        self.finishes.append(worker)

    def stopped(self, worker: WorkerView) -> None:
        self.stops.append(worker)

    def preempted(self, worker: WorkerView) -> None:
        self.preemptions.append(worker)

    def failed(self, failed: FailedCohort) -> None:
        self.failures.append(failed)

    def message(self, text: str) -> None:
        self.messages.append(text)

    def done(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)


RunJobs = Callable[..., tuple[Outcome, Recorder]]


@pytest.fixture
def jobs() -> Callable[..., list[Job]]:
    """`jobs(count, **options)`: jobs of one cohort that differ in their seed."""

    def make(count: int, **options: Any) -> list[Job]:
        return [make_job(seed, **options) for seed in range(count)]

    return make


@pytest.fixture
def folder(tmp_path: Path) -> ResultsFolder:
    return ResultsFolder(tmp_path / "results")


@pytest.fixture
def run_jobs(folder: ResultsFolder) -> RunJobs:
    """`run_jobs(jobs, slots=2, executor=..., observer=..., git=(commit, changed), **settings)`: run them.

    By default with the fake worker.
    """

    def run(
        jobs: Sequence[Job],
        *,
        slots: int = 2,
        executor: Executor | None = None,
        observer: Recorder | None = None,
        git: tuple[str | None, bool | None] = (None, None),
        **settings: Any,
    ) -> Any:
        recorder = observer or Recorder()
        asked = Settings(**{"poll_seconds": 0.02, "cohort": 4, "grace_seconds": 0.3, **settings})
        driver = Driver(
            jobs,
            folder,
            executor=executor
            or LocalExecutor(
                [Slot(number) for number in range(slots)],
                asked,
                recorder.message,
                command=(sys.executable, "-S", str(FAKE_WORKER)),
            ),
            settings=asked,
            provenance={
                "command": ["test"],
                "suite_text": "",
                "suite_path": "x.toml",
                "git_sha": git[0],
                "git_dirty": git[1],
            },
            observer=recorder,
        )
        return driver.run(), recorder

    return run


@pytest.fixture
def starts(folder: ResultsFolder) -> Callable[[Job], list[tuple[str, int, int]]]:
    """How often a job's training started: (cohort, members, first step) per start."""

    def read(job: Job) -> list[tuple[str, int, int]]:
        path = folder.job(job.id) / "starts.txt"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(cohort, int(members), int(step)) for cohort, members, step in map(str.split, lines)]

    return read
