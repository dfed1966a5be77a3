"""Atari's games: parity with the package's own vector environment, starts, lives, limits, replay, options, refusals."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gtr_bench.environments import atari_family
from gtr_bench.environments.adapters import ADAPTERS
from gtr_bench.environments.atari_family import AtariFamily
from gtr_bench.environments.atari_games import ALL_ACTIONS, Settings, flavour_of, games, scores
from gtr_bench.environments.offers import evaluated_options, misfit
from gtr_bench.environments.sequence import SequenceEnvironment
from gtr_bench.errors import MissingExtraError, RequestError, UnknownNameError
from tests.environments.helpers import assert_same

FAMILY = AtariFamily()
PLAIN = {"sticky": 0.0, "noop_max": 0, "clip_reward": False, "end_at_life_loss": False}
SEEDS = np.arange(2, dtype=np.uint64).reshape(2, 1)

needs_ale = pytest.mark.skipif(importlib.util.find_spec("ale_py") is None, reason="needs the extra `atari`")


def make(task: str, members: int = 1, envs: int = 1, limit: int | None = None, **options: Any) -> Any:
    return FAMILY.make(task, members=members, envs=envs, max_episode_steps=limit, options=options)


def random_actions(batch: Any, steps: int, seed: int = 0) -> Any:
    shape = (steps, batch.members, batch.envs)
    return np.random.default_rng(seed).integers(0, batch.spaces.action.sizes[0], shape)


@needs_ale
@pytest.mark.parametrize(("task", "rom", "steps"), [("Pong", "pong", 150), ("Breakout", "breakout", 300)])
def test_images_and_rewards_are_those_of_the_packages_vector_environment(task: str, rom: str, steps: int) -> None:
    from ale_py.vector_env import AtariVectorEnv

    peer = AtariVectorEnv(rom, 1, num_threads=1, noop_max=0, reward_clipping=False)
    batch = make(task, **PLAIN)
    ours = batch.reset(np.array([[5]], dtype=np.uint64))
    theirs, _ = peer.reset(seed=np.array([0]))
    rewarded = 0
    for chosen in random_actions(batch, steps):
        # Their resizing rounds exact halves with the errors of float32.
        assert np.abs(ours[0].astype(int) - theirs).max() <= 1
        step = batch.step(chosen)
        theirs, reward, terminated, truncated, _ = peer.step(chosen[0])
        assert step.reward[0].tolist() == reward.tolist()
        assert (step.terminated[0, 0], step.truncated[0, 0]) == (terminated[0], truncated[0])
        rewarded += reward[0] != 0
        if terminated[0]:
            break
        ours = step.observation
    assert rewarded > 0


@needs_ale
@pytest.mark.parametrize("height", [210, 214, 220, 230, 250])
def test_resizing_is_the_mean_over_the_area_of_a_pixel(height: int) -> None:
    from gtr_bench.environments.atari_single import resized

    picture = np.random.default_rng(height).integers(0, 256, (height, 160), dtype=np.uint8)
    fine = np.kron(picture.astype(np.float64), np.ones((84, 21)))  # every pixel in 84 x 21 parts: both sizes divide it
    expected = fine.reshape(84, height, 84, 40).mean(axis=(1, 3))
    assert np.abs(resized(picture) - expected).max() <= 0.5


@needs_ale
def test_a_member_meets_the_same_games_alone_and_among_others() -> None:
    many, alone = make("SpaceInvaders", 2), make("SpaceInvaders", 1)
    assert_array_equal(many.reset(SEEDS)[1:], alone.reset(SEEDS[1:]))
    for chosen in random_actions(many, 60):
        first, second = many.step(chosen), alone.step(chosen[1:])
        assert_array_equal(first.observation[1:], second.observation)
        assert_array_equal(first.reward[1:], second.reward)
    assert not np.array_equal(first.observation[0], first.observation[1])


@needs_ale
def test_the_seed_alone_decides_a_game_in_this_process_and_in_another() -> None:
    code = (
        "import hashlib, numpy as np\n"
        "from gtr_bench.environments.atari_family import AtariFamily\n"
        "batch = AtariFamily().make('Breakout', members=1, envs=1, max_episode_steps=20, options={})\n"
        "seen = hashlib.sha256(batch.reset(np.array([[3]], dtype=np.uint64)).tobytes())\n"
        "for step in range(50):\n"
        "    seen.update(batch.step(np.full((1, 1), step % 4)).observation.tobytes())\n"
        "print(seen.hexdigest())"
    )
    found = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()]
    batch = make("Breakout", limit=20)
    batch.reset(SEEDS[:1])
    for chosen in random_actions(batch, 30):
        batch.step(chosen)  # what was played before leaves no trace
    seen = hashlib.sha256(batch.reset(np.array([[3]], dtype=np.uint64)).tobytes())
    for step in range(50):
        seen.update(batch.step(np.full((1, 1), step % 4)).observation.tobytes())
    assert found == [seen.hexdigest()]


@needs_ale
@pytest.mark.slow
@pytest.mark.parametrize("task", scores())
def test_nothing_of_a_game_reaches_the_next_one(task: str) -> None:
    from gtr_bench.environments.atari_single import AtariGame

    flavour = flavour_of(task, {})
    used, fresh = AtariGame(flavour, Settings()), AtariGame(flavour, Settings())
    actions = np.random.default_rng(0).integers(0, flavour.game.actions, 200).tolist()
    used.start(1)
    for action in actions[:97]:
        if used.step(action).over:
            break
    used.start(2)
    fresh.start(2)
    for action in actions:
        assert_array_equal(used.image(), fresh.image())
        frames = used.step(action)
        assert frames == fresh.step(action)
        if frames.over:
            break


@needs_ale
@pytest.mark.parametrize("steps", [2, 75])
def test_a_saved_state_continues_bit_for_bit_amid_a_game_with_sticky_actions(steps: int) -> None:
    first, second = make("Breakout", 2, limit=90), make("Breakout", 2, limit=90)
    first.reset(SEEDS)
    actions = random_actions(first, 120, seed=3)
    lives = 0
    for chosen in actions[:steps]:
        lives += first.step(chosen).terminated.sum()
    assert (lives > 0) == (steps > 2)  # the running episode then began amid the game
    state = first.state()
    second.load_state(state)
    for chosen in actions[steps:]:
        assert_same(first.step(chosen), second.step(chosen))


@needs_ale
def test_a_lost_life_ends_the_episode_but_not_the_game_and_evaluations_play_on() -> None:
    options = evaluated_options("atari:Breakout", {"noop_max": 0})
    training, evaluation = make("Breakout", noop_max=0), make("Breakout", **options)
    first, second = training.reset(SEEDS[:1]), evaluation.reset(SEEDS[:1])
    assert_array_equal(first, second)
    lives = 0
    for chosen in random_actions(training, 150):
        one, other = training.step(chosen), evaluation.step(chosen)
        assert_array_equal(one.observation[..., -1, :, :], other.observation[..., -1, :, :])  # the same game
        if one.terminated[0, 0] and not other.terminated[0, 0]:
            lives += 1
            assert_array_equal(one.finals.observations[0, -1], other.observation[0, 0, -1])
            assert not one.observation[0, 0, :-1].any()
            assert_array_equal(one.observation[0, 0, -1], one.finals.observations[0, -1])
        elif other.terminated[0, 0]:
            break
    assert lives > 0


@needs_ale
def test_only_training_clips_rewards() -> None:
    options = {"end_at_life_loss": False}
    training = make("SpaceInvaders", **options)
    evaluation = make("SpaceInvaders", **evaluated_options("atari:SpaceInvaders", options))
    training.reset(SEEDS[:1])
    evaluation.reset(SEEDS[:1])
    pairs = set()
    for chosen in random_actions(training, 120):
        pairs.add((float(training.step(chosen).reward[0, 0]), float(evaluation.step(chosen).reward[0, 0])))
    assert {clipped for clipped, _ in pairs} == {0.0, 1.0}
    assert all(clipped == np.sign(score) for clipped, score in pairs)
    assert max(score for _, score in pairs) >= 5


@needs_ale
def test_a_limit_truncates_and_the_finals_are_the_images_before_the_next_game() -> None:
    cut, free = make("Pong", limit=7), make("Pong")
    cut.reset(SEEDS[:1])
    free.reset(SEEDS[:1])
    for step, chosen in enumerate(random_actions(cut, 7), 1):
        expected, found = free.step(chosen), cut.step(chosen)
        assert found.truncated.all() == (step == 7)
        assert not found.terminated.any()
    assert found.finals.rows.tolist() == [0]
    assert_array_equal(found.finals.observations, expected.observation[0])
    assert not found.observation[0, 0, :-1].any()


@needs_ale
def test_without_a_limit_a_game_is_cut_off_after_108000_frames() -> None:
    batch = make("Pong", frame_skip=20_000)
    batch.reset(SEEDS[:1])
    assert batch._limit == 5
    assert make("Pong")._limit == 27_000


@needs_ale
def test_sticky_actions_repeat_frames_as_often_as_asked() -> None:
    from gtr_bench.environments.atari_single import AtariGame

    class Listener:
        def __init__(self, inner: Any) -> None:
            self.inner, self.heard = inner, list[int]()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

        def act(self, action: int) -> Any:
            self.heard.append(action)
            return self.inner.act(action)

    game = AtariGame(flavour_of("Pong", {}), Settings(sticky=0.25, frame_skip=4))
    game.start(0)
    listener = game._emulator = Listener(game._emulator)
    for step in range(400):
        game.step(2 + step % 2)
    frames = np.array(listener.heard).reshape(400, 4)
    kept = frames == np.array([3, 4])[np.arange(400) % 2][:, None]  # right and left, the console's actions 3 and 4
    assert len(frames) == 400
    for place in range(4):  # the action before lasts through k frames with probability 0.25^k
        assert abs((~kept[:, place]).mean() - 0.25 ** (place + 1)) < 0.06


@needs_ale
def test_a_mode_of_the_name_is_the_mode_of_the_option_and_another_game() -> None:
    named, asked, plain = make("Breakout-m12d1"), make("Breakout", mode=12, difficulty=1), make("Breakout")
    for batch in (named, asked, plain):
        batch.reset(SEEDS[:1])
    differs = False
    for chosen in random_actions(named, 60):
        first, second, other = named.step(chosen), asked.step(chosen), plain.step(chosen)
        assert_same(first, second)
        differs |= not np.array_equal(first.observation, other.observation)
    assert differs


@needs_ale
@pytest.mark.parametrize("task", ["Pong", "Adventure", "Skiing", "BasicMath"])
def test_what_the_tables_say_of_a_game_is_what_the_package_has(task: str) -> None:
    import ale_py
    from ale_py import roms

    game = games()[task]
    emulator = ale_py.ALEInterface()
    emulator.loadROM(roms.get_rom_path(game.rom))
    assert game.actions == len(emulator.getMinimalActionSet())
    assert list(game.modes) == emulator.getAvailableModes()
    assert list(game.difficulties) == emulator.getAvailableDifficulties()


@needs_ale
def test_games_of_other_actions_follow_each_other_with_the_full_set() -> None:
    options = {"full_action_space": True}
    phases: list[dict[str, Any]] = [
        {"environment": f"atari:{task}", "options": options, "steps": 100, "variant": 0}
        for task in ("Pong", "Freeway", "Freeway-m1d0")
    ]
    world = SequenceEnvironment(
        {"phases": phases, "shifts": [], "max_episode_steps": 9},
        members=1,
        envs=1,
        environment_seeds=[1],
        shift_seeds=[3],
        purpose="training",
    )
    for phase in range(3):
        assert world.start_phase(phase).shape == (1, 1, 4, 84, 84)
        world.step(np.full((1, 1), ALL_ACTIONS - 1))
    world.close()
    found = misfit("`atari:Freeway`", FAMILY.spaces("Freeway", {}), FAMILY.spaces("Pong", {}))
    assert found is not None


def test_the_declared_adapters_follow_the_options() -> None:
    everything = FAMILY.adapters("Pong", {"full_action_space": True})
    assert set(everything) <= set(ADAPTERS)
    assert set(everything) - set(FAMILY.adapters("Pong", {})) == {"union_actions"}
    plain = {"noop_max": 0, "fire_to_start": False, "clip_reward": False, "end_at_life_loss": False}
    assert FAMILY.adapters("Pong", {**plain, "frame_skip": 1, "stack": 1}) == ("grayscale", "max_of_frames", "resize")


def test_there_are_104_games_and_human_scores_for_57_in_their_default_mode() -> None:
    assert len(FAMILY.tasks()) == 104
    assert len(scores()) == 57
    assert set(scores()) <= set(FAMILY.tasks())
    assert FAMILY.normalisations("Pong", {}) == {"human": (-20.7, 14.6)}
    for task, options in (("Adventure", {}), ("Pong-m0d1", {}), ("Pong", {"difficulty": 1})):
        assert FAMILY.normalisations(task, options) == {}


@pytest.mark.parametrize(
    ("task", "options", "sentence"),
    [
        ("Pong", {"sticky_action_prob": 0.1}, "`atari:Pong` has no option `sticky_action_prob`"),
        ("Pong", {"sticky": 1.0}, "should be a number from 0 to below 1"),
        ("Pong", {"sticky": True}, "should be a number from 0 to below 1"),
        ("Pong", {"clip_reward": 1}, "`clip_reward` of `atari:Pong` should be true or false"),
        ("Pong", {"stack": 0}, "`stack` of `atari:Pong` should be an integer of at least 1"),
        ("Pong", {"noop_max": 1.0}, "`noop_max` of `atari:Pong` should be an integer of at least 0"),
        ("Pong", {"mode": 2}, "`atari:Pong` has no mode `2`"),
        ("Pong", {"difficulty": "1"}, "`atari:Pong` has no difficulty `1`"),
        ("Pong-m9d0", {}, "`atari:Pong` has no mode `9`"),
        ("Pong-m1d0", {"mode": 1}, "`atari:Pong-m1d0` names its mode already"),
    ],
)
def test_options_that_make_no_sense_are_refused(task: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        FAMILY.spaces(task, options)


def test_unknown_games_and_a_missing_package_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError) as caught:
        FAMILY.check("Pung")
    assert caught.value.hint == "did you mean `Pong`?"
    monkeypatch.setattr(atari_family, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError) as missing:
        FAMILY.check("Pong")
    assert missing.value.extra == "atari"
    assert not FAMILY.availability()[0].usable
