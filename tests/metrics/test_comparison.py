"""Tests of a difference: the worked examples of protocols 13.2, and their error rates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtr_bench.metrics.comparison import holm, permutation, sign_flip, welch
from tests.metrics.helpers import within_band

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=7)


@pytest.mark.parametrize(
    ("differences", "p"), [([1, 2, 3, 4], 2 / 16), ([1] * 5, 2 / 32), ([1, 2, 3, 4, 5, 6], 2 / 64)]
)
def test_sign_flip_counts_all_flips(differences: list[float], p: float) -> None:
    assert sign_flip([differences]).p == pytest.approx(p)
    assert sign_flip([differences], alternative="greater").p == pytest.approx(p / 2)
    assert sign_flip([differences], alternative="less").p == 1.0


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [([1, 2, 3], [4, 5, 6], 2 / 20), ([1, 2, 3, 4], [5, 6, 7, 8], 2 / 70), ([1, 3, 5], [2, 4, 6], 14 / 20)],
)
def test_permutation_counts_all_splits(first: list[float], second: list[float], p: float) -> None:
    found = permutation([first], [second])
    assert found.exact
    assert found.p == pytest.approx(p)


def test_strata_are_flipped_and_shuffled_apart() -> None:
    assert sign_flip([[1, 2], [3, 4]]).p == pytest.approx(2 / 16)
    # 3 of 3 splits in each of two environments, the observed one and its mirror image are the most extreme
    assert permutation([[1, 2], [1, 2]], [[3, 4], [3, 4]]).p == pytest.approx(2 / 36)


def test_large_samples_are_drawn_and_near_the_exact_share() -> None:
    generator = np.random.default_rng(1)
    differences = generator.normal(0.4, 1.0, 30)
    drawn = sign_flip([differences])
    assert not drawn.exact
    t = differences.mean() / differences.std(ddof=1) * math.sqrt(30)
    from scipy.stats import t as student

    assert drawn.p == pytest.approx(2 * student.sf(abs(t), 29), abs=0.02)


@pytest.mark.parametrize(
    ("first", "second", "t", "p"),
    [([1, 2, 3], [4, 5, 6], -3.674235, 0.021312), ([1, 2, 3, 4], [2, 4, 6, 8], -1.732051, 0.151581)],
)
def test_welch_matches_the_worked_examples(first: list[float], second: list[float], t: float, p: float) -> None:
    found = welch(first, second)
    assert found.statistic == pytest.approx(t, abs=1e-6)
    assert found.p == pytest.approx(p, abs=1e-6)


def test_welch_takes_the_degrees_of_freedom_of_the_worked_example() -> None:
    from scipy.stats import t as student

    found = welch([1, 2, 3, 4], [2, 4, 6, 8])
    assert found.p == pytest.approx(2 * student.sf(abs(found.statistic), 4.411765), abs=1e-7)


def test_welch_of_constants_has_no_p() -> None:
    assert math.isnan(welch([1.0, 1.0], [2.0, 2.0]).p)


def test_holm_matches_the_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_lowers_a_p_and_keeps_their_order(values: list[float]) -> None:
    adjusted = holm(values)
    assert all(a >= p for a, p in zip(adjusted, values, strict=True))
    assert sorted(adjusted) == [adjusted[i] for i in sorted(range(len(values)), key=lambda i: values[i])]


@given(VALUES)
def test_a_two_sided_test_does_not_care_for_the_sign(values: list[float]) -> None:
    assert sign_flip([values]).p == sign_flip([[-v for v in values]]).p


def test_equal_statistics_tie_in_spite_of_rounding() -> None:
    assert sign_flip([[0.1, 0.2, 0.3]]).p == sign_flip([[1, 2, 3]]).p


@pytest.mark.parametrize("bad", [[], [[]], [[float("nan")]]])
def test_nothing_to_test_is_refused(bad: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="value"):
        sign_flip(bad)


TRIALS = 2000


def test_sign_flip_rejects_true_nulls_at_its_level() -> None:
    generator = np.random.default_rng(2)
    rejected = sum(sign_flip([generator.normal(size=8)]).p <= 0.05 for _ in range(TRIALS))
    # 2^8 flips: the attainable level is 12 / 256
    assert within_band(rejected, TRIALS, 12 / 256)


def test_stratified_sign_flip_rejects_true_nulls_at_its_level() -> None:
    generator = np.random.default_rng(3)
    rejected = sum(
        sign_flip([generator.normal(size=5), 10 * generator.normal(size=5)]).p <= 0.05 for _ in range(TRIALS)
    )
    assert within_band(rejected, TRIALS, 0.05)


def test_permutation_rejects_true_nulls_at_its_level() -> None:
    generator = np.random.default_rng(4)
    rejected = sum(permutation([generator.normal(size=5)], [generator.normal(size=5)]).p <= 0.05 for _ in range(TRIALS))
    assert within_band(rejected, TRIALS, 12 / 252)


@pytest.mark.slow
def test_stratified_permutation_rejects_true_nulls_at_its_level() -> None:
    generator = np.random.default_rng(5)
    draw = generator.normal
    rejected = sum(
        permutation([draw(size=5), draw(size=6)], [draw(size=5), draw(size=6)]).p <= 0.05 for _ in range(400)
    )
    assert within_band(rejected, 400, 0.05)


def test_welch_rejects_true_nulls_at_its_level() -> None:
    generator = np.random.default_rng(6)
    rejected = sum(welch(generator.normal(size=10), generator.normal(size=10)).p <= 0.05 for _ in range(TRIALS))
    assert within_band(rejected, TRIALS, 0.05)
