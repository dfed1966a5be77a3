"""Running normalisers against a plain computation over everything seen (algorithms A.2, detail 16)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gtr_bench.learn.normalise import ObservationNormaliser, RewardNormaliser, RunningMoments

RANDOM = np.random.default_rng(0)


@given(
    sizes=st.lists(st.integers(1, 7), min_size=1, max_size=6), seed=st.integers(0, 1000), offset=st.floats(-1e3, 1e3)
)
def test_moments_are_those_of_everything_seen(sizes: list[int], seed: int, offset: float) -> None:
    data = offset + np.random.default_rng(seed).normal(size=(2, sum(sizes), 3)) * [1.0, 10.0, 0.1]
    moments = RunningMoments((2, 3))
    start = 0
    for size in sizes:
        moments.update(data[:, start : start + size])
        start += size
    # the vanishing first count of 1e-4 observations at mean 0 and variance 1 stays in
    weight = 1e-4 / (1e-4 + sum(sizes))
    assert_allclose(moments.mean, data.mean(1) * (1 - weight), rtol=1e-9)
    spread = data.var(1) * (1 - weight) + weight + data.mean(1) ** 2 * weight * (1 - weight)
    assert_allclose(moments.variance, spread, rtol=1e-6)


def test_observations_are_standardised_and_clipped_per_member() -> None:
    normaliser = ObservationNormaliser(2, 3)
    data = (RANDOM.normal(size=(2, 5000, 3)) * [1, 5, 0.2] + [[[0.0]], [[7.0]]]).astype(np.float32)
    normaliser.update(data)
    found = normaliser(data)
    assert found.dtype == np.float32
    assert_allclose(found.mean(1), 0, atol=2e-3)
    assert_allclose(found.std(1), 1, atol=2e-3)
    assert_array_equal(normaliser(np.full((2, 1, 3), 1e6, np.float32)), np.full((2, 1, 3), 10.0))
    assert_array_equal(normaliser(np.full((2, 1, 3), -1e6, np.float32)), np.full((2, 1, 3), -10.0))


def test_normalising_does_not_learn_and_does_not_change_its_input() -> None:
    normaliser = ObservationNormaliser(1, 2)
    normaliser.update(RANDOM.normal(size=(1, 10, 2)).astype(np.float32))
    data = RANDOM.normal(size=(1, 4, 2)).astype(np.float32)
    kept = data.copy()
    assert_array_equal(normaliser(data), normaliser(data))
    assert_array_equal(data, kept)


def test_reset_and_state() -> None:
    first, second = ObservationNormaliser(1, 2), ObservationNormaliser(1, 2)
    data = RANDOM.normal(size=(1, 10, 2)).astype(np.float32)
    first.update(data)
    second.load_state(first.moments.state())
    for each in (first, second):
        each.update(data + 1)
    assert_array_equal(first(data), second(data))
    first.reset()
    assert_allclose(first(data), data, rtol=1e-6)


def plain_returns(rewards: np.ndarray, ended: np.ndarray, gamma: float) -> np.ndarray:
    """Discounted sums of the rewards of one environment so far, from anew after an end."""
    found, running = [], 0.0
    for reward, end in zip(rewards, ended, strict=True):
        running = running * gamma + reward
        found.append(running)
        running = 0.0 if end else running
    return np.array(found)


def test_rewards_are_divided_by_the_deviation_of_discounted_returns() -> None:
    steps, envs, gammas = 400, 2, [0.9, 0.5]
    rewards = RANDOM.normal(2.0, 3.0, size=(steps, 2, envs))
    ended = RANDOM.random((steps, 2, envs)) < 0.05
    normaliser = RewardNormaliser(2, envs)
    halves = [slice(0, 200), slice(200, steps)]
    found = np.concatenate([normaliser(rewards[half], ended[half], np.array(gammas)[:, None]) for half in halves])
    for member, gamma in enumerate(gammas):
        returns = np.stack([plain_returns(rewards[:, member, n], ended[:, member, n], gamma) for n in range(envs)], 1)
        for half, seen in zip(halves, (200, steps), strict=True):
            expected = rewards[half, member] / returns[:seen].std()
            assert_allclose(found[half, member], expected.clip(-10, 10), rtol=1e-4)


def test_a_shift_ends_the_running_returns_but_keeps_the_statistics() -> None:
    ones, none, gamma = np.ones((3, 1, 1)), np.zeros((3, 1, 1), np.bool_), np.array([[1.0]])
    normaliser = RewardNormaliser(1, 1)
    normaliser(ones, none, gamma)
    normaliser.start_episodes()
    scaled = normaliser(ones, none, gamma)
    assert scaled[0, 0, 0] == pytest.approx(1 / np.std([1, 2, 3, 1, 2, 3]), rel=1e-3)
    normaliser.reset()
    assert normaliser(ones, none, gamma)[0, 0, 0] == pytest.approx(1 / np.std([1, 2, 3]), rel=1e-3)


def test_reward_statistics_survive_a_checkpoint() -> None:
    first, second = RewardNormaliser(2, 3), RewardNormaliser(2, 3)
    rewards, gamma = RANDOM.normal(size=(4, 2, 3)), np.array([[0.9], [0.8]])
    ended = RANDOM.random((4, 2, 3)) < 0.2
    first(rewards, ended, gamma)
    second.load_state(first.state())
    assert_array_equal(first(rewards, ended, gamma), second(rewards, ended, gamma))
