"""The coverage and the error rates that docs/statistics.md states are those of the program."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from benchmarks.calibration import KINDS, SCORES, SEEDS, coverage, power_table
from gtr_bench.metrics.decision import WELCH_SEEDS, Pairs, Question, verdicts
from gtr_bench.metrics.interval import Statistic
from tests.metrics.helpers import within_band

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"
SIMULATIONS = 400
DOCUMENTED_SIMULATIONS = 1000
"""The page says so."""


def documented() -> dict[tuple[str, str], dict[int, float]]:
    """(interval, scores) -> n -> coverage, from the page's table."""
    rows = [[part.strip() for part in line.strip("|").split("|")] for line in PAGE.read_text("utf-8").splitlines()]
    return {
        (row[0], row[1]): dict(zip(SEEDS, map(float, row[2:]), strict=True))
        for row in rows
        if len(row) == 6 and row[0] in KINDS and row[1] in SCORES
    }


def test_the_page_has_the_coverage_of_every_interval() -> None:
    assert set(documented()) == {(kind, scores) for kind in KINDS for scores in SCORES}


@pytest.mark.slow
def test_the_page_has_the_power_table_as_printed() -> None:
    assert "\n".join(power_table()) in PAGE.read_text("utf-8")


def test_a_mean_of_five_normal_scores_is_covered_almost_as_it_says() -> None:
    assert documented()["mean, t", "normal"][5] >= 0.93


def test_the_coverage_of_a_mean_of_normal_scores_is_that_of_protocols_13_1() -> None:
    found = documented()["mean, percentile", "normal"]
    assert found == pytest.approx({3: 0.75, 5: 0.83, 10: 0.90, 20: 0.92}, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 10, 20])
@pytest.mark.parametrize(
    ("kind", "scores"),
    [
        ("mean, percentile", "normal"),
        ("mean, percentile", "lognormal"),
        ("mean, t", "normal"),
        ("mean, t", "lognormal"),
        ("mean, BCa", "a quarter fails"),
        ("mean, curves", "normal"),
        ("paired difference, mean", "t, 3 df"),
        ("IQM, 2 environments", "lognormal"),
        ("median, 4 environments", "normal"),
        ("optimality gap, 4 environments", "a quarter fails"),
        ("P(better), 2 environments", "normal"),
    ],
)
def test_coverage_lies_in_the_999_permille_band_of_the_documented_one(kind: str, scores: str, n: int) -> None:
    stated = documented()[kind, scores][n]
    found = coverage(kind, scores, n, simulations=SIMULATIONS, seed=11)
    # the stated share is itself one of so many simulated data sets
    error = np.sqrt(stated * (1 - stated) * (1 / SIMULATIONS + 1 / DOCUMENTED_SIMULATIONS))
    assert abs(found - stated) <= norm.ppf(0.9995) * error, (found, stated)


def paired(generator: np.random.Generator, n: int, environments: int, shift: float = 0.0) -> Pairs:
    """Pairs whose true mean difference is `shift`, in environments of unequal spread."""
    return {
        f"e{index}": (
            dict(enumerate(shift + (1 + index) * generator.normal(size=n))),
            dict(enumerate((1 + index) * generator.normal(size=n))),
        )
        for index in range(environments)
    }


def unpaired(generator: np.random.Generator, ours: int, theirs: int, environments: int, shift: float = 0.0) -> Pairs:
    """No shared seed, skewed scores of one shape."""
    return {
        f"e{index}": (
            {seed: shift + generator.lognormal() for seed in range(ours)},
            {100 + seed: generator.lognormal() for seed in range(theirs)},
        )
        for index in range(environments)
    }


def decided(wanted: tuple[str, ...], *families: list[Question]) -> int:
    return sum(any(each in wanted for each in verdicts(family)) for family in families)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "environments", "level"), [(8, 1, 12 / 256), (5, 2, 50 / 1024), (4, 4, 0.05)])
