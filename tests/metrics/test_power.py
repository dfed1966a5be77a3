"""Seeds needed: the tables of protocols 13.3."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from gtr_bench.metrics.power import Design, detectable, fewest_pairs, pessimistic_std, power, seeds_needed


@pytest.mark.parametrize(
    ("size", "at_five", "at_one"),
    [(0.5, 64, 96), (0.8, 26, 39), (1.0, 17, 26), (1.5, 9, 13), (2.0, 6, 8), (3.0, 4, 5)],
)
def test_seeds_needed_are_those_of_the_table(size: float, at_five: int, at_one: int) -> None:
    assert seeds_needed(size) == at_five
    assert seeds_needed(-size, alpha=0.01) == at_one


@pytest.mark.parametrize(
    ("size", "n", "expected"),
    [
        (1, 3, 0.159),
        (1, 5, 0.286),
        (1, 10, 0.562),
        (1, 20, 0.869),
        (2, 3, 0.463),
        (2, 5, 0.791),
        (2, 10, 0.988),
        (2, 20, 1.0),
    ],
)
def test_power_is_that_of_the_table(size: float, n: int, expected: float) -> None:
    assert power(size, n) == pytest.approx(expected, abs=5e-4)


def test_the_normal_approximation_of_the_text_is_what_a_t_test_needs_a_little_more_than() -> None:
    quantiles = NormalDist().inv_cdf(1 - 0.05 / 2) + NormalDist().inv_cdf(0.8)
    assert 2 * quantiles**2 == pytest.approx(15.70, abs=5e-3)
    assert seeds_needed(1.0) == math.ceil(15.70) + 1


def test_no_effect_and_a_hopeless_one_have_no_answer() -> None:
    assert seeds_needed(0.0) is None
    assert seeds_needed(1e-4) is None
    assert power(1000.0, 5) == 1.0


def test_the_detectable_effect_is_what_the_seeds_needed_for_it_say() -> None:
    assert seeds_needed(detectable(12, design="paired") + 1e-6, design="paired") == 12


@pytest.mark.parametrize("alpha", [1e-6, 1e-4, 0.0125, 0.025, 0.05, 0.1, 0.79, 0.8, 0.95])
@pytest.mark.parametrize("design", ["paired", "two-sample"])
def test_a_detectable_effect_exists_for_any_level(design: Design, alpha: float) -> None:
    """13 pairs at 0.05 are among those for which scipy's noncentral t is NaN on the way."""
    for n in (*range(2, 50), 2000):
        size = detectable(n, alpha=alpha, design=design)
        assert power(size, n, alpha=alpha, design=design) == pytest.approx(max(alpha, 0.8), abs=1e-6)


@pytest.mark.parametrize("alpha", [1e-4, 0.05])
@pytest.mark.parametrize("design", ["paired", "two-sample"])
def test_power_never_falls_with_the_effect(design: Design, alpha: float) -> None:
    for n in (2, 3, 13, 49):
        powers = [power(size, n, alpha=alpha, design=design) for size in np.geomspace(1e-3, 1e5, 400)]
        assert np.all(np.diff(powers) > -1e-6)
        assert powers[-1] == pytest.approx(1)


def test_pilot_std_is_taken_at_its_upper_bound() -> None:
    # chi2_{0.2, 4} = 1.648777
    assert pessimistic_std(1.0, 5) == pytest.approx((4 / 1.648777) ** 0.5, rel=1e-5)


def test_fewest_pairs_are_those_whose_most_extreme_flip_reaches_the_level() -> None:
    assert fewest_pairs(0.05) == 6
    assert fewest_pairs(2 / 32) == 5
