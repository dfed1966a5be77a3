"""Box2D's LunarLander and BipedalWalker: seeds, two processes, limits, replay."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gtr_bench.environments.gymnasium_family import GymnasiumFamily
from tests.environments.helpers import assert_same

# Its import warns about what its generator wrote; as an error the warning ends the interpreter. This ignores it.
pytest.importorskip("Box2D", reason="needs the extra `box2d`")

TASKS = ("LunarLander-v3", "BipedalWalker-v3")
SEEDS = np.arange(4, dtype=np.uint64).reshape(2, 2)


def make(task: str, members: int = 2, envs: int = 2, limit: int | None = None) -> Any:
    return GymnasiumFamily().make(task, members=members, envs=envs, max_episode_steps=limit, options={})


def random_actions(batch: Any, steps: int) -> Any:
    random, shape = np.random.default_rng(0), (steps, batch.members, batch.envs)
    if batch.spaces.action.kind == "discrete":
        return random.integers(0, batch.spaces.action.sizes[0], shape)
    return random.uniform(-1, 1, (*shape, *batch.spaces.action.shape)).astype(np.float32)


@pytest.mark.parametrize("task", TASKS)
def test_spaces_are_known_without_building(task: str) -> None:
    code = (
        "import sys\n"
        "from gtr_bench.environments.registry import family_of\n"
        f"family, task = family_of('gym:{task}')\n"
        "print(family.spaces(task, {}).observation.size, 'Box2D' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{make(task, 1, 1).spaces.observation.size} False\n"


@pytest.mark.parametrize("task", TASKS)
def test_an_episode_follows_from_its_seed_whatever_was_played_before(task: str) -> None:
    used, fresh = make(task), make(task)
    used.reset(SEEDS + np.uint64(100))
    actions = random_actions(used, 150)
    for action in actions:
        used.step(action)
    assert_array_equal(used.reset(SEEDS), fresh.reset(SEEDS))
    for action in actions:
        assert_same(used.step(action), fresh.step(action))


@pytest.mark.parametrize("task", TASKS)
def test_the_same_seed_gives_the_same_episodes_in_two_processes(task: str) -> None:
    code = (
        "import numpy as np\n"
        "from gtr_bench.environments.gymnasium_family import GymnasiumFamily\n"
        f"batch = GymnasiumFamily().make('{task}', members=1, envs=1, max_episode_steps=40, options={{}})\n"
        "seen = [batch.reset(np.array([[5]], dtype=np.uint64))]\n"
        "action = np.ones((1, 1, *batch.spaces.action.shape), dtype=np.int64)\n"
        "seen += [batch.step(action).observation for _ in range(100)]\n"
        "print(np.concatenate(seen).tobytes().hex())"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(2)]
    assert len(runs[0].stdout) > 1000
    assert runs[0].stdout == runs[1].stdout


@pytest.mark.parametrize("task", TASKS)
def test_a_limit_truncates_and_the_finals_are_the_observations_before_the_restart(task: str) -> None:
    cut, free = make(task, limit=7), make(task)
    cut.reset(SEEDS)
    free.reset(SEEDS)
    for step, action in enumerate(random_actions(cut, 7), 1):
        found, expected = cut.step(action), free.step(action)
        assert found.truncated.all() == (step == 7)
        assert not found.terminated.any()
    assert found.finals.rows.tolist() == [0, 1, 2, 3]
    assert_array_equal(found.finals.observations.reshape(expected.observation.shape), expected.observation)


@pytest.mark.parametrize("task", TASKS)
def test_a_saved_state_continues_bit_for_bit(task: str) -> None:
    first, second = make(task, limit=60), make(task, limit=60)
    first.reset(SEEDS)
    actions = random_actions(first, 140)
    for action in actions[:85]:
        first.step(action)
    second.load_state(first.state())
    for action in actions[85:]:
        assert_same(first.step(action), second.step(action))


@pytest.mark.parametrize("task", TASKS)
def test_a_crash_terminates(task: str) -> None:
    batch = make(task)
    batch.reset(SEEDS)
    results = [batch.step(action) for action in random_actions(batch, 300)]
    assert any(result.terminated.any() for result in results)
    assert not any(result.truncated.any() for result in results)


CHANGES = [
    ("LunarLander-v3", "gravity"),
    ("LunarLander-v3", "force"),
    ("BipedalWalker-v3", "gravity"),
    ("BipedalWalker-v3", "force"),
    ("BipedalWalker-v3", "friction"),
]


@pytest.mark.parametrize(("task", "parameter"), CHANGES)
def test_a_factor_changes_the_motion_of_its_member_alone_and_1_restores_it(task: str, parameter: str) -> None:
    plain, changed = make(task), make(task)
    actions = random_actions(plain, 60)
    changed.set_physics({parameter: np.array([1.0, 0.3])})
    assert_array_equal(plain.reset(SEEDS)[0], changed.reset(SEEDS)[0])
    for action in actions:
        first, second = plain.step(action), changed.step(action)
        assert_array_equal(first.observation[0], second.observation[0])
        assert_array_equal(first.reward[0], second.reward[0])
    assert not np.array_equal(first.observation[1], second.observation[1])
    changed.set_physics({})
    assert_array_equal(plain.reset(SEEDS), changed.reset(SEEDS))
    for action in actions:
        assert_same(plain.step(action), changed.step(action))


@pytest.mark.parametrize("task", TASKS)
def test_factors_that_change_amid_episodes_are_replayed(task: str) -> None:
    first, second = make(task, limit=60), make(task, limit=60)
    names = GymnasiumFamily().physics(task)
    first.reset(SEEDS)
    actions = random_actions(first, 110)
    for step, action in enumerate(actions[:85]):
        if step in (20, 70):
            first.set_physics({name: np.array([1.0 + step / 100, 0.5]) for name in names})
        first.step(action)
    second.load_state(first.state())
    for action in actions[85:]:
        assert_same(first.step(action), second.step(action))


def test_gravity_is_a_factor_of_what_the_constructor_was_given() -> None:
    batch = GymnasiumFamily().make(
        "LunarLander-v3", members=1, envs=1, max_episode_steps=None, options={"gravity": -4.0}
    )
    batch.set_physics({"gravity": np.array([0.5])})
    batch.reset(SEEDS[:1, :1])
    lander: Any = batch._singles[0]._environment.unwrapped  # type: ignore[attr-defined]
    assert lander.world.gravity.y == -2.0


def test_the_power_of_engines_is_back_after_every_step() -> None:
    import gymnasium.envs.box2d.lunar_lander as module

    batch = make("LunarLander-v3", 1, 1)
    batch.set_physics({"force": np.array([2.0])})
    batch.reset(SEEDS[:1, :1])
    batch.step(np.full((1, 1), 2))
    assert (module.MAIN_ENGINE_POWER, module.SIDE_ENGINE_POWER) == (13.0, 0.6)


def test_variants_of_the_tasks_have_their_parameters_and_the_car_has_none() -> None:
    family = GymnasiumFamily()
    assert set(family.physics("LunarLanderContinuous-v3")) == {"force", "gravity"}
    assert set(family.physics("BipedalWalkerHardcore-v3")) == {"force", "friction", "gravity"}
    assert family.physics("CarRacing-v3") == {}


def test_wind_differs_from_phase_to_phase_by_the_options_of_the_constructor() -> None:
    from gtr_bench.environments.sequence import SequenceEnvironment

    powers = (0.0, 20.0)
    phases = [
        {
            "environment": "gym:LunarLander-v3",
            "options": {"enable_wind": True, "wind_power": power, "turbulence_power": 0.0},
            "steps": 100,
            "variant": 0,
        }
        for power in powers
    ]
    sequence = {"phases": phases, "shifts": [], "max_episode_steps": None}
    environment = SequenceEnvironment(
        sequence, members=1, envs=1, environment_seeds=[1], shift_seeds=[2], purpose="training"
    )
    for phase, power in enumerate(powers):
        environment.start_phase(phase)
        lander: Any = environment._environment._singles[0]._environment.unwrapped  # type: ignore[union-attr]
        assert lander.wind_power == power
