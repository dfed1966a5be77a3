"""What environments hand out is refused where numpy would make something of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gtr_bench.environments import sequence as sequence_module
from gtr_bench.environments.base import BatchedEnvironment, Finals, Transition
from gtr_bench.environments.sequence import SequenceEnvironment
from gtr_bench.environments.single import Outcome, SingleBatch
from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.errors import EnvironmentFault

VECTOR = Spaces(ObservationSpace((4,)), ActionSpace("discrete", (2,)), has_success=False)
BYTES = Spaces(ObservationSpace((1, 2, 2), "uint8"), ActionSpace("discrete", (2,)), has_success=False)
GOOD = Outcome(np.zeros(4), 1.0, False, False, False)


class Single:
    """Shows `first` and gives `outcome`."""

    def __init__(self, outcome: Any = GOOD, first: Any = None, spaces: Spaces = VECTOR) -> None:
        self.spaces = spaces
        self._outcome = outcome
        self._first = np.zeros(spaces.observation.shape, spaces.observation.dtype) if first is None else first

    def reset(self, seed: int) -> Any:
        return self._first

    def step(self, action: Any) -> Any:
        return self._outcome

    def set_physics(self, factors: Any) -> None:
        pass

    def close(self) -> None:
        pass


def stepped(bad: Single) -> SingleBatch:
    """2 x 2 environments after one step, of which the last is bad."""
    singles = iter([Single(spaces=bad.spaces, outcome=GOOD._replace(observation=bad._first)) for _ in range(3)])
    batch = SingleBatch("x:y", 2, 2, None, lambda: next(singles, bad), parameters=())
    batch.reset(np.zeros((2, 2), np.uint64))
    batch.step(np.zeros((2, 2), np.int64))
    return batch


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"observation": np.zeros(1)}, "showed an array of shape (1,) where (4,) was expected"),
        ({"observation": 0.5}, "showed an array of shape () where (4,) was expected"),
        ({"observation": np.zeros((2, 4))}, "showed an array of shape (2, 4) where (4,) was expected"),
        ({"observation": np.zeros(4, complex)}, "showed an array of complex128 where real numbers were expected"),
        ({"observation": np.array(list("1234"))}, "showed an array of <U1 where real numbers were expected"),
        ({"observation": np.array([None] * 4)}, "showed an array of object where real numbers were expected"),
        ({"observation": [[1, 2], [3]]}, "showed `[[1, 2], [3]]` (list) where an array of shape (4,) was expected"),
        ({"reward": "1.5"}, "gave the reward `'1.5'` (str) where a real number was expected"),
        ({"reward": None}, "gave the reward `None` (NoneType) where a real number was expected"),
        ({"reward": np.ones(1)}, "gave the reward `array([1.])` (ndarray) where a real number was expected"),
        ({"reward": 1j}, "gave the reward `1j` (complex) where a real number was expected"),
        ({"terminated": None}, "gave terminated = `None` (NoneType) where true or false was expected"),
        ({"truncated": "no"}, "gave truncated = `'no'` (str) where true or false was expected"),
        ({"success": 1}, "gave success = `1` (int) where true or false was expected"),
    ],
)
def test_a_single_environments_first_step_is_refused_with_what_was_expected_and_seen(
    changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        stepped(Single(GOOD._replace(**changes)))
    assert caught.value.sentence == f"`x:y` (member 1, environment 1, step 0 of episode 0) {complaint}"


def test_a_step_of_other_parts_is_refused() -> None:
    with pytest.raises(EnvironmentFault, match=r"where \(observation, reward, terminated, truncated, success\) was"):
        stepped(Single((np.zeros(4), 1.0, False, {})))


def test_a_first_observation_is_refused_before_any_step() -> None:
    batch = SingleBatch("x:y", 1, 1, None, lambda: Single(first=np.zeros(1)), parameters=())
    with pytest.raises(EnvironmentFault, match=r"showed an array of shape \(1,\) where \(4,\) was expected"):
        batch.reset(np.zeros((1, 1), np.uint64))


@pytest.mark.parametrize("dtype", [np.float32, np.int64, bool])
def test_where_bytes_are_declared_nothing_else_is_taken(dtype: Any) -> None:
    with pytest.raises(EnvironmentFault, match="where uint8 were expected"):
        stepped(Single(first=np.zeros((1, 2, 2), dtype), spaces=BYTES))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"observation": np.zeros(4, np.int8), "reward": 1},
        {"observation": [0.0] * 4, "reward": np.float32(1.0), "terminated": np.bool_(False)},
        {"observation": np.full(4, np.nan), "reward": float("nan"), "truncated": np.array(False)},
    ],
)
def test_numbers_of_any_real_kind_are_taken_and_finiteness_is_another_matter(changes: dict[str, Any]) -> None:
    stepped(Single(GOOD._replace(**changes)))


def test_flags_of_the_first_step_count(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Single(GOOD._replace(terminated=np.bool_(True), success=True, observation=np.ones(4), reward=2.5))
    batch = SingleBatch("x:y", 1, 2, None, iter([Single(), ended]).__next__, parameters=())
    batch.reset(np.zeros((1, 2), np.uint64))
    step = batch.step(np.zeros((1, 2), np.int64))
    assert step.reward.tolist() == [[1.0, 2.5]]
    assert step.terminated.tolist() == [[False, True]]
    assert not step.truncated.any()
    assert step.finals is not None
    assert step.finals.rows.tolist() == [1]
    assert step.finals.observations.tolist() == [[1.0] * 4]


class Batch(BatchedEnvironment):
    """A third party's: `changes` are made to what it hands out, of which the second step ends an episode."""

    spaces = VECTOR

    def __init__(self, changes: dict[str, Any], first: Any) -> None:
        self.members, self.envs, self._changes, self._first, self._steps = 2, 3, changes, first, 0

    def reset(self, seeds: Any) -> Any:
        return self._first

    def step(self, actions: Any) -> Transition:
        self._steps += 1
        flags = np.zeros((2, 3), np.bool_)
        good = Transition(np.zeros((2, 3, 4), np.float32), np.zeros((2, 3)), flags, flags.copy(), None, None)
        if self._steps < 2:
            return good._replace(**{key: value for key, value in self._changes.items() if key != "finals"})
        good.terminated[1, 0] = True
        finals = Finals(np.array([3]), np.zeros((1, 4), np.float32))
        return good._replace(finals=finals)._replace(**self._changes)

    def state(self) -> dict[str, Any]:
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        pass


