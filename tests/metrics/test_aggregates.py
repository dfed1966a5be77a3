"""Aggregates: the worked examples of protocols 13.1."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtr_bench.environments.atari_games import subsets
from gtr_bench.metrics.aggregates import (
    estimated_median,
    optimality_gap,
    performance_profile,
    probability_of_improvement,
)

SCORES = st.lists(st.lists(st.floats(-10, 10), min_size=1, max_size=4), min_size=1, max_size=3)


def test_optimality_gap_counts_what_is_missing_to_the_target() -> None:
    assert optimality_gap([[0.2, 0.8, 1.5]]).value == pytest.approx(1 / 3)


def test_an_agent_at_the_human_level_in_the_five_games_is_estimated_at_85_percent() -> None:
    weights = tuple(subsets()["atari5"].values())
    assert sum(weights) == pytest.approx(0.9653)
    assert estimated_median([[1.0]] * 5, weights).value == pytest.approx(0.8505, abs=5e-5)
    assert {name: len(games) for name, games in subsets().items()} == {"atari5": 5, "atari10": 10}


def test_the_estimated_median_weighs_logarithms_of_means_that_are_not_below_zero() -> None:
    # means 0.09 and -1: x = log10(1 + 9) = 1 and 0, so 10^(0.5 * 1 + 0.7 * 0) - 1 percent
    found = estimated_median([[0.03, 0.15], [-1.0, -1.0]], (0.5, 0.7), resamples=100)
    assert found.value == pytest.approx((10**0.5 - 1) / 100)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high


def test_profile_counts_runs_strictly_above() -> None:
    groups = [[0.1, 0.3], [0.6, 0.9]]
    assert performance_profile(groups, [0.5, 0.9]).tolist() == [0.5, 0.0]


@pytest.mark.parametrize(
    ("first", "second", "expected"), [([3, 5], [1, 4], 0.75), ([1, 2], [1, 3], 0.375), ([1, 2], [1, 2], 0.5)]
)
def test_probability_of_improvement_is_the_mann_whitney_share(
    first: list[float], second: list[float], expected: float
) -> None:
    found = probability_of_improvement([first], [second], resamples=500)
    assert found.value == pytest.approx(expected)
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.high <= 1


@given(SCORES)
def test_improving_over_oneself_is_even(groups: list[list[float]]) -> None:
    assert probability_of_improvement(groups, groups, resamples=20).value == pytest.approx(0.5)


def test_ragged_environments_weigh_the_same() -> None:
    assert optimality_gap([[0.0], [1.0, 1.0, 1.0]]).value == pytest.approx(0.5)


def test_intervals_repeat_to_the_bit_whatever_the_order() -> None:
    values = np.random.default_rng(0).normal(size=9)
    assert optimality_gap([values], resamples=300) == optimality_gap([values[::-1]], resamples=300)


def test_an_environment_without_values_is_refused() -> None:
    with pytest.raises(ValueError, match="without values"):
        probability_of_improvement([[1.0], []], [[1.0], [2.0]])
