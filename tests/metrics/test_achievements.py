"""Crafter's score at the examples of protocols 10, and of runs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gtr_bench.metrics.achievements import CrafterScore, crafter_score
from gtr_bench.metrics.run import Companions, Run


@pytest.mark.parametrize(("rates", "score"), [([0, 100], 9.049876), ([10] * 22, 10.0), ([0] * 22, 0.0)])
def test_the_score_is_the_geometric_mean_of_rates_raised_by_one(rates: list[float], score: float) -> None:
    assert crafter_score(rates) == pytest.approx(score, abs=1e-6)


@pytest.mark.parametrize("rates", [[], [-1.0], [101.0], [float("nan")]])
def test_what_is_no_percentage_is_refused(rates: list[float]) -> None:
    with pytest.raises(ValueError, match="should be percentages"):
        crafter_score(rates)


def run(achievements: list[list[float]]) -> Run:
    """One phase of 30 steps with an evaluation at its start and every ten steps."""
    points = len(achievements)
    return Run(
        steps=np.arange(points) * 10,
        phases=np.zeros(points, np.int64),
        evaluated_phases=np.zeros(points, np.int64),
        values=np.arange(points, dtype=np.float64),
        fresh=np.arange(points) == 0,
        lengths=(30,),
        worlds=("a",),
        achievements=np.array(achievements),
    )


def test_a_run_s_score_is_of_the_rates_over_all_points_but_the_first() -> None:
    score = CrafterScore.score(run([[1.0, 1.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]]), Companions())
    assert score.value == pytest.approx(9.049876, abs=1e-6)
    mixed = CrafterScore.score(run([[1.0, 1.0], [0.1, 0.3], [0.2, 0.3], [0.3, 0.3]]), Companions())
    assert mixed.value == pytest.approx(crafter_score([20, 30]))


def test_bounds_of_returns_do_not_change_the_score() -> None:
    one = run([[0.0], [0.5], [0.5], [0.5]])
    assert CrafterScore.score(one.scaled(0.0, 200.0), Companions()) == CrafterScore.score(one, Companions())


@pytest.mark.parametrize("rates", [[[]] * 4, [[math.nan]] * 4, [[0.5], [math.nan], [math.nan], [math.nan]]])
def test_without_achievements_the_score_is_undefined_and_says_so(rates: list[list[float]]) -> None:
    score = CrafterScore.score(run(rates), Companions())
    assert (score.defined, score.reason) == (False, "no achievements in the evaluations")


def test_an_achievement_that_only_some_worlds_have_counts_where_it_is() -> None:
    score = CrafterScore.score(run([[0.0, 0.0], [0.1, math.nan], [0.1, 0.4], [0.1, 0.4]]), Companions())
    assert score.value == pytest.approx(crafter_score([10, 40]))


def test_a_diverged_run_achieves_nothing_from_there_on() -> None:
    broken = run([[0.0, 0.0], [0.6, 0.3], [0.9, 0.9]]).floored(-1.0, [[10, 20]], 20)
    assert broken.achievements.tolist() == [[0.0, 0.0], [0.6, 0.3], [0.0, 0.0], [0.0, 0.0]]
    assert CrafterScore.score(broken, Companions()).value == pytest.approx(crafter_score([20, 10]))
