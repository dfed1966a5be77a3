"""Crafter: parity with the package's rules, seeds within and across processes, replay, limits, refusals."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gtr_bench.environments import crafter_family
from gtr_bench.environments.adapters import adapters_of
from gtr_bench.environments.crafter_family import CrafterFamily
from gtr_bench.environments.hashing import mix
from gtr_bench.errors import MissingExtraError, RequestError, UnknownNameError
from tests.environments.helpers import assert_same

FAMILY = CrafterFamily()
SEEDS = np.arange(2, dtype=np.uint64).reshape(2, 1)

needs_crafter = pytest.mark.skipif(importlib.util.find_spec("crafter") is None, reason="needs the extra `crafter`")


def make(task: str = "Reward", members: int = 2, limit: int | None = None) -> Any:
    return FAMILY.make(task, members=members, envs=1, max_episode_steps=limit, options={})


def random_actions(members: int, steps: int) -> Any:
    return np.random.default_rng(0).integers(0, 17, (steps, members, 1))


def test_the_spaces_are_known_without_the_package() -> None:
    spaces = FAMILY.spaces("Reward", {})
    assert spaces.observation.shape == (3, 64, 64)
    assert spaces.observation.dtype == "uint8"
    assert spaces.action.sizes == (17,)
    assert spaces.has_success is False
    assert len(spaces.achievements) == 22
    assert adapters_of("crafter:Reward", {}) == ("channels_first",)


@needs_crafter
def test_what_the_family_says_is_what_the_package_has() -> None:
    import crafter

    peer = crafter.Env()
    assert peer.observation_space.shape == (64, 64, 3)
    assert peer.action_space.n == 17
    assert peer._length == crafter_family.LENGTH
    assert set(FAMILY.spaces("Reward", {}).achievements) == set(crafter.constants.achievements)


@needs_crafter
def test_an_episode_agrees_with_the_package_until_it_looks_into_a_set() -> None:
    import crafter

    batch = make(members=1)
    ours = batch.reset(SEEDS[:1])[0, 0]
    peer = crafter.Env(seed=int(mix(SEEDS[0, 0], 0)[0]) % 2**31)
    theirs = peer.reset()
    # The package balances its creatures after ten steps: until then nothing depends on a set's order.
    for chosen in random_actions(1, 9):
        assert_array_equal(ours.transpose(1, 2, 0), theirs)
        result = batch.step(chosen)
        theirs, reward, done, _ = peer.step(int(chosen[0, 0]))
        assert (result.reward[0, 0], result.terminated[0, 0]) == (reward, done)
        ours = result.observation[0, 0]


@needs_crafter
def test_the_landscape_is_the_package_s_to_the_last_field() -> None:
    import crafter
    import opensimplex

    from gtr_bench.environments.crafter_noise import Noise

    points = np.random.default_rng(0).uniform(-30, 30, (500, 3)).tolist()
    ours, theirs = Noise(5), opensimplex.OpenSimplex(seed=5)
    assert [ours.noise3(*point) for point in points] == [theirs.noise3(*point) for point in points]
    batch = make(members=1)
    batch.reset(SEEDS[1:])
    world = batch._singles[0]._env._world
    peer = crafter.Env(seed=int(mix(SEEDS[1, 0], 0)[0]) % 2**31)
    peer.reset()
    assert_array_equal(world._mat_map, peer._world._mat_map)
    assert_array_equal(world._obj_map, peer._world._obj_map)
    assert_array_equal(world.random.get_state()[1], peer._world.random.get_state()[1])


@needs_crafter
def test_no_set_of_creatures_is_left() -> None:
    batch = make(members=1)
    batch.reset(SEEDS[:1])
    env = batch._singles[0]._env
    assert env._world.chunks
    assert not any(isinstance(creatures, set) for creatures in env._world.chunks.values())
    assert env._local_view._world is env._world


@needs_crafter
def test_two_processes_live_through_the_same_whatever_the_seed_of_their_hashes() -> None:
    # The second process holds other things in memory, too: creatures hash by their addresses.
    code = (
        "import sys, hashlib, numpy as np\n"
        "ballast = [object() for _ in range(int(sys.argv[1]))]\n"
        "from gtr_bench.environments.registry import family_of\n"
        "family, task = family_of('crafter:Reward')\n"
        "batch = family.make(task, members=1, envs=1, max_episode_steps=None, options={})\n"
        "digest = hashlib.sha256(batch.reset(np.full((1, 1), 7, dtype=np.uint64)).tobytes())\n"
        "for action in np.random.default_rng(0).integers(0, 17, (140, 1, 1)):\n"
        "    digest.update(batch.step(action).observation.tobytes())\n"
        "print(digest.hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code, ballast], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed, ballast in (("1", "0"), ("2", "12345"))
    }  # fmt: skip
    assert len(found) == 1


@needs_crafter
def test_a_saved_state_continues_bit_for_bit_and_a_member_lives_alone_as_among_others() -> None:
    first, second, alone = make(), make(), make(members=1)
    assert_array_equal(first.reset(SEEDS)[1:], alone.reset(SEEDS[1:]))
    actions = random_actions(2, 60)
    for chosen in actions[:35]:
        assert_array_equal(first.step(chosen).observation[1:], alone.step(chosen[1:]).observation)
    second.load_state(first.state())
    for chosen in actions[35:]:
        assert_same(first.step(chosen), second.step(chosen))


@needs_crafter
def test_a_limit_truncates_and_the_final_is_the_image_before_the_restart() -> None:
    cut, free = make(members=1, limit=7), make("NoReward", members=1)
    cut.reset(SEEDS[:1])
    free.reset(SEEDS[:1])
    for step, chosen in enumerate(random_actions(1, 7), 1):
        expected, found = free.step(chosen), cut.step(chosen)
        assert found.truncated.all() == (step == 7)
        assert not found.terminated.any()
        assert not expected.reward.any()
    assert_array_equal(found.finals.observations, expected.observation[0])
    assert not np.array_equal(found.observation, expected.observation)


@needs_crafter
def test_death_terminates_and_nothing_is_truncated() -> None:
    batch = make(members=1)
    batch.reset(SEEDS[:1])
    batch._singles[0]._env._player.health = 0
    found = batch.step(np.zeros((1, 1), dtype=np.int64))
    assert found.terminated.all()
    assert not found.truncated.any()
    assert found.finals.rows.tolist() == [0]


def test_options_unknown_tasks_and_a_missing_package_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RequestError, match="`crafter:Reward` has no option `size`"):
        FAMILY.spaces("Reward", {"size": 32})
    with pytest.raises(UnknownNameError) as caught:
        FAMILY.check("Rewards")
    assert caught.value.hint == "did you mean `Reward`?"
    monkeypatch.setattr(crafter_family, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError) as missing:
        FAMILY.check("Reward")
    assert missing.value.extra == "crafter"
    assert not FAMILY.availability()[0].usable


@needs_crafter
def test_a_step_says_what_its_episode_has_unlocked_and_the_reward_counts_the_same() -> None:
    batch = make(limit=60)
    batch.reset(SEEDS)
    before: Any = np.zeros((2, 1, 22), bool)
    unlocked = 0
    for chosen in random_actions(2, 130):
        result = batch.step(chosen)
        assert (result.achievements >= before).all()
        new = (result.achievements & ~before).any(2)
        assert_array_equal(new, result.reward > 0.5)
        unlocked += int(new.sum())
        before = result.achievements & ~(result.terminated | result.truncated)[:, :, None]
    assert unlocked > 2
