"""Crafter's score at the examples of protocols 10."""

from __future__ import annotations

import pytest

from gtr_bench.metrics.achievements import crafter_score


@pytest.mark.parametrize(("rates", "score"), [([0, 100], 9.049876), ([10] * 22, 10.0), ([0] * 22, 0.0)])
def test_the_score_is_the_geometric_mean_of_rates_raised_by_one(rates: list[float], score: float) -> None:
    assert crafter_score(rates) == pytest.approx(score, abs=1e-6)


@pytest.mark.parametrize("rates", [[], [-1.0], [101.0], [float("nan")]])
def test_what_is_no_percentage_is_refused(rates: list[float]) -> None:
    with pytest.raises(ValueError, match="should be percentages"):
        crafter_score(rates)
