"""Procgen's games: levels, seeds, states, limits, what the library does by itself, refusals, rebuilding."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gtr_bench.environments import procgen_family, procgen_library
from gtr_bench.environments.adapters import adapters_of
from gtr_bench.environments.procgen_family import ProcgenFamily
from gtr_bench.environments.procgen_games import GAMES, bounds_of
from gtr_bench.environments.registry import family_of
from gtr_bench.errors import EnvironmentFault, MissingExtraError, RequestError, UnknownNameError

FAMILY = ProcgenFamily()
SEEDS = np.arange(4, dtype=np.uint64).reshape(2, 2)


@pytest.fixture
def games() -> None:
    """Skips where `make games` has not been run."""
    if importlib.util.find_spec("procgen") is None:
        pytest.skip("needs `make games`")


def make(task: str, members: int = 2, envs: int = 2, limit: int | None = None, **options: Any) -> Any:
    return FAMILY.make(task, members=members, envs=envs, max_episode_steps=limit, options=options)


def random_actions(steps: int, members: int = 2, envs: int = 2) -> Any:
    return np.random.default_rng(0).integers(0, 15, (steps, members, envs))


def assert_same(found: Any, expected: Any) -> None:
    assert_array_equal(found.observation, expected.observation)
    assert_array_equal(found.reward, expected.reward)
    assert_array_equal(found.terminated, expected.terminated)
    assert_array_equal(found.truncated, expected.truncated)


@pytest.mark.usefixtures("games")
@pytest.mark.parametrize("task", GAMES)
def test_the_same_seeds_give_the_same_trajectories_and_a_saved_state_continues_exactly(task: str) -> None:
    first, second, restored = make(task), make(task), make(task)
    assert_array_equal(first.reset(SEEDS), second.reset(SEEDS))
    actions = random_actions(160)
    for chosen in actions[:70]:
        assert_same(second.step(chosen), first.step(chosen))
    restored.load_state(first.state())
    second.reset(SEEDS + np.uint64(9))
    second.load_state(first.state())
    for chosen in actions[70:]:
        expected = first.step(chosen)
        assert_same(restored.step(chosen), expected)
        assert_same(second.step(chosen), expected)


@pytest.mark.usefixtures("games")
def test_a_saved_state_holds_the_steps_up_to_the_limit_and_the_coming_levels() -> None:
    first, second = make("fruitbot", limit=30), make("fruitbot", limit=30)
    first.reset(SEEDS)
    actions = random_actions(200)
    for chosen in actions[:17]:
        first.step(chosen)
    second.load_state(first.state())
    ends = 0
    for chosen in actions[17:]:
        expected = first.step(chosen)
        assert_same(second.step(chosen), expected)
        ends += int(expected.truncated.sum())
    assert ends > 4


@pytest.mark.usefixtures("games")
def test_a_reset_begins_the_same_episodes_again_and_other_seeds_begin_others() -> None:
    batch = make("coinrun")
    start = batch.reset(SEEDS)
    steps = [batch.step(chosen) for chosen in random_actions(40)]
    assert_array_equal(batch.reset(SEEDS), start)
    for chosen, expected in zip(random_actions(40), steps, strict=True):
        assert_same(batch.step(chosen), expected)
    assert len({frame.tobytes() for frame in start.reshape(4, -1)}) == 4
    assert not np.array_equal(batch.reset(SEEDS + np.uint64(100)), start)


DIGEST = """
import hashlib, numpy as np
from gtr_bench.environments.registry import family_of
family, task = family_of("procgen:starpilot")
batch = family.make(task, members=1, envs=2, max_episode_steps=50, options={})
seen = hashlib.sha256(batch.reset(np.arange(2, dtype=np.uint64).reshape(1, 2)).tobytes())
for chosen in np.random.default_rng(0).integers(0, 15, (120, 1, 2)):
    step = batch.step(chosen)
    seen.update(step.observation.tobytes() + step.reward.tobytes())