def test_a_claim_with_a_margin_is_decided_at_its_level_where_the_difference_is_the_margin(
    n: int, environments: int, level: float
) -> None:
    generator = np.random.default_rng(21)
    families = [
        [Question("q", paired(generator, n, environments, 0.3), "higher", margin=0.3)] for _ in range(SIMULATIONS)
    ]
    # sides: in favour or against, half of the level each
    assert within_band(decided(("supported", "refuted"), *families), SIMULATIONS, level)
    assert within_band(decided(("supported",), *families), SIMULATIONS, level / 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ours", "theirs", "environments", "lower"),
    # Welch's t is conservative for skewed scores; permutation attains its level where there are many splits.
    [(2, 10, 1, False), (3, 10, 1, False), (WELCH_SEEDS, 10, 1, False), (10, 10, 1, False), (4, 5, 2, True)],
)
def test_unpaired_claims_are_decided_at_most_at_the_level(
    ours: int, theirs: int, environments: int, *, lower: bool
) -> None:
    generator = np.random.default_rng(22)
    families = [[Question("q", unpaired(generator, ours, theirs, environments), "lower")] for _ in range(SIMULATIONS)]
    assert within_band(decided(("supported", "refuted"), *families), SIMULATIONS, 0.05, lower=lower)


@pytest.mark.slow
@pytest.mark.parametrize(("environments", "paired_by_seed"), [(1, True), (2, True), (1, False), (2, False)])
def test_at_the_margin_non_inferiority_is_granted_and_refuted_at_most_at_the_level(
    environments: int, *, paired_by_seed: bool
) -> None:
    generator = np.random.default_rng(23)

    def question() -> Question:
        pairs = (
            paired(generator, 6, environments, -0.5)
            if paired_by_seed
            else unpaired(generator, 5, 5, environments, -0.5)
        )
        return Question("q", pairs, "higher", kind="non_inferiority", margin=0.5)

    families = [[question()] for _ in range(SIMULATIONS)]
    for verdict in ("supported", "refuted"):
        assert within_band(decided((verdict,), *families), SIMULATIONS, 0.05, lower=False)


@pytest.mark.slow
def test_a_mixed_family_without_a_true_claim_decides_any_at_most_at_the_level() -> None:
    """Superiority, superiority by a margin, and non-inferiority at its margin, over one and two environments."""
    generator = np.random.default_rng(24)

    def family() -> list[Question]:
        return [
            Question("one", paired(generator, 8, 1), "higher"),
            Question("margin", paired(generator, 8, 2, 0.3), "higher", margin=0.3),
            Question("kept", paired(generator, 8, 1, -0.5), "higher", kind="non_inferiority", margin=0.5),
            Question("apart", unpaired(generator, 6, 6, 1), "lower"),
        ]

    families = [family() for _ in range(SIMULATIONS)]
    assert within_band(decided(("supported",), *families), SIMULATIONS, 0.05, lower=False)


def shared(generator: np.random.Generator, n: int, environments: int, correlation: float) -> Pairs:
    """No true difference; the differences of one seed correlate between environments."""
    common = np.sqrt(correlation) * generator.normal(size=n)
    own = np.sqrt(1 - correlation) * generator.normal(size=(environments, n))
    return {f"e{row}": (dict(enumerate(common + each)), dict.fromkeys(range(n), 0.0)) for row, each in enumerate(own)}


@pytest.mark.slow
def test_where_environments_share_their_seeds_randomness_only_flipping_them_together_keeps_the_level() -> None:
    generator = np.random.default_rng(25)
    data = [shared(generator, 8, 5, 0.2) for _ in range(SIMULATIONS)]
    counts = [
        decided(("supported", "refuted"), *([Question("q", each, "higher", joint=joint)] for each in data))
        for joint in (True, False)
    ]
    assert within_band(counts[0], SIMULATIONS, 12 / 256)
    assert not within_band(counts[1], SIMULATIONS, 0.05, lower=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    # skewed differences are not symmetric about their mean, nor about their IQM: the page says so
    ("estimand", "skewed"),
    [("mean", False), ("iqm", False), ("median", False), ("median", True)],
)
def test_an_estimand_is_decided_at_most_at_the_level_for_symmetric_differences_and_a_median_for_skewed_ones_too(
    estimand: Statistic, *, skewed: bool
) -> None:
    generator = np.random.default_rng(26)

    def family() -> list[Question]:
        pairs = {}
        for environment in ("a", "b"):
            drawn = generator.lognormal(size=8) - 1 if skewed else generator.standard_t(3, size=8)
            pairs[environment] = (dict(enumerate(drawn)), dict.fromkeys(range(8), 0.0))
        return [Question("q", pairs, "higher", estimand=estimand)]

    wrong = decided(("supported", "refuted"), *(family() for _ in range(SIMULATIONS // 2)))
    assert within_band(wrong, SIMULATIONS // 2, 0.05, lower=False)
