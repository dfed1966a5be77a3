"""Vectorised classic control against Gymnasium's single environments."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gtr_bench.environments.classic import CLASSIC_CONTROL, ClassicControl
from gtr_bench.errors import UnknownNameError

TASKS = sorted(CLASSIC_CONTROL)
CURRENT_TASKS = [task for task in TASKS if task != "CartPole-v0"]


def seeds(members: int, envs: int) -> Any:
    return np.arange(members * envs, dtype=np.uint64).reshape(members, envs)


def actions_for(environment: ClassicControl, steps: int, members: int, envs: int, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    space = environment.spaces.action
    if space.kind == "discrete":
        return random.integers(0, space.sizes[0], (steps, members, envs))
    assert space.high is not None
    return random.uniform(-1, 1, (steps, members, envs, 1)).astype(np.float32) * space.high


def set_state(task: str, single: Any, state: Any) -> None:
    single.state = tuple(state) if task == "MountainCar-v0" else np.array(state)
    single.steps_beyond_terminated = None


@pytest.mark.parametrize("task", CURRENT_TASKS)
def test_steps_agree_with_gymnasium_from_equal_states(task: str) -> None:
    single = gymnasium.make(task).unwrapped
    single.reset(seed=0)
    batch = CLASSIC_CONTROL[task](2, 3)
    batch.reset(seeds(2, 3))
    # Continuous mountain car: Gymnasium rounds the state to float32 in every step, we do not.
    tolerance = 1e-6 if task == "MountainCarContinuous-v0" else 1e-9
    for actions in actions_for(batch, 220, 2, 3):
        before = batch.state()["state"]
        result = batch.step(actions)
        for row in range(6):
            place = divmod(row, 3)
            set_state(task, single, before[:, row])
            # In float64, for Gymnasium would otherwise compute parts of the dynamics in float32.
            action = actions[place].astype(np.float64)
            observation, reward, terminated, _, _ = single.step(int(action) if action.ndim == 0 else action)
            ended = result.terminated[place] or result.truncated[place]
            ours = result.observation[place]
            if ended:
                assert result.finals is not None
                ours = result.finals.observations[result.finals.rows.tolist().index(row)]
            assert ours.dtype == observation.dtype == np.float32
            assert_allclose(ours, observation, rtol=0, atol=tolerance + 2e-7 * np.abs(observation).max())
            assert_allclose(result.reward[place], reward, rtol=0, atol=max(tolerance, 1e-6 * abs(reward)))
            assert result.terminated[place] == terminated
            if not ended:
                assert_allclose(batch.state()["state"][:, row], single.state, rtol=0, atol=10 * tolerance)


@pytest.mark.parametrize("task", TASKS)
def test_sizes_bounds_and_time_limit_are_those_of_gymnasium(task: str) -> None:
    outdated = pytest.warns(DeprecationWarning, match="out of date")
    with outdated if task == "CartPole-v0" else contextlib.nullcontext():
        theirs = gymnasium.make(task)
    ours = CLASSIC_CONTROL[task](1, 1)
    assert theirs.observation_space.shape == ours.spaces.observation.shape
    assert ours.limit == theirs.spec.max_episode_steps  # type: ignore[union-attr]
    if isinstance(theirs.action_space, gymnasium.spaces.Discrete):
        assert ours.spaces.action.sizes == (theirs.action_space.n,)
    else:
        assert_array_equal(ours.spaces.action.low, theirs.action_space.low)  # type: ignore[attr-defined]
        assert_array_equal(ours.spaces.action.high, theirs.action_space.high)  # type: ignore[attr-defined]


@pytest.mark.parametrize("task", TASKS)
def test_first_states_have_the_range_and_spread_of_gymnasiums(task: str) -> None:
    ours = CLASSIC_CONTROL[task](1, 2000)
    ours.reset(seeds(1, 2000))
    states = ours.state()["state"]
    single = gymnasium.make(task.replace("v0", "v1") if "CartPole" in task else task).unwrapped
    theirs = []
    for seed in range(500):
        single.reset(seed=seed)
        theirs.append(np.array(single.state))  # type: ignore[attr-defined]
    theirs = np.array(theirs).T
    assert_allclose(states.mean(axis=1), theirs.mean(axis=1), atol=0.15 * (np.ptp(theirs, axis=1).max()))
    assert_allclose(states.std(axis=1), theirs.std(axis=1), rtol=0.15)
    assert (states.min(axis=1) >= theirs.min(axis=1) - 0.05 * np.ptp(theirs, axis=1)).all()
    assert (states.max(axis=1) <= theirs.max(axis=1) + 0.05 * np.ptp(theirs, axis=1)).all()


def test_cartpole_constant_action_terminates_at_the_same_step_as_gymnasium() -> None:
    single = gymnasium.make("CartPole-v1").unwrapped
    single.reset(seed=0)
    batch = CLASSIC_CONTROL["CartPole-v1"](1, 1)
    batch.reset(seeds(1, 1))
    set_state("CartPole-v1", single, batch.state()["state"][:, 0])
    for _ in range(100):
        result = batch.step(np.ones((1, 1), dtype=np.int64))
        terminated = single.step(1)[2]
        assert result.terminated[0, 0] == terminated
        if terminated:
            return
    raise AssertionError("a constant push must end the episode")


@pytest.mark.parametrize("task", ["Pendulum-v1", "MountainCar-v0"])
def test_truncation_comes_at_the_limit_and_the_next_episode_starts_in_the_same_step(task: str) -> None:
    batch = CLASSIC_CONTROL[task](1, 2, 5)
    first = batch.reset(seeds(1, 2))
    zero = np.zeros((1, 2, *batch.spaces.action.shape), dtype=np.int64)
    for step in range(1, 11):
        result = batch.step(zero)
        assert result.truncated.all() == (step % 5 == 0)
        assert not result.terminated.any()
        assert (result.finals is None) == (step % 5 != 0)
        if step % 5 == 0:
            assert result.finals is not None
            assert result.finals.rows.tolist() == [0, 1]
            assert not np.array_equal(result.observation[0], result.finals.observations)
            assert not np.array_equal(result.observation, first)


def test_both_flags_are_kept_when_the_pole_falls_in_the_last_step() -> None:
    batch = CLASSIC_CONTROL["CartPole-v1"](1, 1)
    batch.reset(seeds(1, 1))
    push = np.ones((1, 1), dtype=np.int64)
    fall = next(step for step in range(1, 500) if batch.step(push).terminated.any())
    limited = CLASSIC_CONTROL["CartPole-v1"](1, 1, fall)
    limited.reset(seeds(1, 1))
    results = [limited.step(push) for _ in range(fall)]
    assert results[-1].terminated.all()
    assert results[-1].truncated.all()


@pytest.mark.parametrize("task", TASKS)
def test_a_member_moves_the_same_alone_and_among_others(task: str) -> None:
    kind = CLASSIC_CONTROL[task]
    many, alone = kind(5, 3, 40), kind(1, 3, 40)
    all_seeds = seeds(5, 3)
    assert_array_equal(many.reset(all_seeds)[3:4], alone.reset(all_seeds[3:4]))
    for actions in actions_for(many, 150, 5, 3):
        first, second = many.step(actions), alone.step(actions[3:4])
        assert_array_equal(first.observation[3:4], second.observation)
        assert_array_equal(first.reward[3:4], second.reward)
        assert_array_equal(first.terminated[3:4], second.terminated)


@pytest.mark.parametrize("task", TASKS)
def test_a_saved_state_continues_bit_for_bit(task: str) -> None:
    kind = CLASSIC_CONTROL[task]
    first, second = kind(2, 3, 30), kind(2, 3, 30)
    first.reset(seeds(2, 3))
    factors = {"gravity": np.array([1.0, 1.3])}
    first.set_physics(factors)
    actions = actions_for(first, 100, 2, 3)
    for action in actions[:50]:
        first.step(action)
    saved = first.state()
    expected = [first.step(action) for action in actions[50:]]
    second.load_state(saved)
    for action, transition in zip(actions[50:], expected, strict=True):
        other = second.step(action)
        assert_array_equal(other.observation, transition.observation)
        assert_array_equal(other.reward, transition.reward)
        assert_array_equal(other.truncated, transition.truncated)


ATTRIBUTES = {
    ("CartPole-v1", "gravity"): {"gravity": 9.8 * 1.5},
    ("CartPole-v1", "force"): {"force_mag": 10.0 * 1.5},
    ("CartPole-v1", "length"): {"length": 0.75, "polemass_length": 0.075},
    ("CartPole-v1", "mass"): {"masspole": 0.15, "total_mass": 1.15, "polemass_length": 0.075},
    ("MountainCar-v0", "gravity"): {"gravity": 0.0025 * 1.5},
    ("MountainCar-v0", "force"): {"force": 0.001 * 1.5},
    ("MountainCarContinuous-v0", "force"): {"power": 0.0015 * 1.5},
    ("Pendulum-v1", "gravity"): {"g": 15.0},
    ("Pendulum-v1", "mass"): {"m": 1.5},
    ("Pendulum-v1", "length"): {"l": 1.5},
    ("Acrobot-v1", "mass"): {"LINK_MASS_1": 1.5, "LINK_MASS_2": 1.5, "LINK_MOI": 1.5},
    ("Acrobot-v1", "length"): {
        "LINK_LENGTH_1": 1.5,
        "LINK_COM_POS_1": 0.75,
        "LINK_COM_POS_2": 0.75,
        "LINK_MOI": 2.25,
    },
    ("Acrobot-v1", "force"): {"AVAIL_TORQUE": [-1.5, 0.0, 1.5]},
}


@pytest.mark.parametrize(("task", "parameter"), ATTRIBUTES)
def test_a_physics_factor_does_what_gymnasiums_attribute_does(task: str, parameter: str) -> None:
    single = gymnasium.make(task).unwrapped
    single.reset(seed=0)
    for attribute, value in ATTRIBUTES[task, parameter].items():
        setattr(single, attribute, value)
    batch = CLASSIC_CONTROL[task](2, 1)
    batch.reset(seeds(2, 1))
    batch.set_physics({parameter: np.array([1.0, 1.5])})
    for actions in actions_for(batch, 8, 2, 1):
        set_state(task, single, batch.state()["state"][:, 1])
        result = batch.step(actions)
        action = actions[1, 0]
        observation = single.step(int(action) if action.ndim == 0 else action)[0]
        assert_allclose(result.observation[1, 0], observation, rtol=0, atol=2e-6)


def test_every_parameter_of_every_task_changes_the_motion_of_its_member_only() -> None:
    for task in TASKS:
        for parameter in CLASSIC_CONTROL[task].parameters:
            plain, changed = CLASSIC_CONTROL[task](2, 1), CLASSIC_CONTROL[task](2, 1)
            plain.reset(seeds(2, 1))
            changed.reset(seeds(2, 1))
            changed.set_physics({parameter: np.array([1.0, 2.0])})
            actions = actions_for(plain, 5, 2, 1, seed=3)
            first = [plain.step(action).observation for action in actions][-1]
            second = [changed.step(action).observation for action in actions][-1]
            assert_array_equal(first[0], second[0])
            assert not np.array_equal(first[1], second[1]), (task, parameter)


def test_factor_one_restores_the_default_exactly() -> None:
    plain, restored = CLASSIC_CONTROL["Acrobot-v1"](1, 1), CLASSIC_CONTROL["Acrobot-v1"](1, 1)
    restored.set_physics({"mass": np.array([3.0])})
    restored.set_physics({})
    assert_array_equal(plain.reset(seeds(1, 1)), restored.reset(seeds(1, 1)))
    for action in actions_for(plain, 20, 1, 1):
        assert_array_equal(plain.step(action).observation, restored.step(action).observation)


def test_pendulum_under_no_torque_without_gravity_keeps_its_speed() -> None:
    batch = CLASSIC_CONTROL["Pendulum-v1"](1, 1)
    batch.set_physics({"gravity": np.array([0.0])})
    speed = batch.reset(seeds(1, 1))[0, 0, 2]
    for _ in range(50):
        assert math.isclose(batch.step(np.zeros((1, 1, 1))).observation[0, 0, 2], speed)


def test_an_unknown_physics_parameter_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UnknownNameError) as caught:
        CLASSIC_CONTROL["CartPole-v1"](1, 1).set_physics({"gravty": np.ones(1)})
    assert caught.value.hint == "did you mean `gravity`?"
