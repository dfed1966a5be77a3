"""What fixes an episode of Procgen, and when the library itself ends one."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gtr_bench.environments import procgen_library
from gtr_bench.environments.base import BatchedEnvironment
from gtr_bench.environments.procgen_family import ProcgenFamily
from gtr_bench.environments.procgen_games import GAMES

pytestmark = pytest.mark.skipif(importlib.util.find_spec("procgen") is None, reason="needs `make games`")

SEEDS = np.arange(4, dtype=np.uint64).reshape(1, 4)
NOTHING = np.full((1, 4), 4)


def make(task: str, limit: int | None = None, **options: Any) -> BatchedEnvironment:
    return ProcgenFamily().make(task, members=1, envs=4, max_episode_steps=limit, options=options)


def frames_after_an_episode(task: str, before: int, actions: list[int]) -> list[Any]:
    """What level 3 shows while `actions` are carried out, after an episode of nothing but `before` there."""
    batch = make(task, 5, num_levels=1, start_level=3)
    batch.reset(SEEDS)
    ended = False
    while not ended:  # all four games are the same
        step = batch.step(np.full((1, 4), before))
        ended = (step.terminated | step.truncated).all()
    return [step.observation, *(batch.step(np.full((1, 4), action)).observation for action in actions)]


@pytest.mark.parametrize("task", [game for game in GAMES if game != "dodgeball"])
def test_an_episode_follows_from_its_level_and_its_actions(task: str) -> None:
    first, second = (frames_after_an_episode(task, before, [9, 9, 9, 4]) for before in (7, 1))
    for found, expected in zip(first, second, strict=True):
        assert_array_equal(found, expected)


def test_dodgeball_remembers_the_direction_of_the_episode_before() -> None:
    first, second = (frames_after_an_episode("dodgeball", before, [9, 9, 9, 4]) for before in (7, 1))
    assert_array_equal(first[0], second[0])
    assert not np.array_equal(first[1], second[1])  # the ball flies elsewhere
    first, second = (frames_after_an_episode("dodgeball", before, [5, 9, 9, 4]) for before in (7, 1))
    assert_array_equal(first, second)  # once the player has moved, nothing is left of it


@pytest.mark.parametrize(("task", "limit"), [("maze", 500), ("leaper", 500)])
def test_the_games_own_time_out_is_a_step_too_late_to_be_seen_and_a_limit_below_it_truncates(
    task: str, limit: int
) -> None:
    free, cut = make(task), make(task, limit - 1)
    free.reset(SEEDS)
    cut.reset(SEEDS)
    for step in range(1, limit + 1):
        theirs = free.step(NOTHING)
        assert theirs.terminated.all() == (step == limit)
        if step < limit:
            ours = cut.step(NOTHING)
            assert ours.truncated.all() == (step == limit - 1)
            assert not ours.terminated.any()
        if step == limit - 1:
            assert ours.finals is not None
            assert_array_equal(ours.finals.observations.reshape(theirs.observation.shape), theirs.observation)


def test_a_limit_at_the_games_own_time_out_leaves_the_episode_terminated() -> None:
    batch = make("maze", 500)
    batch.reset(SEEDS)
    for _ in range(500):
        step = batch.step(NOTHING)
    assert step.terminated.all()
    assert step.truncated.all()  # both: nothing is bootstrapped


def test_the_librarys_threads_change_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    options_of = procgen_library._options_of
    plain = make("coinrun")
    monkeypatch.setattr(procgen_library, "_options_of", lambda *of: options_of(*of) | {"num_threads": 4})
    threaded = make("coinrun")
    assert_array_equal(threaded.reset(SEEDS), plain.reset(SEEDS))
    for chosen in np.random.default_rng(0).integers(0, 15, (100, 1, 4)):
        found, expected = threaded.step(chosen), plain.step(chosen)
        assert_array_equal(found.observation, expected.observation)
        assert_array_equal(found.reward, expected.reward)
    threaded.close()
