"""A tiny suite as a template, and its trials trained in no time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gtr_bench.ablation.trials import SuiteTemplate, load_template
from gtr_bench.suite.expand import Job, Suite
from gtr_bench.suite.load import load_suite
from gtr_bench.tuning.model import Tuning
from gtr_bench.tuning.run import Request, run_tuning
from gtr_bench.tuning.spaces import spaces_of
from tests.helpers import points_of, suite_text, write_finished

SWAPS = {"cartpole": 'env = "gym:CartPole-v1"\nphases = 4\nshift = { kind = "action_permutation", cycle = 2 }'}
TEXT = "# Mine.\n" + suite_text(seeds=3, sequences=SWAPS, algorithms=("ppo", "gtr")) + "sigma = 0.5 # as stated\n"

Level = Callable[[Job], float]


def level(job: Job) -> float:
    """Return of a job: the closer its learning rate to 0.003, the higher."""
    return 100 - abs(1e4 * float(job.definition["algorithm"]["parameters"]["learning_rate"]) - 30)


class Tuner:
    """Tunes a suite in a folder; `levels` are the returns of its jobs, None fails one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.results = folder / "results"
        self.path = folder / "tiny.toml"
        self.path.write_text(TEXT)
        self.trained: list[Suite] = []
        self.leave: set[str] = set()
        self.diverge: Callable[[Job], bool] = lambda job: False
        self.fail: Callable[[Job], bool] = lambda job: False
        self.level: Level = level

    @property
    def template(self) -> SuiteTemplate:
        return load_template(str(self.path), None, load_suite(self.path).primary_metric)

    def request(self, *, params: tuple[str, ...] = (), ranges: tuple[str, ...] = (), **more: Any) -> Request:
        template = self.template
        names = list(dict.fromkeys(label.partition("[")[0] for label in template.suite.algorithms))
        given: dict[str, Any] = {"budget": 4, "sampler": "qmc", "batch": 4, "seeds": (9000, 9001), "tune_fraction": 0.5}
        return Request(template=template, spaces=spaces_of(template, names, params, ranges), **(given | more))

    def train(self, suite: Suite) -> None:
        """As a run would: every job that is not done."""
        self.trained.append(suite)
        for job in suite.jobs():
            folder = self.results / "jobs" / job.id
            if (folder / "job.parquet").exists() or job.algorithm in self.leave:
                continue
            if self.fail(job):
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "failure.json").write_text('{"reason": "error", "message": "it broke"}')
                continue
            status = {"status": "diverged", "diverged_step": 512} if self.diverge(job) else {}
            returns = [self.level(job)] * len(points_of(job))
            write_finished(self.results, job, returns, suite_path=suite.path, suite_text=suite.text, **status)

    def __call__(self, **more: Any) -> Tuning:
        return run_tuning(self.request(**more), self.results, self.train, warn=pytest.fail)


@pytest.fixture
def tune(tmp_path: Path) -> Tuner:
    return Tuner(tmp_path)
