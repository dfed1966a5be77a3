"""Seeds needed and differences found are those of the test that decides, in its family."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from gtr_bench.metrics.decision import Question, decide
from gtr_bench.metrics.interval import Statistic
from gtr_bench.metrics.planning import Plan, detectable, fewest_seeds, power_of, seeds_needed
from gtr_bench.metrics.power import pessimistic_std
from gtr_bench.metrics.relabelled import flip, p_value

LEVEL = 0.05


def plan(*groups: list[float], family: int = 1, joint: bool = False, estimand: Statistic = "mean") -> Plan:
    seeds = [range(len(group)) for group in groups] if joint else None
    return Plan.of(groups, level=LEVEL / family, seeds=seeds, estimand=estimand)


PILOT = [1.0, -1.0, 0.5, -0.5, 0.2, -0.3, 0.4, -0.6]


@pytest.mark.parametrize(
    ("environments", "family", "joint", "estimand", "fewest"),
    [
        (1, 1, False, "mean", 6),
        (1, 4, False, "mean", 8),
        (2, 1, False, "mean", 3),
        (5, 1, False, "mean", 2),
        (5, 4, True, "mean", 8),
        (1, 1, False, "iqm", 7),
        (1, 4, False, "median", 8),
    ],
)
def test_fewest_seeds_are_the_first_that_a_sure_difference_decides(
    environments: int, family: int, *, joint: bool, estimand: Statistic, fewest: int
) -> None:
    def p(n: int) -> float:
        groups = [1.0 + np.arange(n) / 10] * environments
        return p_value(flip(groups, seeds=[range(n)] * environments if joint else None, estimand=estimand), "two-sided")

    assert fewest_seeds(plan(*[PILOT] * environments, family=family, joint=joint, estimand=estimand)) == fewest
    assert family * p(fewest) <= LEVEL
    assert fewest == 2 or family * p(fewest - 1) > LEVEL


def test_no_effect_however_large_needs_fewer_seeds_than_the_family_allows() -> None:
    """A t-test would be content with six."""
    assert seeds_needed(plan([0.9, 1.0, 1.1, 0.95, 1.05], family=4), 100.0) == 8


def test_seeds_needed_find_the_effect_with_the_power_they_promise() -> None:
    """With the pilot's own shape, widened: new data are drawn and decided by the real test."""
    made, distance = plan(PILOT, family=4), 0.8
    n = seeds_needed(made, distance)
    assert n is not None
    generator = np.random.default_rng(71)
    wide = made.residuals[0]
    assert wide.std() == pytest.approx(pessimistic_std(float(np.std(PILOT, ddof=1)), 8))
    trials = 200

    def found(count: int) -> int:
        drawn = (distance + generator.choice(wide, count) for _ in range(trials))
        return sum(p_value(flip([values]), "two-sided") <= LEVEL / 4 for values in drawn)

    low, high = binom.interval(0.99, trials, 0.8)
    assert found(n) >= low
    assert found(n - 3) <= high


def test_a_difference_is_detectable_exactly_from_where_the_simulated_power_says_so() -> None:
    for made in (plan(PILOT), plan(PILOT, PILOT[::-1], family=2), plan(PILOT, PILOT, joint=True)):
        size = detectable(made, 10)
        assert size is not None
        assert power_of(made, 10, 1.01 * size) >= 0.8 > power_of(made, 10, 0.99 * size) - 0.01


def test_where_no_difference_can_be_found_none_is_promised() -> None:
    assert detectable(plan(PILOT[:5]), 5) is None
    assert detectable(plan(PILOT, family=4), 7) is None
    family = [question([0.3, 0.2, -0.1, 0.4, 0.5, 0.2, 0.1])] * 4
    assert decide(family)[0].reason == "7 pairs cannot reach 0.05 over 4 comparisons: at least 8 are needed"


def test_shared_seeds_need_more_of_them() -> None:
    apart, together = (decide([replace(many(), joint=joint)])[0].seeds_needed for joint in (False, True))
    assert apart is not None
    assert together is not None
    assert together > apart


def test_what_environments_differ_in_costs_power() -> None:
    steady, mixed = [1.0, 0.8, 1.2, 0.9, 1.1], [-1.5, -1.7, -1.3, -1.6, -1.4]
    alike, unlike = plan(steady, steady), plan([3.0 + value for value in steady], mixed)
    first, second = seeds_needed(alike, 0.5), seeds_needed(unlike, 0.5)
    assert first is not None
    assert second is not None
    assert second > first


def test_no_distance_and_a_hopeless_one_have_no_answer() -> None:
    assert seeds_needed(plan(PILOT), 0.0) is None
    assert seeds_needed(plan(PILOT), 1e-5) is None


def test_planning_is_the_same_every_time() -> None:
    found = [seeds_needed(plan(PILOT, family=family), 0.7) for family in (1, 2, 1, 2)]
    assert found[:2] == found[2:]


def question(differences: list[float]) -> Question:
    return Question("q", {"w": (dict(enumerate(differences)), dict.fromkeys(range(len(differences)), 0.0))}, "higher")


def many() -> Question:
    """Four environments in which a seed does the same."""
    generator = np.random.default_rng(72)
    shared = generator.normal(size=6)
    return Question(
        "q",
        {
            f"w{place}": (dict(enumerate(0.4 + shared + 0.1 * generator.normal(size=6))), dict.fromkeys(range(6), 0.0))
            for place in range(4)
        },
        "higher",
    )
