"""What means hide, and how often it is said where there is nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gtr_bench.metrics.heterogeneity import heterogeneity
from gtr_bench.metrics.shape import heaps, most_failures, spread_ratio, worst_quarter

from .helpers import within_band

SIMULATIONS = 2000


def test_the_widest_gap_splits_scores_into_two_heaps() -> None:
    found = heaps([1.0, 0.98, 0.1, 1.02, 1.01, 0.99, 1.0, 0.97, 1.03, 1.0, 1.0, 1.0])
    assert found is not None
    assert (found.low, found.high, found.gap) == (1, 11, pytest.approx(0.87))
    assert heaps([0.0, 0.1, 0.2, 0.3]) is None
    assert heaps([1.0, 1.0, 0.0]) is None
    assert heaps([1.0] * 8) is None
    assert heaps([0.0, 0.0, 0.0, 0.0, 1.0]) is not None


def test_the_worst_quarter_is_the_high_end_where_lower_is_better() -> None:
    assert worst_quarter([1, 2, 3, 4, 5], lower=False) == 1.5
    assert worst_quarter([1, 2, 3, 4, 5], lower=True) == 4.5


def test_spreads_are_compared_from_four_values_on() -> None:
    assert spread_ratio([0, 1, 2, 3], [0, 4, 8, 12]) == pytest.approx(4)
    assert spread_ratio([1, 1, 1, 1], [0, 4, 8, 12]) == math.inf
    assert spread_ratio([1, 1, 1, 1], [2, 2, 2, 2]) == 1
    assert spread_ratio([0, 1, 2], [0, 40, 80]) == 1


def test_failures_that_were_not_seen_are_bounded() -> None:
    assert most_failures(0, 20) == pytest.approx(1 - 0.05 ** (1 / 20))
    assert most_failures(20, 20) == 1.0
    assert most_failures(2, 10) == pytest.approx(0.5069, abs=1e-4)


@pytest.mark.parametrize(("n", "most"), [(4, 0.06), (5, 0.06), (6, 0.06), (8, 0.06), (10, 0.06), (20, 0.02)])
def test_two_sides_of_normal_scores_are_seldom_called_two_heaps(n: int, most: float) -> None:
    generator = np.random.default_rng(81)
    said = sum(any(heaps(side) for side in generator.normal(size=(2, n))) for _ in range(SIMULATIONS))
    assert said / SIMULATIONS <= most


@pytest.mark.parametrize(("n", "noise", "least"), [(5, 0.05, 0.8), (6, 0.05, 0.95), (10, 0.1, 0.95), (20, 0.1, 0.95)])
def test_failures_in_a_tenth_of_the_seeds_are_seen_where_there_is_one(n: int, noise: float, least: float) -> None:
    """Of samples that hold a failure; the others cannot show it."""
    generator = np.random.default_rng(82)
    failed = generator.random((SIMULATIONS, n)) < 0.1
    scores = np.where(failed, 0.0, 1.0) + noise * generator.normal(size=failed.shape)
    shown = [heaps(side) is not None for side, any_failed in zip(scores, failed.any(axis=1), strict=True) if any_failed]
    assert np.mean(shown) >= least


def test_one_environment_or_no_spread_is_not_tested() -> None:
    assert heterogeneity([[1.0, 2.0, 3.0]]) is None
    assert heterogeneity([[1.0, 2.0], [1.0]]) is None
    assert heterogeneity([[1.0, 1.0], [2.0, 2.0]]) is None


def test_two_environments_give_the_square_of_welch_s_t() -> None:
    from scipy.stats import ttest_ind

    generator = np.random.default_rng(83)
    first, second = generator.normal(size=6), 3 * generator.normal(size=4) + 1
    found = heterogeneity([first, second])
    expected = ttest_ind(first, second, equal_var=False)
    assert found is not None
    assert (found.statistic, found.p) == (pytest.approx(expected.statistic**2), pytest.approx(expected.pvalue))


@pytest.mark.parametrize("n", [3, 5, 10, 20])
@pytest.mark.parametrize("environments", [2, 4])
@pytest.mark.parametrize("uneven", [False, True])
def test_equal_differences_are_called_unequal_at_the_level(n: int, environments: int, *, uneven: bool) -> None:
    generator = np.random.default_rng(84)
    spreads = np.where(np.arange(environments) == 0, 8.0 if uneven else 1.0, 1.0)[:, None]
    draws = 0.7 + spreads * generator.normal(size=(SIMULATIONS, environments, n))
    tests = [heterogeneity(list(each)) for each in draws]
    said = sum(test is not None and test.p <= 0.05 for test in tests)
    assert within_band(said, SIMULATIONS, 0.055, lower=False)
