"""MiniGrid's tasks: parity with the package, seeds, replay, options, limits, success, refusals."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gtr_bench.environments import minigrid_family
from gtr_bench.environments.adapters import adapters_of
from gtr_bench.environments.hashing import mix
from gtr_bench.environments.minigrid_family import MiniGridFamily
from gtr_bench.environments.minigrid_tasks import TASKS
from gtr_bench.errors import MissingExtraError, RequestError, UnknownNameError
from tests.environments.helpers import assert_same

FAMILY = MiniGridFamily()
SEEDS = np.arange(4, dtype=np.uint64).reshape(2, 2)
SOME = ("DoorKey-8x8", "Dynamic-Obstacles-Random-5x5", "MultiRoom-N4-S5", "ObstructedMaze-2Q", "Fetch-8x8-N3")

needs_minigrid = pytest.mark.skipif(importlib.util.find_spec("minigrid") is None, reason="needs the extra `minigrid`")


def make(task: str, members: int = 2, envs: int = 2, limit: int | None = None, **options: Any) -> Any:
    return FAMILY.make(task, members=members, envs=envs, max_episode_steps=limit, options=options)


def random_actions(batch: Any, steps: int, seed: int = 0) -> Any:
    shape = (steps, batch.members, batch.envs)
    return np.random.default_rng(seed).integers(0, batch.spaces.action.sizes[0], shape)


def theirs(task: str) -> Any:
    """The package's own environment, wrappers included."""
    import gymnasium
    import minigrid  # noqa: F401

    return gymnasium.make(f"MiniGrid-{task}-v{TASKS[task].version}")


@needs_minigrid
@pytest.mark.parametrize("task", SOME)
def test_episodes_agree_with_the_package(task: str) -> None:
    batch, peer, episode = make(task), theirs(task), 0

    def start() -> Any:
        return peer.reset(seed=int(mix(SEEDS[1, 0], episode)[0]) % 2**31)[0]

    expected, ours = start(), batch.reset(SEEDS)[1, 0]
    for chosen in random_actions(batch, 700):
        assert ours.dtype == np.uint8
        assert_array_equal(ours.transpose(2, 1, 0), expected["image"])
        result = batch.step(chosen)
        expected, *outcome, _ = peer.step(int(chosen[1, 0]))
        assert [result.reward[1, 0], result.terminated[1, 0], result.truncated[1, 0]] == outcome
        assert result.success[1, 0] == (outcome[0] > 0)
        if outcome[1] or outcome[2]:
            last = result.finals.observations[result.finals.rows.tolist().index(2)]
            assert_array_equal(last.transpose(2, 1, 0), expected["image"])
            episode += 1
            expected = start()
        ours = result.observation[1, 0]
    assert episode > 0 or TASKS[task].max_steps > 700


@needs_minigrid
def test_what_the_family_says_of_the_tasks_is_what_the_package_has() -> None:
    import gymnasium
    import minigrid  # noqa: F401
    from minigrid.core.constants import COLOR_TO_IDX, OBJECT_TO_IDX, STATE_TO_IDX

    from gtr_bench.environments.minigrid_tasks import CODES

    assert (len(OBJECT_TO_IDX), len(COLOR_TO_IDX), len(STATE_TO_IDX)) == CODES
    newest: dict[str, int] = {}
    for name in (name for name in gymnasium.registry if name.startswith("MiniGrid-")):
        task, _, version = name.removeprefix("MiniGrid-").rpartition("-v")
        newest[task] = max(int(version), newest.get(task, 0))
    left_out = {task for task in newest if task == "Playground" or task.startswith("WFC-")}
    assert {task: TASKS[task].version for task in TASKS} == {
        task: version for task, version in newest.items() if task not in left_out
    }
    for task, said in TASKS.items():
        peer = theirs(task).unwrapped
        assert (said.max_steps, said.actions) == (peer.max_steps, peer.action_space.n)
        assert peer.observation_space["image"].shape == (7, 7, 3)


@needs_minigrid
@pytest.mark.parametrize("task", SOME)
def test_a_member_meets_the_same_episodes_alone_and_among_others(task: str) -> None:
    many, alone = make(task, 3), make(task, 1)
    seeds = np.arange(6, dtype=np.uint64).reshape(3, 2)
    assert_array_equal(many.reset(seeds)[2:], alone.reset(seeds[2:]))
    for chosen in random_actions(many, 150):
        first, second = many.step(chosen), alone.step(chosen[2:])
        assert_array_equal(first.observation[2:], second.observation)
        assert_array_equal(first.reward[2:], second.reward)
    assert not np.array_equal(make(task, 3).reset(seeds), make(task, 3).reset(seeds + np.uint64(100)))


@needs_minigrid
@pytest.mark.parametrize("task", SOME)
def test_a_saved_state_continues_bit_for_bit(task: str) -> None:
    first, second = make(task), make(task)
    first.reset(SEEDS)
    actions = random_actions(first, 160)
    for chosen in actions[:97]:
        first.step(chosen)
    second.load_state(first.state())
    for chosen in actions[97:]:
        assert_same(first.step(chosen), second.step(chosen))


