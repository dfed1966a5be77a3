"""What a comparison says that it could have found, held to the tests themselves on made-up values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gtr_bench.compare.cells import Direction
from gtr_bench.compare.limits import Design, Step, detectable_paired, detectable_unpaired
from gtr_bench.compare.measure import MeasuredMetric, with_tests
from gtr_bench.compare.model import MetricChange
from gtr_bench.compare.verdict import metric_changes
from gtr_bench.metrics.comparison import holm, permutation, sign_flip


def made_up(draw: np.random.Generator, margin: float) -> MeasuredMetric:
    """Values of few seeds, paired or not, moved, noisy, failing now and then, or equal in some pairs."""
    paired, n = bool(draw.random() < 0.6), int(draw.integers(1, 11))
    before = np.round(draw.normal(50, 3, n if paired else min(n, 6)), int(draw.integers(0, 4)))
    shift = draw.choice([0, 0, 1, -1, 5, -20])
    after = before + shift + draw.normal(0, draw.choice([0, 0.5, 3]), n) if paired else draw.normal(50 + shift, 3, 5)
    if paired:
        after[draw.random(n) < draw.choice([0, 0, 0.5])] -= 40
        alike = draw.random(n) < draw.choice([0, 0, 0.6])
        after[alike] = before[alike]
    ways: list[Direction] = ["higher", "lower", "neutral"]
    made = MeasuredMetric("made_up", ways[draw.integers(3)], before, after, paired, None, None, "")
    return with_tests(made, margin)


def family_of(seed: int) -> tuple[list[MeasuredMetric], list[MetricChange], float, float]:
    draw = np.random.default_rng(seed)
    margin, alpha = float(draw.choice([0.0, 1.0, 5.0])), float(draw.choice([0.05, 0.01, 0.2]))
    family = [made_up(draw, margin) for _ in range(int(draw.integers(1, 6)))]
    return family, metric_changes(family, alpha, margin), alpha, margin


def with_the_largest_worsening(measured: MeasuredMetric, margin: float) -> MeasuredMetric:
    """Every value that differs made worse by more than any other, so that no data of this shape have a smaller p."""
    worse = -1.0 if measured.direction == "higher" else 1.0
    sizes = worse * (1e6 + 10.0 * np.arange(len(measured.after)))
    if measured.paired:
        differs = measured.differences != 0 if np.any(measured.differences) else True
        after = measured.before + np.where(differs, sizes, 0.0)
    else:
        after = sizes
    before = measured.before + (0 if measured.paired else 1e-3 * np.arange(len(measured.before)))
    return with_tests(
        MeasuredMetric("made_up", measured.direction, before, after, measured.paired, None, None, ""), margin
    )


@pytest.mark.parametrize("start", range(0, 60, 30))
def test_cannot_decide_is_said_exactly_where_no_difference_of_these_seeds_would_be_found(start: int) -> None:
    seen = set()
    for seed in range(start, start + 30):
        family, changes, alpha, margin = family_of(seed)
        for place, (measured, change) in enumerate(zip(family, changes, strict=True)):
            possible = []
            for which in ("test", "beyond"):
                values = [getattr(each, which).p for each in family]
                if holm(values)[place] > alpha and not (which == "beyond" and measured.direction == "neutral"):
                    values[place] = getattr(with_the_largest_worsening(measured, margin), which).p
                    possible.append(holm(values)[place] <= alpha)
            spared = margin > 0 and change.margin_p_adjusted is not None and change.margin_p_adjusted <= alpha
            if change.outcome not in ("worse", "better") and not (spared and measured.direction != "neutral"):
                assert (change.outcome == "cannot decide") == (not all(possible)), (seed, place, change)
                seen.add(change.outcome)
    assert seen >= {"cannot decide", "no difference found", "changed"}


@pytest.mark.parametrize("start", range(0, 60, 30))
def test_an_interval_never_contradicts_the_outcome_with_or_without_pairs_and_margin(start: int) -> None:
    for seed in range(start, start + 30):
        family, changes, alpha, margin = family_of(seed)
        for measured, change in zip(family, changes, strict=True):
            assert change.low is not None
            assert change.high is not None
            ends = [(-1 if measured.direction == "higher" else 1) * end for end in (change.low, change.high)]
            best, worst = min(ends), max(ends)
            if change.outcome == "worse":
                assert best > margin
            elif change.outcome == "better":
                assert worst < 0
            elif change.outcome == "changed" and measured.direction != "neutral":
                assert 0 < best <= margin
            elif (change.p_adjusted or 0) > alpha:
                assert best <= 0 <= worst
            too_few = measured.design.least_p * round(alpha / (1 - (change.level or 0))) > alpha
            if too_few and measured.design.differ in (0, measured.design.n):
                assert (best, worst) == (-math.inf, math.inf)


def test_one_cell_that_is_shown_leaves_the_others_a_step_at_which_fewer_pairs_are_enough() -> None:
    six, clear = np.linspace(-1, 1, 6), np.full(8, -30.0) - np.arange(8)
    noise = np.array([1.0, -2, 3, -1, 2, -3, 1, -1])

    def outcomes(other: np.ndarray) -> list[str]:
        pairs = [(np.zeros(6), six), (np.zeros(8), other)]
        family = [with_tests(MeasuredMetric("m", "higher", a, b, True, None, None, ""), 0.0) for a, b in pairs]
        return [change.outcome for change in metric_changes(family, 0.05, 0.0)]

    assert outcomes(clear) == ["no difference found", "worse"]
    assert outcomes(noise) == ["cannot decide", "no difference found"]


@pytest.mark.parametrize(
    ("design", "step", "sentence"),
    [
        (Design(5, 5, 5, True), Step(1.0, 1.0, 1, 1), "5 pairs cannot decide at 0.05: at least 6 are needed"),
        (
            Design(8, 8, 1, True),
            Step(1.0, 1.0, 2, 4),
            "1 of 8 pairs differs, which cannot decide at 0.05 among 4 tests, 2 of them left: at least 7 are needed",
        ),
        (Design(6, 6, 0, True), Step(1.0, 1.0, 1, 1), ""),
        (
            Design(2, 9, 0, False),
            Step(1.0, 1.0, 5, 5),
            "2 and 9 unpaired seeds cannot decide at 0.05 among 5 tests: at least 5 a side are needed",
        ),
        (
            Design(40, 40, 40, True),
            Step(1.0, 1.0, 1500, 1500),
            "40 pairs cannot decide at 0.05 among 1,500 tests: no number of seeds can, as 20,000 relabellings are "
            "drawn",
        ),
    ],
)
def test_too_few_seeds_are_told_with_how_many_are_needed(design: Design, step: Step, sentence: str) -> None:
    assert design.too_few(step, 0.05) == sentence


def power(n: int, m: int | None, shift: float, level: float, draw: np.random.Generator) -> float:
    """Of the paired test of n normal differences, or of the unpaired one of n and m values, at a true shift."""
    if m is None:
        found = [sign_flip([draw.normal(shift, 1, n)]).p <= level for _ in range(60)]
    else:
        found = [permutation([draw.normal(shift, 1, m)], [draw.normal(0, 1, n)]).p <= level for _ in range(60)]
    return float(np.mean(found))


@pytest.mark.parametrize(("n", "m", "level"), [(4, 4, 0.05), (5, 5, 0.0125), (4, 7, 0.05)])
def test_the_difference_that_would_be_found_without_pairs_is_found_where_the_t_test_s_is_not(
    n: int, m: int, level: float
) -> None:
    draw = np.random.default_rng(n)
    said = [detectable_unpaired(draw.normal(0, 1, n), draw.normal(0, 1, m), level, (1.0,)) for _ in range(15)]
    powers = [power(n, m, shift, level, draw) for shift in said if shift is not None]
    assert len(powers) == 15
    # Each figure rests on a spread estimated from few seeds, so it is their mean that is held to 0.8, less what
    # 15 of them vary by.
    assert np.mean(powers) > 0.75


@pytest.mark.parametrize(("n", "level"), [(6, 0.05), (8, 0.05), (9, 0.0125)])
def test_the_difference_that_would_be_found_in_pairs_is_found(n: int, level: float) -> None:
    draw = np.random.default_rng(n)
    said = [detectable_paired(draw.normal(0, 1, n), level, (1.0,)) for _ in range(15)]
    assert np.mean([power(n, None, shift, level, draw) for shift in said if shift is not None]) > 0.75


def test_skewed_values_are_found_sooner_on_one_side_and_of_both_the_larger_counts() -> None:
    skewed = np.random.default_rng(0).lognormal(0, 1, 10)
    up, down, either = (detectable_paired(skewed, 0.05, ways) for ways in ((1.0,), (-1.0,), (1.0, -1.0)))
    assert up is not None
    assert down is not None
    assert up < 0.9 * down
    assert either == down
    there, back = (detectable_unpaired(skewed[:6], skewed[6:], 0.05, ways) for ways in ((1.0,), (-1.0,)))
    assert detectable_unpaired(skewed[:6], skewed[6:], 0.05, (1.0, -1.0)) == max(there or 0, back or 0)


@pytest.mark.parametrize("paired", [True, False])
def test_the_worsening_that_would_be_found_to_be_beyond_the_margin_is(paired: bool) -> None:
    draw, margin, powers = np.random.default_rng(3), 2.0, []
    while len(powers) < 8:
        sides = draw.normal(0, 1, (2, 8 if paired else 5))
        measured = with_tests(MeasuredMetric("m", "higher", *sides, paired, None, None, ""), margin)
        (change,) = metric_changes([measured], 0.05, margin)
        if change.detectable_beyond is None:
            continue
        assert change.detectable is not None
        assert change.detectable_beyond == pytest.approx(margin + change.detectable)
        found = []
        for _ in range(25):
            before, after = draw.normal(0, sides.std(axis=1)[:, None], sides.shape)
            moved = after - change.detectable_beyond
            again = with_tests(MeasuredMetric("m", "higher", before, moved, paired, None, None, ""), margin)
            found.append(again.beyond is not None and again.beyond.p <= 0.05 and again.beyond.statistic > 0)
        powers.append(np.mean(found))
    assert np.mean(powers) > 0.7
