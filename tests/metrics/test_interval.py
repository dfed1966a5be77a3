"""Estimates: worked examples, invariances, and coverage by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtr_bench.metrics import interval
from gtr_bench.metrics.interval import bootstrap, iqm, stratified_bootstrap

finite = st.floats(-1e6, 1e6, allow_nan=False)


@pytest.mark.parametrize(
    ("values", "expected"), [(range(8), 3.5), ([0, 1, 2, 3, 10], 2.0), (range(6), 2.5), ([7], 7.0), ([1, 2, 3], 2.0)]
)
def test_iqm_drops_a_quarter_from_each_end(values: list[float], expected: float) -> None:
    assert iqm(list(values)) == pytest.approx(expected)


def test_one_seed_gives_a_value_and_no_interval() -> None:
    found = bootstrap([3.0])
    assert (found.value, found.low, found.high, found.n) == (3.0, None, None, 1)


@pytest.mark.parametrize("values", [[], [1.0, np.nan], [np.inf]])
def test_what_has_no_estimate_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError):
        bootstrap(values)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_constant_data_give_an_interval_of_width_zero(method: str) -> None:
    found = bootstrap([2.0, 2.0, 2.0], method=method)  # type: ignore[arg-type]
    assert (found.low, found.high) == (2.0, 2.0)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(finite, min_size=2, max_size=12),
    st.sampled_from(["mean", "iqm", "median"]),
    st.sampled_from(["percentile", "bca"]),
)
def test_intervals_lie_within_the_data_and_do_not_depend_on_the_order(
    values: list[float], statistic: str, method: str
) -> None:
    found = bootstrap(values, statistic, method=method, resamples=500)  # type: ignore[arg-type]
    again = bootstrap(values[::-1], statistic, method=method, resamples=500)  # type: ignore[arg-type]
    assert found == again
    assert found.low is not None
    assert found.high is not None
    slack = 1e-9 * max(abs(value) for value in values)
    assert min(values) - slack <= found.low <= found.high <= max(values) + slack
    assert found.n == len(values)


def test_a_higher_level_gives_a_wider_interval() -> None:
    values = [1.0, 4.0, 2.0, 8.0, 5.0]
    narrow, wide = bootstrap(values, level=0.8), bootstrap(values, level=0.99)
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high  # type: ignore[operator]


def test_bca_agrees_with_scipy() -> None:
    from scipy import stats

    values = np.array([0.1, 0.4, 0.5, 1.0, 1.1, 2.0, 2.2, 3.9, 7.0, 11.0])
    peer = stats.bootstrap((values,), np.mean, method="BCa", n_resamples=50_000, rng=0).confidence_interval
    found = bootstrap(values, method="bca", resamples=50_000)
    assert found.low == pytest.approx(peer.low, abs=0.05)
    assert found.high == pytest.approx(peer.high, abs=0.15)


def test_the_percentile_interval_covers_about_as_often_as_known_for_ten_normal_seeds() -> None:
    generator = np.random.default_rng(7)
    covered = 0
    for _ in range(400):
        found = bootstrap(generator.normal(size=10), resamples=1000)
        covered += found.low <= 0 <= found.high  # type: ignore[operator]
    # 90 % at n = 10 (protocols 13.1); the 99 % binomial band of 400 draws is +-3.9 %.
    assert 0.86 <= covered / 400 <= 0.94


def test_the_stratified_mean_is_the_mean_of_the_environments_means() -> None:
    found = stratified_bootstrap([[1.0, 3.0], [10.0, 20.0, 30.0]])
    assert found.value == pytest.approx(11.0)
    assert found.n == 2
    assert 1.0 + 10.0 <= 2 * found.low <= 22.0 <= 2 * found.high <= 3.0 + 30.0  # type: ignore[operator]


def test_the_stratified_iqm_pools_all_runs() -> None:
    assert stratified_bootstrap([[0, 1, 2, 3], [4, 5, 6, 7]], "iqm").value == pytest.approx(3.5)


def test_stratified_resampling_does_not_mix_environments() -> None:
    found = stratified_bootstrap([[0.0, 0.0], [100.0, 100.0]])
    assert (found.low, found.high) == (50.0, 50.0)


def test_an_environment_with_one_seed_leaves_the_aggregate_without_an_interval() -> None:
    assert stratified_bootstrap([[1.0], [1.0, 2.0]]).low is None


def test_an_environment_without_values_is_refused() -> None:
    with pytest.raises(ValueError, match="without values"):
        stratified_bootstrap([[1.0], []])


@pytest.mark.parametrize("joint", [False, True])
@pytest.mark.parametrize("method", ["t", "percentile"])
def test_how_many_resamples_are_taken_at_a_time_changes_no_bit(
    method: interval.Method, joint: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(1)
    groups = [generator.normal(size=12) for _ in range(5)]
    found = []
    for size in (interval._AT_A_TIME, interval.RESAMPLES):
        monkeypatch.setattr(interval, "_AT_A_TIME", size)
        several = interval.stratified_bootstraps(groups, ("mean", "median", "iqm"), method=method, joint=joint)
        found.append((several, interval.bootstrap(groups[0], "iqm", method=method), interval.bootstrap(groups[1])))
    assert found[0] == found[1]
