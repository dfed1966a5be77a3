"""MinAtar's games: parity with the package, seeds, replay, options, limits, refusals."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gtr_bench.environments import minatar_family
from gtr_bench.environments.hashing import mix
from gtr_bench.environments.minatar_family import MinAtarFamily
from gtr_bench.environments.minatar_games import GAMES
from gtr_bench.environments.offers import misfit
from gtr_bench.environments.sequence import SequenceEnvironment
from gtr_bench.errors import MissingExtraError, RequestError, UnknownNameError

FAMILY = MinAtarFamily()
SEEDS = np.arange(4, dtype=np.uint64).reshape(2, 2)

needs_minatar = pytest.mark.skipif(importlib.util.find_spec("minatar") is None, reason="needs the extra `minatar`")


def make(task: str, members: int = 2, envs: int = 2, limit: int | None = None, **options: Any) -> Any:
    return FAMILY.make(task, members=members, envs=envs, max_episode_steps=limit, options=options)


def random_actions(batch: Any, steps: int, seed: int = 0) -> Any:
    shape = (steps, batch.members, batch.envs)
    return np.random.default_rng(seed).integers(0, batch.spaces.action.sizes[0], shape)


def theirs(task: str, **settings: Any) -> Any:
    """The package's own front."""
    from minatar import Environment

    return Environment(task, **settings)


@needs_minatar
@pytest.mark.parametrize("minimal", [False, True])
@pytest.mark.parametrize("task", GAMES)
def test_episodes_agree_with_the_package(task: str, minimal: bool) -> None:
    batch = make(task, sticky_action_prob=0.25, minimal_actions=minimal)
    peer = theirs(task, sticky_action_prob=0.25)
    actions = peer.minimal_action_set() if minimal else list(range(peer.num_actions()))
    assert batch.spaces.action.sizes == (len(actions),)

    def start(episode: int) -> None:
        peer.seed(int(mix(SEEDS[1, 0], episode)[0]) % 2**31)
        peer.reset()
        peer.last_action = 0  # theirs goes over into the next episode

    start(0)
    ours, episode = batch.reset(SEEDS)[1, 0], 0
    for chosen in random_actions(batch, 400):
        assert ours.dtype == np.uint8
        assert_array_equal(ours, peer.state().transpose(2, 0, 1))
        result = batch.step(chosen)
        reward, terminated = peer.act(actions[chosen[1, 0]])
        assert (result.reward[1, 0], result.terminated[1, 0]) == (reward, terminated)
        if terminated:
            last = result.finals.observations[result.finals.rows.tolist().index(2)]
            assert_array_equal(last, peer.state().transpose(2, 0, 1))
            episode += 1
            start(episode)
        ours = result.observation[1, 0]
    assert (episode > 0) == (task != "freeway")


@needs_minatar
@pytest.mark.parametrize("task", GAMES)
def test_what_the_family_says_of_a_game_is_what_the_package_has(task: str) -> None:
    peer = theirs(task)
    assert GAMES[task] == (peer.state_shape()[2], tuple(peer.minimal_action_set()))
    built = make(task).spaces
    assert built.observation == FAMILY.spaces(task, {}).observation
    assert built.observation.shape == (peer.state_shape()[2], 10, 10)
    assert built.observation.dtype == "uint8"


@needs_minatar
@pytest.mark.parametrize("task", GAMES)
def test_a_member_meets_the_same_episodes_alone_and_among_others(task: str) -> None:
    many, alone = make(task, 3), make(task, 1)
    seeds = np.arange(6, dtype=np.uint64).reshape(3, 2)
    assert_array_equal(many.reset(seeds)[2:], alone.reset(seeds[2:]))
    actions = random_actions(many, 150)
    for chosen in actions:
        first, second = many.step(chosen), alone.step(chosen[2:])
        assert_array_equal(first.observation[2:], second.observation)
        assert_array_equal(first.reward[2:], second.reward)
    other = make(task, 3)
    other.reset(seeds + np.uint64(100))
    differ = [not np.array_equal(other.step(chosen).observation, many.step(chosen).observation) for chosen in actions]
    assert any(differ)


@needs_minatar
@pytest.mark.parametrize("task", GAMES)
def test_a_saved_state_continues_bit_for_bit(task: str) -> None:
    first, second = make(task), make(task)
    first.reset(SEEDS)
    actions = random_actions(first, 160)
    for chosen in actions[:97]:
        first.step(chosen)
    second.load_state(first.state())
    for chosen in actions[97:]:
        expected, found = first.step(chosen), second.step(chosen)
        assert_array_equal(found.observation, expected.observation)
        assert_array_equal(found.reward, expected.reward)
        assert_array_equal(found.terminated, expected.terminated)


@needs_minatar
def test_a_limit_truncates_and_the_finals_are_the_images_before_the_restart() -> None:
    cut, free = make("freeway", limit=7), make("freeway")
    cut.reset(SEEDS)
    free.reset(SEEDS)
    for step, chosen in enumerate(random_actions(cut, 7), 1):
        expected, found = free.step(chosen), cut.step(chosen)
        assert found.truncated.all() == (step == 7)
        assert not found.terminated.any()
    assert found.finals.rows.tolist() == [0, 1, 2, 3]
    assert found.finals.observations.dtype == np.uint8
    assert_array_equal(found.finals.observations.reshape(2, 2, 7, 10, 10), expected.observation)


