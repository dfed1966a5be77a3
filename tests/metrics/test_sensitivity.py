"""Sensitivity: the worked example of protocols 14.1, and what must hold for any scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtr_bench.metrics.sensitivity import (
    Sensitivity,
    effective_dimensionality,
    normalise_scores,
    plateau,
    region,
    response_p,
    sensitivity,
)
from tests.metrics.helpers import within_band

EXAMPLE = {"one": {"a": 1.0, "b": 0.6, "c": 0.2}, "two": {"a": 0.1, "b": 0.7, "c": 0.9}}
TABLES = st.integers(1, 6).flatmap(
    lambda count: st.lists(st.lists(st.floats(-1e3, 1e3), min_size=count, max_size=count), min_size=1, max_size=3)
)


def table(rows: list[list[float]]) -> dict[str, dict[str, float]]:
    return {f"e{i}": {f"s{j}": value for j, value in enumerate(row)} for i, row in enumerate(rows)}


def test_the_worked_example() -> None:
    found = sensitivity(EXAMPLE)
    assert found.tuned == pytest.approx(0.95)
    assert found.cross == pytest.approx(0.65)
    assert found.value == pytest.approx(0.30)
    assert found.best == "b"
    assert found.best_per_environment == {"one": "a", "two": "c"}


@given(TABLES)
def test_sensitivity_is_never_negative(rows: list[list[float]]) -> None:
    assert sensitivity(table(rows)).value >= 0


@given(TABLES, st.floats(0.5, 5), st.floats(-10, 10))
def test_normalised_scores_do_not_depend_on_an_environments_unit(
    rows: list[list[float]], factor: float, offset: float
) -> None:
    whole = [[round(value) for value in row] for row in rows]
    moved = [[factor * value + offset for value in row] for row in whole]
    first, second = (
        normalise_scores({"a": table(each)}, {f"e{i}": row for i, row in enumerate(each)})["a"]
        for each in (whole, moved)
    )
    for name, values in first.items():
        assert second[name] == pytest.approx(values, rel=1e-6, abs=1e-6)


def test_percentiles_are_joint_over_algorithms() -> None:
    found = normalise_scores({"a": {"e": {"x": 0.0}}, "b": {"e": {"y": 10.0}}}, {"e": [0.0, 10.0]})
    assert found["a"]["e"]["x"] == pytest.approx((0 - 0.5) / 9)
    assert found["b"]["e"]["y"] == pytest.approx((10 - 0.5) / 9)


def test_percentiles_are_those_of_runs_and_not_of_the_means_of_settings() -> None:
    """Both settings have a mean of 5; their runs go from 0 to 10."""
    found = normalise_scores({"a": {"e": {"x": 5.0, "y": 5.0}}}, {"e": [0.0, 10.0, 4.0, 6.0]})
    low, high = np.percentile([0.0, 10.0, 4.0, 6.0], [5, 95])
    assert found["a"]["e"]["x"] == pytest.approx((5 - low) / (high - low))


def test_settings_that_miss_an_environment_do_not_take_part() -> None:
    assert sensitivity({"one": {"a": 1.0, "b": 5.0}, "two": {"a": 1.0}}).best == "a"
    with pytest.raises(ValueError, match="every environment"):
        sensitivity({"one": {"a": 1.0}, "two": {"b": 1.0}})


@pytest.mark.parametrize(
    ("value", "tuned", "expected"),
    [
        (0.05, 1.1, "better on both"),
        (0.2, 1.3, "pays off"),
        (0.2, 1.05, "worse"),
        (0.02, 0.95, "cheaper"),
        (0.02, 0.5, "worse"),
    ],
)
def test_regions_of_the_plane(value: float, tuned: float, expected: str) -> None:
    def point(tuned: float, value: float) -> Sensitivity:
        return Sensitivity(tuned, tuned - value, value, "", {})

    assert region(point(tuned, value), point(1.0, 0.1)) == expected


@pytest.mark.parametrize(
    ("tuned", "cross", "value", "expected"),
    [
        (1.265, 1.163, 0.103, "better on both"),
        (1.256, 1.178, 0.078, "cheaper"),
        (1.263, 1.154, 0.109, "worse"),
        (1.110, 0.992, 0.119, "worse"),
        (1.357, 1.219, 0.138, "pays off"),
        (1.291, 1.147, 0.144, "worse"),
        (1.316, 1.060, 0.257, "worse"),
    ],
)
def test_the_published_variants_of_ppo_lie_where_their_table_puts_them(
    tuned: float, cross: float, value: float, expected: str
) -> None:
    """Protocols 14.1: PPO itself, and its six variants seen from it."""
    assert tuned - cross == pytest.approx(value, abs=1.5e-3)
    assert region(Sensitivity(tuned, cross, value, "", {}), Sensitivity(1.265, 1.163, 0.103, "", {})) == expected


def test_plateau_is_the_unbroken_range_around_the_best() -> None:
    found = plateau([10, 0.1, 1, 100, 0.01], [0.98, 0.97, 1.0, 0.5, 0.9], log=True)
    assert (found.low, found.high, found.best_value) == (0.1, 10, 1)
    assert found.width == pytest.approx(2.0)
    assert not found.touches_low_edge
    assert not found.touches_high_edge


def test_plateau_stops_at_a_dip_and_says_when_it_reaches_the_edge() -> None:
    found = plateau([1, 2, 3, 4], [0.98, 0.5, 1.0, 0.99], log=False)
    assert (found.low, found.high, found.width) == (3, 4, 1)
    assert found.touches_high_edge


def test_plateau_of_negative_scores_is_measured_by_their_range() -> None:
    assert plateau([1, 2, 3], [-100, -101, -200], log=False).high == 2


def test_a_flat_response_has_a_plateau_over_the_whole_range_whatever_its_noise() -> None:
    """Its best value is best by luck: within 5 % of it lies nothing but itself."""
    scores = [100.0, 90.0, 93.0, 80.0]
    assert plateau([1, 2, 4, 8], scores, log=True).width == 0
    flat = plateau([1, 2, 4, 8], scores, log=True, p=0.4)
    assert (flat.low, flat.high, flat.told, flat.p) == (1, 8, False, 0.4)
    assert flat.touches_low_edge
    assert flat.touches_high_edge
    assert plateau([1, 2, 4, 8], scores, log=True, p=0.01).width == 0


@pytest.mark.parametrize("collapse", [0.0, 0.1])
def test_values_that_do_not_matter_are_told_apart_at_most_at_the_level(collapse: float) -> None:
    """Also where a tenth of the runs collapses."""
    generator = np.random.default_rng(5)
    found = [
        response_p(0.1 * generator.normal(size=(9, 5)) + (generator.random((9, 5)) > collapse)) <= 0.05
        for _ in range(400)
    ]
    assert within_band(sum(found), 400, 0.05)


def test_values_that_matter_are_told_apart_with_three_seeds_and_one_seed_tells_nothing() -> None:
    generator = np.random.default_rng(6)
    scores = np.linspace(0.2, 0.8, 9)[:, None] + 0.1 * generator.normal(size=(9, 3))
    assert response_p(scores) < 0.01
    assert response_p(scores[::-1]) == response_p(scores)
    assert response_p(scores[:, :1]) == 1.0
    assert response_p(np.ones((9, 3))) == 1.0


def test_only_the_parameters_that_matter_count() -> None:
    settings = {f"{x}{y}": {"x": x, "y": y} for x in (0, 1) for y in (0, 1)}
    scores = {
        "one": {"00": 1.0, "01": 0.99, "10": 0.1, "11": 0.1},
        "two": {"00": 0.1, "01": 0.1, "10": 1.0, "11": 0.99},
    }
    assert effective_dimensionality(scores, settings) == 1
    assert effective_dimensionality({"one": scores["one"]}, settings) == 0
    assert effective_dimensionality({"one": {"00": -1.0}}, {"00": {"x": 0}}) is None
