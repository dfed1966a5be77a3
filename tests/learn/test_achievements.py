"""What an evaluation's episodes achieve: the rates of each phase's own achievements, through checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gtr_bench.environments.base import BatchedEnvironment
from gtr_bench.environments.registry import families
from gtr_bench.environments.single import Outcome, SingleBatch
from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.learn.training import Training
from tests.learn.helpers import CPU, make_definition, train
from tests.learn.test_resume import continued

NAMES = {"walk": ("begin", "long"), "run": ("long", "fast"), "rest": ()}


class Deeds:
    """Episodes of 3 steps, or of 5 by the parity of the seed: `begin` at once, `long` after 4 steps, `fast` never."""

    def __init__(self, spaces: Spaces) -> None:
        self.spaces = spaces

    def reset(self, seed: int) -> np.ndarray:
        self._steps, self._length = 0, 3 + 2 * (seed % 2)
        return np.zeros(1, np.float32)

    def step(self, action: int) -> Outcome:
        self._steps += 1
        over = self._steps == self._length
        return Outcome(np.full(1, self._steps, np.float32), float(self._steps > 3), over, False, False)

    def achieved(self) -> np.ndarray:
        done = {"begin": self._steps >= 1, "long": self._steps >= 4, "fast": False}
        return np.array([done[name] for name in self.spaces.achievements])

    def set_physics(self, factors: Mapping[str, float]) -> None:
        """There is none."""

    def close(self) -> None:
        """Nothing to free."""


class DeedsFamily:
    """`deeds:walk`, `deeds:run` and `deeds:rest`, which has nothing to achieve."""

    name = "deeds"

    def check(self, task: str) -> None:
        """All are there."""

    def physics(self, task: str) -> dict[str, str]:
        return {}

    def spaces(self, task: str, options: Mapping[str, Any]) -> Spaces:
        return Spaces(ObservationSpace((1,)), ActionSpace("discrete", (2,)), False, NAMES[task])

    def make(self, task: str, *, members: int, envs: int, max_episode_steps: int | None, options: Any) -> Any:
        made: BatchedEnvironment = SingleBatch(task, members, envs, None, lambda: Deeds(self.spaces(task, {})))
        return made


@pytest.fixture(autouse=True)
def deeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "get", lambda name: DeedsFamily)


def definition(*tasks: str, seed: int = 0) -> dict[str, Any]:
    made = make_definition(phases=[128] * len(tasks), episodes=6, evaluate_every=128, seed=seed)
    for phase, task in zip(made["sequence"]["phases"], tasks, strict=True):
        phase["environment"] = f"deeds:{task}"
    return made


def test_a_rate_is_the_share_of_episodes_that_achieved_it_by_their_last_step() -> None:
    evaluations = train(definition("walk")).rows_of(0)[0]
    long = [mean / 2 for mean in evaluations["return_mean"]]  # its episodes are paid 1 in the steps 4 and 5
    assert evaluations["achievements"] == [[("begin", 1.0), ("long", pytest.approx(share))] for share in long]
    assert any(0 < share < 1 for share in long)


def test_each_phase_has_the_achievements_of_its_own_task_and_a_task_without_has_none() -> None:
    evaluations = train(definition("walk", "rest", "run")).rows_of(0)[0]
    found = [None if row is None else [name for name, _ in row] for row in evaluations["achievements"]]
    assert evaluations["phase"] == [0, 0, 1, 1, 2, 2]
    assert found == [["begin", "long"]] * 2 + [None] * 2 + [["long", "fast"]] * 2


def test_what_was_achieved_before_a_checkpoint_is_there_after_it(tmp_path: Path) -> None:
    definitions = [definition("walk", "run", seed=seed) for seed in (0, 1)]
    whole, parts = train(*definitions), continued(definitions, [1], tmp_path)
    for member in (0, 1):
        assert parts.rows_of(member)[0] == whole.rows_of(member)[0]


def test_a_transition_holds_what_the_ended_episode_achieved() -> None:
    batch = SingleBatch("walk", 2, 3, None, lambda: Deeds(DeedsFamily().spaces("walk", {})))
    batch.reset(np.arange(6, dtype=np.uint64).reshape(2, 3))
    steps = [batch.step(np.zeros((2, 3), np.int64)) for _ in range(6)]
    for step, before in zip(steps, [None, *steps], strict=False):
        assert step.achievements is not None
        assert step.achievements.shape == (2, 3, 2)
        assert step.achievements[..., 0].all()
        if before is not None:
            ended = before.terminated
            assert not step.achievements[ended, 1].any()
    assert steps[4].achievements[steps[4].terminated, 1].all()  # type: ignore[index]


def test_a_family_without_achievements_hands_none_over() -> None:
    training = Training([definition("rest")], CPU)
    training.collector.environment.start_phase(0)
    assert training.collector.environment.step(np.zeros((1, 4), np.int64)).achievements is None
