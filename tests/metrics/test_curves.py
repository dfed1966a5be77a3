"""The max-T test of whole curves: worked examples, what it must not depend on, and its level."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gtr_bench.metrics.comparison import permutation, sign_flip
from gtr_bench.metrics.curves import paired_curves, unpaired_curves
from tests.metrics.helpers import within_band

CURVES = arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=st.floats(-1e200, 1e200))


def test_one_point_is_the_paired_t_statistic_and_the_sign_flip_test() -> None:
    differences = np.array([1.0, 2.0, 3.0, 4.0])
    found = paired_curves(differences[:, None])
    assert found.exact
    assert found.n == 4
    assert found.p == pytest.approx(2 / 16)
    # mean 2.5, standard error sqrt(5/3) / 2
    assert found.statistic == pytest.approx(2.5 / (math.sqrt(5 / 3) / 2))


def test_the_largest_point_is_named_and_all_flips_are_counted_over_both_points() -> None:
    # Signs (+,+,+) and their mirror image give r = 6 / sqrt(42) at the first point. The second point, (1, -1, 1), gives
    # r = 3 / 3 = 1 for the signs (+,-,+) and their mirror image, which are more extreme: 4 of 8.
    found = paired_curves([[1.0, 1.0], [2.0, -1.0], [3.0, 1.0]])
    assert found.point == 0
    assert found.p == pytest.approx(4 / 8)
    r = 6 / math.sqrt(42)
    assert found.statistic == pytest.approx(r * math.sqrt(2) / math.sqrt(1 - r**2))


def test_one_unpaired_point_is_the_pooled_t_statistic_and_the_permutation_test() -> None:
    found = unpaired_curves([[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]])
    assert found.p == pytest.approx(2 / 20)
    assert found.statistic == pytest.approx(3.674235, abs=1e-6)
    assert (found.point, found.n, found.exact) == (0, 3, True)


def test_differences_that_do_not_vary_have_an_infinite_statistic_and_a_p() -> None:
    found = paired_curves([[0.0, 5.0]] * 6)
    assert found.statistic == math.inf
    assert found.point == 1
    assert found.p == pytest.approx(2 / 64)


def test_equal_curves_do_not_differ() -> None:
    assert paired_curves(np.zeros((4, 3))).p == 1.0
    assert paired_curves(np.zeros((4, 3))).statistic == 0.0
    # the mean of three times 0.1 is not exactly 0.1
    assert unpaired_curves(np.full((3, 2), 0.1), np.full((3, 2), 0.1)).p == 1.0


def test_many_seeds_are_drawn_and_near_the_sign_flip_test_of_the_only_point() -> None:
    differences = np.random.default_rng(1).normal(0.4, 1.0, 30)
    found = paired_curves(differences[:, None])
    assert not found.exact
    assert found.p == pytest.approx(sign_flip([differences]).p, abs=0.01)
    first, second = np.random.default_rng(2).normal(size=(2, 12))
    drawn = unpaired_curves(first[:, None], second[:, None])
    assert not drawn.exact
    assert drawn.p == pytest.approx(permutation([first], [second]).p, abs=0.015)


def test_a_local_change_is_found_where_it_is() -> None:
    generator = np.random.default_rng(3)
    differences = generator.normal(size=(10, 40))
    differences[:, 17] += 4.0
    found = paired_curves(differences)
    assert found.point == 17
    assert found.p <= 0.01


@given(CURVES, st.data())
def test_the_order_of_seeds_changes_nothing_and_p_is_a_share(curves: np.ndarray, data: st.DataObject) -> None:
    found = paired_curves(curves)
    assert paired_curves(curves[data.draw(st.permutations(range(len(curves))))]) == found
    assert 0 < found.p <= 1
    half = len(curves) // 2
    if half:
        one, other = curves[:half], curves[half:]
        sides = unpaired_curves(one, other)
        assert 0 < sides.p <= 1
        shuffled = (side[data.draw(st.permutations(range(len(side))))] for side in (one, other))
        assert unpaired_curves(*shuffled) == sides


@given(CURVES)
def test_swapping_the_sides_changes_no_p(curves: np.ndarray) -> None:
    assert paired_curves(-curves).p == paired_curves(curves).p
    half = len(curves) // 2
    if half:
        one, other = curves[:half], curves[half:]
        assert unpaired_curves(one, other).p == pytest.approx(unpaired_curves(other, one).p)


def test_the_order_of_seeds_does_not_change_what_is_drawn() -> None:
    curves = np.random.default_rng(4).normal(size=(20, 7))
    assert paired_curves(curves) == paired_curves(curves[::-1])
    assert unpaired_curves(curves[:10], curves[10:]) == unpaired_curves(curves[:10][::-1], curves[10:])


@pytest.mark.parametrize("bad", [np.zeros((0, 3)), np.zeros((3, 0)), np.array([[1.0, math.nan]]), np.zeros(3)])
def test_curves_that_are_none_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"curves need|not finite"):
        paired_curves(bad)


def test_curves_on_other_points_are_refused() -> None:
    with pytest.raises(ValueError, match="same points"):
        unpaired_curves(np.zeros((2, 3)), np.zeros((2, 4)))


def walks(generator: np.random.Generator, seeds: int) -> np.ndarray:
    """Curves whose points depend on each other and differ in spread, as learning curves do."""
    return np.cumsum(generator.normal(size=(seeds, 25)), axis=1)


def test_the_exact_paired_test_rejects_true_nulls_at_its_level() -> None:
    generator = np.random.default_rng(5)
    rejected = sum(paired_curves(walks(generator, 8)).p <= 0.05 for _ in range(1000))
    # 2^8 flips come in mirror images: the attainable level is 12 / 256
    assert within_band(rejected, 1000, 12 / 256)


@pytest.mark.slow
def test_the_drawn_paired_test_rejects_true_nulls_at_its_level() -> None:
    generator = np.random.default_rng(6)
    rejected = sum(paired_curves(walks(generator, 16)).p <= 0.05 for _ in range(400))
    assert within_band(rejected, 400, 0.05)


@pytest.mark.slow
def test_the_unpaired_test_rejects_true_nulls_at_its_level() -> None:
    generator = np.random.default_rng(7)
    rejected = sum(unpaired_curves(walks(generator, 5), walks(generator, 6)).p <= 0.05 for _ in range(1000))
    # 462 splits
    assert within_band(rejected, 1000, 23 / 462)