print(seen.hexdigest())
"""


@pytest.mark.usefixtures("games")
def test_another_process_plays_the_same_episodes_and_imports_neither_gym_nor_the_package() -> None:
    batch = make("starpilot", 1, 2, limit=50)
    seen = hashlib.sha256(batch.reset(np.arange(2, dtype=np.uint64).reshape(1, 2)).tobytes())
    for chosen in random_actions(120, 1, 2):
        step = batch.step(chosen)
        seen.update(step.observation.tobytes() + step.reward.tobytes())
    code = DIGEST + "import sys; print({'procgen', 'gym', 'gym3'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == [seen.hexdigest(), "set()"]


@pytest.mark.usefixtures("games")
@pytest.mark.parametrize("task", ["bigfish", "coinrun", "leaper"])
def test_a_member_meets_the_same_episodes_alone_and_among_others(task: str) -> None:
    many, alone = make(task, 3, limit=40), make(task, 1, limit=40)
    seeds = np.arange(6, dtype=np.uint64).reshape(3, 2)
    assert_array_equal(many.reset(seeds)[2:], alone.reset(seeds[2:]))
    for chosen in random_actions(100, 3):
        first, second = many.step(chosen), alone.step(chosen[2:])
        assert_array_equal(first.observation[2:], second.observation)
        assert_array_equal(first.reward[2:], second.reward)


@pytest.mark.usefixtures("games")
def test_one_level_has_one_first_frame_whatever_the_seed_and_the_next_level_another() -> None:
    start = make("coinrun", num_levels=1, start_level=20).reset(SEEDS)
    assert (start == start[0, 0]).all()
    assert_array_equal(make("coinrun", num_levels=1, start_level=20).reset(SEEDS + np.uint64(5)), start)
    assert not np.array_equal(make("coinrun", num_levels=1, start_level=21).reset(SEEDS), start)


@pytest.mark.usefixtures("games")
def test_an_episode_follows_from_its_level_and_actions_not_from_the_episodes_before() -> None:
    batch = make("starpilot", 1, 1, limit=60, num_levels=1, start_level=3)
    frame, episodes, actions = batch.reset(SEEDS[:1, :1]), [], random_actions(60, 1, 1)
    for _ in range(3):
        episode = [frame.tobytes()]
        for chosen in actions:
            step = batch.step(chosen)
            frame = step.observation
            if step.terminated.any() or step.truncated.any():
                break
            episode.append(frame.tobytes())
        episodes.append(episode)
    assert episodes[0] == episodes[1] == episodes[2]


@pytest.mark.usefixtures("games")
@pytest.mark.parametrize("limit", [None, 10])
def test_exactly_the_levels_of_the_set_are_played(limit: int | None) -> None:
    batch = make("fruitbot", 2, 8, limit=limit, start_level=100, num_levels=3)
    batch.reset(np.arange(16, dtype=np.uint64).reshape(2, 8))
    levels = set(batch._games.levels.tolist())
    for chosen in random_actions(80, 2, 8):
        batch.step(chosen)
        levels |= set(batch._games.levels.tolist())
    assert levels == {100, 101, 102}


@pytest.mark.usefixtures("games")
def test_a_limit_truncates_where_the_library_would_not_and_the_finals_are_the_true_last_images() -> None:
    cut, free = make("maze", limit=7), make("maze")
    cut.reset(SEEDS)
    free.reset(SEEDS)
    for step, chosen in enumerate(random_actions(7), 1):
        expected, found = free.step(chosen), cut.step(chosen)
        assert found.truncated.all() == (step == 7)
        assert not found.terminated.any()
        assert_array_equal(found.reward, expected.reward)
        if step < 7:
            assert_array_equal(found.observation, expected.observation)
    assert found.finals.rows.tolist() == [0, 1, 2, 3]
    assert found.finals.observations.dtype == np.uint8
    assert_array_equal(found.finals.observations.reshape(expected.observation.shape), expected.observation)
    assert not (found.observation == expected.observation).all(axis=(2, 3, 4)).any()
    for step, chosen in enumerate(random_actions(7), 1):
        assert cut.step(chosen).truncated.all() == (step == 7)


@pytest.mark.usefixtures("games")
def test_where_the_game_ends_the_episode_the_finals_are_the_images_before_the_step() -> None:
    batch = make("fruitbot", 1, 4, num_levels=1)
    start = shown = batch.reset(SEEDS.reshape(1, 4))
    ended = 0
    for chosen in random_actions(200, 1, 4):
        step = batch.step(chosen)
        assert not step.truncated.any()
        assert (step.finals is not None) == step.terminated.any()
        if step.finals is not None:
            assert step.finals.rows.tolist() == np.flatnonzero(step.terminated).tolist()
            assert_array_equal(step.finals.observations, shown[0, step.finals.rows])
            assert_array_equal(step.observation[0, step.finals.rows], start[0, step.finals.rows])
            ended += len(step.finals.rows)
        shown = step.observation
    assert ended > 3


@pytest.mark.usefixtures("games")
def test_completed_levels_follow_each_other_in_one_episode_on_request() -> None:
    batch = make("maze", 1, 16, use_sequential_levels=True, distribution_mode="easy", num_levels=50)
    batch.reset(np.arange(16, dtype=np.uint64).reshape(1, 16))
    before = batch._games.levels.copy()
    followed = 0
    for chosen in random_actions(400, 1, 16):
        step = batch.step(chosen)
        changed = (batch._games.levels != before) & ~step.terminated[0]
        assert (batch._games.levels[changed] == before[changed] + 997).all()
        assert (step.reward[0, changed] > 0).all()
        followed += int(changed.sum())
        before = batch._games.levels.copy()
    assert followed > 0


@pytest.mark.usefixtures("games")
@pytest.mark.parametrize(("task", "mode"), [(task, mode) for task, modes in GAMES.items() for mode in modes])
def test_every_mode_that_is_offered_runs(task: str, mode: str) -> None:
    batch = make(task, 1, 1, distribution_mode=mode)
    assert batch.reset(SEEDS[:1, :1]).std() > 0
    for chosen in random_actions(3, 1, 1):
        assert batch.step(chosen).observation.std() > 0


@pytest.mark.usefixtures("games")
def test_modes_make_other_images_of_the_same_level() -> None:
    starts = [
        make("dodgeball", start_level=5, num_levels=1, distribution_mode=m).reset(SEEDS) for m in GAMES["dodgeball"]
    ]
    assert len({start.tobytes() for start in starts}) == 4


@pytest.mark.usefixtures("games")
@pytest.mark.parametrize(
    ("task", "option"),
    [
        ("coinrun", {"use_backgrounds": False}),
        ("climber", {"center_agent": False}),
        ("coinrun", {"paint_vel_info": True}),
        ("coinrun", {"restrict_themes": True}),
        ("coinrun", {"use_monochrome_assets": True}),
        ("coinrun", {"use_generated_assets": True}),
    ],
)
def test_visual_options_change_the_image_of_the_same_level(task: str, option: dict[str, bool]) -> None:
    starts = [make(task, start_level=0, num_levels=8, **chosen).reset(SEEDS) for chosen in ({}, option)]
    assert not np.array_equal(*starts)


def resident() -> int:
    """Pages of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1])


