"""The coverage and the error rates that docs/statistics.md states are those of the program."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks.calibration import KINDS, SCORES, SEEDS, coverage, power_table
from gtr_bench.metrics.decision import WELCH_SEEDS, Pairs, Question, decide
from tests.metrics.helpers import within_band

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"
SIMULATIONS = 400


def documented() -> dict[tuple[str, str], dict[int, float]]:
    """(interval, scores) -> n -> coverage, from the page's table."""
    rows = [[part.strip() for part in line.strip("|").split("|")] for line in PAGE.read_text("utf-8").splitlines()]
    return {
        (row[0], row[1]): dict(zip(SEEDS, map(float, row[2:]), strict=True))
        for row in rows
        if len(row) == 6 and row[0] in KINDS and row[1] in SCORES
    }


def test_the_page_has_the_coverage_of_every_interval_and_the_power_table_as_printed() -> None:
    assert set(documented()) == {(kind, scores) for kind in KINDS for scores in SCORES}
    assert "\n".join(power_table()) in PAGE.read_text("utf-8")


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
        ("mean, BCa", "a quarter fails"),
        ("mean, curves and mechanism", "normal"),
        ("paired difference", "t, 3 df"),
        ("IQM, 2 environments", "lognormal"),
        ("median, 4 environments", "normal"),
        ("optimality gap, 4 environments", "a quarter fails"),
        ("P(better), 2 environments", "normal"),
    ],
)
def test_coverage_lies_in_the_99_percent_band_of_the_documented_one(kind: str, scores: str, n: int) -> None:
    held = round(SIMULATIONS * coverage(kind, scores, n, simulations=SIMULATIONS, seed=11))
    low, high = binom.interval(0.99, SIMULATIONS, documented()[kind, scores][n])
    assert low <= held <= high


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


def decided(verdicts: tuple[str, ...], *families: list[Question]) -> int:
    return sum(any(each.verdict in verdicts for each in decide(family)) for family in families)


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