@needs_minigrid
@pytest.mark.parametrize("limit", [None, 9])
def test_a_limit_truncates_and_the_finals_are_the_images_before_the_restart(limit: int | None) -> None:
    cut, free = make("FourRooms", limit=limit), make("FourRooms", limit=500)
    cut.reset(SEEDS)
    free.reset(SEEDS)
    last = limit or TASKS["FourRooms"].max_steps
    turns = np.zeros((2, 2), dtype=np.int64)
    for step in range(1, last + 1):
        expected, found = free.step(turns), cut.step(turns)
        assert found.truncated.all() == (step == last)
        assert not found.terminated.any()
    assert found.finals.rows.tolist() == [0, 1, 2, 3]
    assert_array_equal(found.finals.observations.reshape(2, 2, 3, 7, 7), expected.observation)


@needs_minigrid
def test_the_goal_ends_the_episode_with_success_and_is_paid_by_the_limit_in_force() -> None:
    for limit in (None, 20):
        batch = make("Empty-5x5", 1, 1, limit)
        batch.reset(SEEDS[:1, :1])
        steps = [batch.step(np.full((1, 1), action)) for action in (2, 2, 1, 2, 2)]
        assert [step.success.item() for step in steps] == [False] * 4 + [True]
        assert steps[-1].terminated.all()
        assert not steps[-1].truncated.any()
        assert steps[-1].reward.item() == pytest.approx(1 - 0.9 * 5 / (limit or 100))


@needs_minigrid
def test_a_collision_ends_the_episode_without_success() -> None:
    batch = make("Dynamic-Obstacles-5x5", 1, 8)
    batch.reset(np.arange(8, dtype=np.uint64)[None])
    steps = [batch.step(np.full((1, 8), 2)) for _ in range(60)]
    paid = np.concatenate([step.reward[step.terminated] for step in steps])
    assert (paid == -1).any()
    assert all(np.array_equal(step.success, step.reward > 0) for step in steps)


@needs_minigrid
def test_one_hot_images_and_rows_hold_the_same_codes_and_the_direction() -> None:
    plain, seen = make("DoorKey-6x6"), make("DoorKey-6x6", direction=True)
    hot, row = (make("DoorKey-6x6", observation="one_hot", direction=True, flatten=flat) for flat in (False, True))
    batches = [plain, seen, hot, row]
    views = [batch.reset(SEEDS) for batch in batches]
    directions = set()
    for chosen in random_actions(plain, 80):
        codes, with_direction, channels, numbers = views
        assert_array_equal(with_direction[:, :, :3], codes)
        for first, last, place in ((0, 11, 0), (11, 17, 1), (17, 20, 2)):
            part = channels[:, :, first:last]
            assert (part.sum(2) == 1).all()
            assert_array_equal(part.argmax(2), codes[:, :, place])
        assert_array_equal(channels[:, :, 20:].argmax(2), with_direction[:, :, 3])
        assert numbers.dtype == np.float32
        assert_array_equal(numbers, channels.reshape(2, 2, -1))
        directions |= set(with_direction[:, :, 3].ravel().tolist())
        views = [batch.step(chosen).observation for batch in batches]
    assert directions == {0, 1, 2, 3}
    for batch, view in zip(batches, views, strict=True):
        assert batch.spaces.observation.shape == view.shape[2:]
        assert batch.spaces.observation.dtype == view.dtype.name


def test_the_adapters_are_those_that_the_options_ask_for() -> None:
    assert adapters_of("minigrid:Empty-5x5", {}) == ("channels_first",)
    assert adapters_of("minigrid:Empty-5x5", {"observation": "one_hot"}) == ("one_hot", "channels_first")
    assert adapters_of("minigrid:Empty-5x5", {"observation": "one_hot", "flatten": True}) == ("one_hot", "flatten")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"mission": True}, "`minigrid:Empty-5x5` has no option `mission`"),
        ({"observation": "rgb"}, "should be `image` or `one_hot`"),
        ({"observation": ["image"]}, "should be `image` or `one_hot`"),
        ({"direction": 1}, "should be true or false"),
        ({"flatten": "yes"}, "should be true or false"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        FAMILY.spaces("Empty-5x5", options)


def test_unknown_tasks_and_a_missing_package_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError) as caught:
        FAMILY.check("DoorKey-8x9")
    assert caught.value.hint == "did you mean `DoorKey-8x8`?"
    monkeypatch.setattr(minigrid_family, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError) as missing:
        FAMILY.check("DoorKey-8x8")
    assert missing.value.extra == "minigrid"
    assert not FAMILY.availability()[0].usable


@needs_minigrid
def test_two_processes_see_the_same_whatever_the_seed_of_their_hashes() -> None:
    code = (
        "import hashlib, numpy as np\n"
        "from gtr_bench.environments.registry import family_of\n"
        "digest = hashlib.sha256()\n"
        f"for task in {SOME!r}:\n"
        "    family, _ = family_of(f'minigrid:{task}')\n"
        "    batch = family.make(task, members=1, envs=2, max_episode_steps=50, options={})\n"
        "    digest.update(batch.reset(np.arange(2, dtype=np.uint64)[None]).tobytes())\n"
        "    for action in np.random.default_rng(0).integers(0, 3, (120, 1, 2)):\n"
        "        digest.update(batch.step(action).observation.tobytes())\n"
        "print(digest.hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, text=True, check=True,
        ).stdout.splitlines()[-1]
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1
