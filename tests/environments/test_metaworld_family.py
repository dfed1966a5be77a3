"""Meta-World: seeding, the shared model, success flags, limits and exact replay."""

from __future__ import annotations

import importlib.util
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gtr_bench.environments import metaworld_family
from gtr_bench.environments.metaworld_family import MetaWorldFamily
from gtr_bench.environments.metaworld_tasks import METAWORLD_TASKS
from gtr_bench.environments.sequence import SequenceEnvironment
from gtr_bench.errors import MissingExtraError, RequestError, UnknownNameError
from tests.environments.helpers import assert_same

if importlib.util.find_spec("metaworld") is None:
    pytest.skip("needs the extra `metaworld`", allow_module_level=True)

FAMILY = MetaWorldFamily()
SEEDS = np.arange(4, dtype=np.uint64).reshape(2, 2)


def make(task: str, members: int = 2, envs: int = 2, limit: int | None = 200) -> Any:
    return FAMILY.make(task, members=members, envs=envs, max_episode_steps=limit, options={})


def random_actions(steps: int, members: int = 2, envs: int = 2) -> Any:
    return np.random.default_rng(0).uniform(-1.2, 1.2, (steps, members, envs, 4)).astype(np.float32)


def test_the_names_are_those_of_the_package() -> None:
    from metaworld.env_dict import ENV_CLS_MAP

    assert sorted(METAWORLD_TASKS) == sorted(ENV_CLS_MAP)


def test_observations_show_the_goal_and_positions_are_drawn_anew_for_every_episode() -> None:
    batch = make("push-v3", limit=3)
    first = batch.reset(SEEDS)
    assert first.shape == (2, 2, 39)
    assert batch.spaces.has_success
    assert np.abs(first[..., -3:]).min() > 0
    for actions in random_actions(3):
        result = batch.step(actions)
    goals = np.concatenate([first[..., -3:], result.observation[..., -3:]]).reshape(-1, 3)
    assert len(np.unique(goals, axis=0)) == 8
    assert_array_equal(batch.reset(SEEDS), first)


def test_episodes_end_at_the_limit_and_never_terminate() -> None:
    batch = make("reach-v3", 1, 1, 5)
    batch.reset(SEEDS[:1, :1])
    results = [batch.step(actions) for actions in random_actions(10, 1, 1)]
    assert [bool(result.truncated.all()) for result in results] == ([False] * 4 + [True]) * 2
    assert not any(result.terminated.any() for result in results)


@pytest.mark.slow
def test_the_native_limit_of_500_steps_may_be_exceeded() -> None:
    for limit, expected in ((None, 500), (510, 510)):
        batch = make("reach-v3", 1, 1, limit)
        batch.reset(SEEDS[:1, :1])
        action = np.zeros((1, 1, 4), dtype=np.float32)
        ended = [step for step in range(1, 515) if batch.step(action).truncated.all()]
        assert ended == [expected]


@pytest.mark.parametrize("task", ["push-v3", "window-close-v3"])
def test_episodes_agree_with_the_package_for_equal_positions(task: str) -> None:
    from metaworld.env_dict import ENV_CLS_MAP
    from metaworld.types import Task

    batch = make(task)
    ours = batch.reset(SEEDS)[1, 1]
    vector = batch._singles[3]._environment._last_rand_vec
    theirs = ENV_CLS_MAP[task](reward_function_version="v2")
    data = {"env_cls": ENV_CLS_MAP[task], "rand_vec": vector, "partially_observable": False}
    theirs.set_task(Task(env_name=task, data=pickle.dumps(data)))
    observation, _ = theirs.reset()
    for actions in random_actions(60):
        assert_array_equal(ours, observation.astype(np.float32))
        result = batch.step(actions)
        observation, reward, _, _, info = theirs.step(np.clip(actions[1, 1], -1, 1))
        ours = result.observation[1, 1]
        assert result.reward[1, 1] == reward
        assert result.success[1, 1] == bool(info["success"])


@pytest.mark.filterwarnings("ignore:Constant")  # the package's policies ask for more than the action bounds
def test_success_is_flagged_when_the_packages_own_policy_solves_the_task() -> None:
    from metaworld.policies import ENV_POLICY_MAP

    batch = make("window-close-v3", 1, 2)
    observation = batch.reset(SEEDS[:1])
    policy = ENV_POLICY_MAP["window-close-v3"]()
    solved = np.zeros((1, 2), dtype=bool)
    for _ in range(150):
        actions = np.array([[policy.get_action(row.astype(np.float64)) for row in observation[0]]])
        result = batch.step(actions)
        observation = result.observation
        solved |= result.success
    assert solved.all()


def test_a_member_moves_the_same_alone_and_among_others_on_the_shared_model() -> None:
    many, alone = make("shelf-place-v3", 3, 1), make("shelf-place-v3", 1, 1)
    seeds = np.arange(3, dtype=np.uint64).reshape(3, 1)
    many.set_physics({"gravity": np.array([0.5, 1.0, 2.0]), "mass": np.array([2.0, 1.0, 0.7])})
    alone.set_physics({"gravity": np.array([2.0]), "mass": np.array([0.7])})
    assert_array_equal(many.reset(seeds)[2:], alone.reset(seeds[2:]))
    for actions in random_actions(40, 3, 1):
        first, second = many.step(actions), alone.step(actions[2:])
        assert_array_equal(first.observation[2:], second.observation)
        assert_array_equal(first.reward[2:], second.reward)