@needs_minatar
def test_freeway_ends_by_itself_after_2500_steps() -> None:
    batch = make("freeway", 1, 1)
    batch.reset(SEEDS[:1, :1])
    ends = [step for step in range(1, 2600) if batch.step(np.zeros((1, 1), dtype=np.int64)).terminated.any()]
    assert ends == [2501]  # the package counts down through zero


@needs_minatar
def test_without_sticky_actions_the_chosen_action_acts() -> None:
    batch = make("breakout", 1, 1, sticky_action_prob=0.0, minimal_actions=True)
    batch.reset(SEEDS[:1, :1])
    for place in (3, 2, 1, 0):
        assert batch.step(np.ones((1, 1), dtype=np.int64)).observation[0, 0, 0, 9].argmax() == place


@needs_minatar
def test_images_are_filled_up_with_empty_channels() -> None:
    plain, filled = make("breakout"), make("breakout", channels=10)
    first, second = plain.reset(SEEDS), filled.reset(SEEDS)
    for chosen in [None, *random_actions(plain, 20)]:
        if chosen is not None:
            first, second = plain.step(chosen).observation, filled.step(chosen).observation
        assert_array_equal(second[:, :, :4], first)
        assert not second[:, :, 4:].any()


def test_games_follow_each_other_only_with_equal_images() -> None:
    before, later = (FAMILY.spaces(task, {}) for task in ("asterix", "seaquest"))
    found = misfit("`minatar:seaquest`", later, before)
    assert found is not None
    assert found.sentence == (
        "`minatar:seaquest` shows an image of 10 x 10 x 10 (uint8), the phases before an image of 4 x 10 x 10 (uint8)"
    )
    assert "`channels`" in found.hint
    same = {"channels": 10}
    assert misfit("x", FAMILY.spaces("seaquest", same), FAMILY.spaces("asterix", same)) is None


@needs_minatar
def test_a_sequence_of_games_switches_and_permutes_pixels() -> None:
    phases: list[dict[str, Any]] = [
        {"environment": f"minatar:{task}", "options": {"channels": 10}, "steps": 100, "variant": variant}
        for variant, task in enumerate(("asterix", "space_invaders"))
    ]
    arguments: dict[str, Any] = {
        "members": 2, "envs": 2, "environment_seeds": [1, 2], "shift_seeds": [3, 4], "purpose": "training",
    }  # fmt: skip

    def world(shifts: list[Any]) -> SequenceEnvironment:
        return SequenceEnvironment({"phases": phases, "shifts": shifts, "max_episode_steps": 9}, **arguments)

    plain, permuted = world([]), world([{"kind": "observation_permutation"}])
    assert_array_equal(plain.start_phase(0), permuted.start_phase(0))
    first, second = plain.start_phase(1), permuted.start_phase(1)
    for step in range(20):
        assert second.dtype == np.uint8
        assert not np.array_equal(first, second)
        assert_array_equal(first.sum((3, 4)), second.sum((3, 4)))  # pixels move within their channel
        one, other = plain.step(np.full((2, 2), 5)), permuted.step(np.full((2, 2), 5))
        assert (one.finals is None) == (other.finals is None) == ((step + 1) % 9 != 0)
        if one.finals is not None and other.finals is not None:
            assert_array_equal(one.finals.observations.sum((2, 3)), other.finals.observations.sum((2, 3)))
        first, second = one.observation, other.observation


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"sticky": 0.1}, "`minatar:breakout` has no option `sticky`"),
        ({"sticky_action_prob": 1.5}, "should be a number from 0 to 1"),
        ({"sticky_action_prob": True}, "should be a number from 0 to 1"),
        ({"difficulty_ramping": 1}, "should be true or false"),
        ({"minimal_actions": "yes"}, "should be true or false"),
        ({"channels": 3}, "should be an integer of at least 4, the game's own"),
        ({"channels": 10.0}, "should be an integer of at least 4, the game's own"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        FAMILY.spaces("breakout", options)


def test_unknown_games_and_a_missing_package_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError) as caught:
        FAMILY.check("breakot")
    assert caught.value.hint == "did you mean `breakout`?"
    monkeypatch.setattr(minatar_family, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError) as missing:
        FAMILY.check("breakout")
    assert missing.value.extra == "minatar"
    assert not FAMILY.availability()[0].usable


@needs_minatar
def test_playing_imports_nothing_that_draws() -> None:
    code = (
        "import sys\n"
        "from gtr_bench.environments.registry import family_of\n"
        "family, task = family_of('minatar:seaquest')\n"
        "family.make(task, members=1, envs=1, max_episode_steps=None, options={})\n"
        "print(sorted({'minatar', 'seaborn', 'pandas', 'matplotlib', 'scipy', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
