"""Pictures for people: of images a learner sees, and of simulators that draw themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gtr_bench.environments.pictures import of_observation, write_gif
from gtr_bench.environments.registry import family_of
from gtr_bench.environments.spaces import ObservationSpace


def test_vectors_are_no_pictures() -> None:
    assert of_observation(np.zeros(4, np.float32), ObservationSpace((4,))) is None


def test_three_channels_are_colours_and_the_newest_of_stacked_frames_is_shown() -> None:
    frames = np.zeros((6, 80, 80), np.uint8)
    frames[3], frames[4], frames[5] = 10, 20, 30
    picture = of_observation(frames, ObservationSpace((6, 80, 80), "uint8", frames=2))
    assert picture is not None
    assert picture.shape == (160, 160, 3)
    assert (picture == (10, 20, 30)).all()


def test_one_channel_is_grey() -> None:
    picture = of_observation(np.full((1, 200, 200), 77, np.uint8), ObservationSpace((1, 200, 200), "uint8"))
    assert picture is not None
    assert picture.shape == (200, 200, 3)
    assert (picture == 77).all()


def test_every_channel_of_zeros_and_ones_has_a_colour_of_its_own() -> None:
    cells = np.zeros((3, 2, 2), np.uint8)
    cells[0, 0, 0] = cells[1, 0, 1] = cells[2, 1, 0] = 1
    picture = of_observation(cells, ObservationSpace((3, 2, 2), "uint8"))
    assert picture is not None
    corners = [tuple(picture[row, column]) for row in (0, -1) for column in (0, -1)]
    assert len(set(corners)) == 4
    assert corners[3] == (0, 0, 0)


@pytest.mark.parametrize("task", ["CartPole-v1", "Acrobot-v1", "MountainCar-v0", "Pendulum-v1"])
def test_classic_control_draws_its_state_and_playing_on_is_the_same(task: str) -> None:
    family, name = family_of(f"gym:{task}")
    drawn, plain = (family.make(name, members=1, envs=2, max_episode_steps=None, options={}) for _ in range(2))
    seeds = np.array([[3, 4]], dtype=np.uint64)
    drawn.reset(seeds)
    plain.reset(seeds)
    before = drawn.picture(1)
    shape = drawn.spaces.action.shape
    for _ in range(20):
        actions = np.ones((1, 2, *shape), np.float32 if shape else np.int64)
        moved, expected = drawn.step(actions), plain.step(actions)
    after = drawn.picture(1)
    assert before is not None
    assert after is not None
    assert before.shape == after.shape
    assert (before != after).any()
    np.testing.assert_array_equal(moved.observation, expected.observation)
    drawn.close()


def test_a_longer_pole_is_drawn_longer() -> None:
    family, name = family_of("gym:CartPole-v1")
    batch = family.make(name, members=2, envs=1, max_episode_steps=None, options={})
    batch.set_physics({"length": np.array([1.0, 2.0])})
    batch.reset(np.zeros((2, 1), np.uint64))
    short, long = (np.asarray(batch.picture(row)) for row in (0, 1))
    pole = np.array([202, 152, 101])  # Gymnasium's colour
    assert (long == pole).all(2).sum() > 1.5 * (short == pole).all(2).sum()
    batch.close()


def test_an_animation_holds_every_frame(tmp_path: Path) -> None:
    frames = [np.full((20, 30, 3), shade, np.uint8) for shade in (0, 120, 240)]
    write_gif(tmp_path / "play.gif", frames, milliseconds=40)
    with Image.open(tmp_path / "play.gif") as image:
        assert image.n_frames == 3
        assert image.size == (30, 20)