@pytest.mark.usefixtures("games")
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_fifty_rebuilds_do_not_pile_up_memory() -> None:
    batch = make("coinrun", 2, 4)
    seeds = np.arange(8, dtype=np.uint64).reshape(2, 4)
    for _ in range(10):
        batch.reset(seeds)
    one = resident()
    for _ in range(50):
        batch.reset(seeds)
    assert resident() - one < 5000  # 20 MB, where 400 games that were never freed hold several times that
    batch.close()
    batch.close()


@pytest.mark.parametrize("task", GAMES)
def test_planning_needs_no_library(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procgen_family, "find_spec", lambda name: None)
    spaces = FAMILY.spaces(task, {"distribution_mode": "easy", "num_levels": 3})
    assert (spaces.observation.shape, spaces.observation.dtype) == ((3, 64, 64), "uint8")
    assert (spaces.action.kind, spaces.action.sizes) == ("discrete", (15,))
    assert adapters_of(f"procgen:{task}", {}) == ("channels_first",)


def test_returns_are_normalised_by_the_bounds_of_the_mode() -> None:
    low, high = FAMILY.normalisations("starpilot", {})["procgen"]
    assert (20 - low) / (high - low) == pytest.approx(0.552239, abs=1e-6)
    low, high = FAMILY.normalisations("coinrun", {"distribution_mode": "easy"})["procgen"]
    assert (8.5 - low) / (high - low) == pytest.approx(0.7)
    assert FAMILY.normalisations("maze", {"distribution_mode": "memory"}) == {}
    for task in GAMES:
        for mode in ("easy", "hard"):
            bounds = bounds_of(task, mode)
            assert bounds is not None
            assert bounds[0] < bounds[1]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"levels": 3}, "`procgen:maze` has no option `levels`"),
        ({"distribution_mode": "extreme"}, "`procgen:maze` has no distribution_mode `extreme`"),
        ({"num_levels": -1}, "`num_levels` of `procgen:maze` should be an integer of at least 0"),
        ({"start_level": 1.5}, "`start_level` of `procgen:maze` should be an integer of at least 0"),
        ({"start_level": True}, "`start_level` of `procgen:maze` should be an integer of at least 0"),
        (
            {"start_level": 2**31 - 5, "num_levels": 5},
            r"the levels of `procgen:maze` end below 2147483648 \(`start_level`, `num_levels`\)",
        ),
        ({"use_backgrounds": 1}, "`use_backgrounds` of `procgen:maze` should be true or false"),
    ],
)
def test_options_that_would_end_the_process_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RequestError, match=rf"^{sentence}(\n|$)"):
        FAMILY.spaces("maze", options)


def test_an_unknown_game_is_refused_and_a_missing_package_has_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError, match="unknown `procgen` environment `starpilots`"):
        FAMILY.check("starpilots")
    monkeypatch.setattr(procgen_family, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="`procgen:starpilot` needs the extra `procgen`") as caught:
        FAMILY.check("starpilot")
    assert caught.value.hint == "make games"
    assert [(row.usable, row.hint) for row in FAMILY.availability()] == [(False, "make games")]
    assert family_of("procgen:starpilot")[0].name == "procgen"


def test_a_library_that_lacks_the_systems_own_says_which_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(procgen_library, "_folder", lambda: tmp_path)
    procgen_library._library.cache_clear()
    with pytest.raises(EnvironmentFault, match=r"^the library of Procgen cannot be loaded: .*libenv\.so") as caught:
        procgen_library._library()
    assert caught.value.hint is not None
    assert "libgl1 libglib2.0-0" in caught.value.hint


@pytest.mark.usefixtures("games")
def test_there_is_no_physics_to_change() -> None:
    batch = make("maze", 1, 1)
    batch.set_physics({})
    with pytest.raises(UnknownNameError, match="gravity"):
        batch.set_physics({"gravity": np.ones(1)})
