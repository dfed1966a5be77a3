"""Counter-based random numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gtr_bench.environments.hashing import extend, key_of, mix, normal, permutations, uniform

KEYS = mix(7, np.arange(20_000))


def test_first_output_is_that_of_splitmix64_with_seed_zero() -> None:
    # The published first number of the splitmix64 generator seeded with 0.
    assert mix(0)[0] == np.uint64(0xE220A8397B1DCDAF)


def test_known_values_do_not_change_between_versions() -> None:
    assert mix(1, 2, 3)[0] == mix(np.uint64(1), [2], np.array([3], dtype=np.int32))[0]
    assert key_of("training") == key_of("training")
    assert key_of("training") != key_of("evaluation")


def test_uniform_numbers_pass_a_kolmogorov_smirnov_test() -> None:
    assert stats.kstest(uniform(KEYS), "uniform").pvalue > 1e-3


def test_normal_numbers_pass_a_kolmogorov_smirnov_test() -> None:
    assert stats.kstest(normal(KEYS), "norm").pvalue > 1e-3


@pytest.mark.parametrize("lag", [1, 2, 8])
def test_numbers_of_neighbouring_keys_are_uncorrelated(lag: int) -> None:
    numbers = uniform(KEYS)
    assert abs(np.corrcoef(numbers[:-lag], numbers[lag:])[0, 1]) < 0.03


def test_streams_of_neighbouring_seeds_are_uncorrelated() -> None:
    numbers = uniform(mix(np.arange(40)[:, None], np.arange(2_000)))
    correlations = np.corrcoef(numbers) - np.eye(40)
    assert np.abs(correlations).max() < 0.1


def test_every_bit_of_a_key_flips_about_half_of_the_output() -> None:
    base = mix(12345)
    flipped = mix(12345 ^ (1 << np.arange(64, dtype=np.uint64)))
    changed = np.bitwise_count(base ^ flipped)
    assert 25 < changed.mean() < 39
    assert changed.min() > 10


@settings(deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=4))
def test_extending_a_prefix_equals_mixing_all_keys(keys: list[int]) -> None:
    prefix = mix(*keys[:-1]) if len(keys) > 1 else np.zeros(1, dtype=np.uint64)
    last = np.array([keys[-1]]).astype(np.uint64)
    assert mix(*keys) == extend(prefix, last)


@settings(deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_the_order_of_keys_matters(first: int, second: int) -> None:
    assert (mix(first, second) == mix(second, first))[0] == (first == second)


@settings(deadline=None)
@given(st.integers(2, 7), st.integers(0, 10_000))
def test_permutations_are_permutations_and_never_the_identity(size: int, seed: int) -> None:
    result = permutations(mix(seed, np.arange(16)), size)
    assert (np.sort(result, axis=1) == np.arange(size)).all()
    assert not (result == np.arange(size)).all(axis=1).any()


def test_permutations_other_than_the_identity_are_equally_likely() -> None:
    result = permutations(KEYS, 3)
    _, counts = np.unique(result, axis=0, return_counts=True)
    assert len(counts) == 5
    assert stats.chisquare(counts).pvalue > 1e-3


def test_permuting_one_thing_is_refused() -> None:
    with pytest.raises(ValueError, match="fewer than two"):
        permutations(KEYS, 1)