class Family:
    def __init__(self, made: Batch) -> None:
        self._made = made

    def check(self, task: str) -> None:
        pass

    def make(self, task: str, **arguments: Any) -> Batch:
        return self._made


def walked(monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], first: Any = None, steps: int = 2) -> Batch:
    made = Batch(changes, np.zeros((2, 3, 4), np.float32) if first is None else first)
    monkeypatch.setattr(sequence_module, "family_of", lambda name: (Family(made), "y"))
    phase = {"environment": "x:y", "options": {}, "steps": 100, "variant": 0}
    world = SequenceEnvironment(
        {"phases": [phase], "shifts": [], "max_episode_steps": None},
        members=2,
        envs=3,
        environment_seeds=[0, 1],
        shift_seeds=[0, 1],
        purpose="training",
    )
    world.start_phase(0)
    for _ in range(steps):
        world.step(np.zeros((2, 3), np.int64))
    return made


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"observation": np.zeros((2, 3, 4))}, "gave observations of float64 where float32 was expected"),
        ({"observation": np.zeros((2, 3, 1), np.float32)}, "gave observations of shape (2, 3, 1) where (2, 3, 4) was"),
        ({"reward": np.zeros(6)}, "gave rewards of shape (6,) where (2, 3) was expected"),
        ({"reward": np.zeros((2, 3), complex)}, "gave rewards of complex128 where float64 was expected"),
        ({"terminated": np.zeros((2, 3))}, "gave terminated of float64 where bool was expected"),
        ({"truncated": None}, "gave truncated = `None` (NoneType) where an array of shape (2, 3) was expected"),
        ({"success": np.zeros((2, 3), object)}, "gave success of object where bool was expected"),
        ({"finals": None}, "ended 1 episode without last observations (`finals`)"),
        (
            {"finals": Finals(np.array([2]), np.zeros((1, 4), np.float32))},
            "gave last observations of the rows `[2]` (list) where `[3]` (list) ended",
        ),
        ({"finals": Finals(np.array([3]), np.zeros((1, 5), np.float32))}, "gave last observations of shape (1, 5)"),
    ],
)
def test_a_third_partys_batch_is_refused_with_what_was_expected_and_seen(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        walked(monkeypatch, changes)
    assert caught.value.sentence.startswith(f"`x:y` (phase 0) {complaint}")


def test_a_batchs_first_observations_are_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EnvironmentFault, match="gave observations of int64 where float32 was expected"):
        walked(monkeypatch, {}, np.zeros((2, 3, 4), np.int64))


def test_a_good_batch_is_checked_until_an_episode_has_ended_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str | None] = []
    original = sequence_module.wrong_transition

    def look(*arguments: Any) -> str | None:
        looked.append(original(*arguments))
        return looked[-1]

    monkeypatch.setattr(sequence_module, "wrong_transition", look)
    walked(monkeypatch, {}, steps=10)
    assert looked == [None, None]