def test_replay_continues_bit_for_bit() -> None:
    first, second = make("hammer-v3", limit=30), make("hammer-v3", limit=30)
    first.reset(SEEDS)
    actions = random_actions(70)
    for place, action in enumerate(actions[:40]):
        if place == 35:
            first.set_physics({"gravity": np.array([1.0, 1.5])})
        first.step(action)
    second.load_state(first.state())
    for action in actions[40:]:
        assert_same(first.step(action), second.step(action))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_goals_in_two_processes() -> None:
    code = (
        "import numpy as np\n"
        "from gtr_bench.environments.metaworld_family import MetaWorldFamily\n"
        "batch = MetaWorldFamily().make('push-v3', members=1, envs=1, max_episode_steps=2, options={})\n"
        "seen = [batch.reset(np.array([[5]], dtype=np.uint64))]\n"
        "seen += [batch.step(np.zeros((1, 1, 4))).observation for _ in range(6)]\n"
        "goals = np.concatenate(seen)[::2, 0, -3:]\n"
        "print(len(np.unique(goals, axis=0)), goals.tobytes().hex())"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(2)]
    assert runs[0].stdout.startswith("4 ")
    assert runs[0].stdout == runs[1].stdout


@pytest.mark.slow
@pytest.mark.parametrize("task", METAWORLD_TASKS[::7])
def test_a_sample_of_tasks_can_be_built_and_stepped(task: str) -> None:
    batch = make(task, 1, 1, 5)
    assert batch.reset(SEEDS[:1, :1]).shape == (1, 1, 39)
    results = [batch.step(actions) for actions in random_actions(10, 1, 1)]
    assert all(np.isfinite(result.observation).all() and np.isfinite(result.reward).all() for result in results)
    assert [bool(result.truncated.all()) for result in results] == ([False] * 4 + [True]) * 2


@pytest.mark.slow
@pytest.mark.parametrize("task", METAWORLD_TASKS)
def test_in_every_task_an_episode_follows_from_its_seed_alone(task: str) -> None:
    used, fresh = make(task, 1, 2), make(task, 1, 2)
    used.reset(SEEDS[1:])
    actions = random_actions(40, 1, 2)
    for action in actions:
        used.step(action)
    assert_array_equal(used.reset(SEEDS[:1]), fresh.reset(SEEDS[:1]))
    for action in actions:
        first, second = used.step(action), fresh.step(action)
        assert_array_equal(first.observation, second.observation)
        assert_array_equal(first.reward, second.reward)


def test_physics_factors_change_the_motion() -> None:
    plain, changed = make("push-v3"), make("push-v3")
    changed.set_physics({"friction": np.array([1.0, 0.05]), "gravity": np.array([1.0, 0.2])})
    plain.reset(SEEDS)
    changed.reset(SEEDS)
    for actions in random_actions(30):
        first, second = plain.step(actions), changed.step(actions)
    assert_array_equal(first.observation[0], second.observation[0])
    assert not np.array_equal(first.observation[1], second.observation[1])


def test_unknown_tasks_options_and_a_missing_package_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError) as caught:
        FAMILY.check("hamer-v3")
    assert caught.value.hint == "did you mean `hammer-v3`?"
    with pytest.raises(RequestError, match="has no options, given: `colour`"):
        FAMILY.make("hammer-v3", members=1, envs=1, max_episode_steps=None, options={"colour": 1})
    monkeypatch.setattr(metaworld_family, "find_spec", lambda module: None)
    with pytest.raises(MissingExtraError) as missing:
        FAMILY.check("hammer-v3")
    assert missing.value.extra == "metaworld"
    assert not FAMILY.availability()[0].usable


def test_closing_one_batch_leaves_another_on_the_same_model_alone() -> None:
    first, second, third = (make("push-v3", 1, 2) for _ in range(3))
    third.reset(SEEDS[:1])
    second.reset(SEEDS[:1])
    first.reset(SEEDS[1:])
    for place, actions in enumerate(random_actions(10, 1, 2)):
        if place == 5:
            first.close()
            first.close()
        assert_array_equal(second.step(actions).observation, third.step(actions).observation)


def test_actions_that_are_not_numbers_do_not_raise() -> None:
    batch = make("push-v3", 1, 1)
    batch.reset(SEEDS[:1, :1])
    assert np.isfinite(batch.step(np.full((1, 1, 4), np.nan)).observation).all()


def test_a_sequence_goes_from_task_to_task_and_resumes_in_the_second_one() -> None:
    tasks = ("hammer-v3", "push-wall-v3")
    phases = [{"environment": f"metaworld:{task}", "options": {}, "steps": 100, "variant": 0} for task in tasks]
    sequence = {"phases": phases, "shifts": [], "max_episode_steps": 200}
    first, second = (
        SequenceEnvironment(sequence, members=1, envs=2, environment_seeds=[1], shift_seeds=[2], purpose="training")
        for _ in range(2)
    )
    assert first.spaces.has_success
    starts = [first.start_phase(number) for number in (0, 1)]
    assert not np.array_equal(*starts)
    actions = random_actions(40, 1, 2)
    for action in actions[:20]:
        first.step(action)
    second.load_state(first.state())
    for action in actions[20:]:
        assert_same(first.step(action), second.step(action))
