"""Intervals are what the deciding test does not reject: they agree with every verdict, and p-values bear them out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtr_bench.metrics.decision import Decision, Question, decide
from gtr_bench.metrics.interval import Statistic
from gtr_bench.metrics.inversion import invert
from gtr_bench.metrics.permuted import permute
from gtr_bench.metrics.relabelled import Linear, Searched, flip, p_value

HALVES = st.integers(-6, 6).map(lambda value: value / 2)
"""Few different values, so that differences equal each other and the bar."""
VALUES = st.one_of(HALVES, st.floats(-3, 3, allow_subnormal=False))


@st.composite
def questions(draw: st.DrawFn, name: str) -> Question:
    """Paired and unpaired, over one to three environments, of any kind, estimand and level."""
    paired = draw(st.booleans())
    pairs = {}
    for place in range(draw(st.integers(1, 3))):
        sizes = [draw(st.integers(2, 6))] * 2 if paired else [draw(st.integers(2, 5)), draw(st.integers(2, 5))]
        ours, theirs = (draw(st.lists(VALUES, min_size=size, max_size=size)) for size in sizes)
        lift = draw(st.sampled_from([0.0, 0.0, 4.0, -4.0]))
        pairs[f"world {place}"] = (
            {seed: value + lift for seed, value in enumerate(ours)},
            {seed + (0 if paired else 100): value for seed, value in enumerate(theirs)},
        )
    kind = draw(st.sampled_from(["superiority", "non_inferiority"]))
    return Question(
        name,
        pairs,
        draw(st.sampled_from(["higher", "lower"])),
        kind=kind,
        margin=draw(st.sampled_from([0.5, 1.0] if kind == "non_inferiority" else [0.0, 0.5])),
        alpha=draw(st.sampled_from([0.05, 0.1, 0.2])),
        estimand=draw(st.sampled_from(["mean", "iqm", "median"])),
        joint=paired and draw(st.booleans()),
    )


def beyond(question: Question, found: Decision) -> tuple[float, float]:
    """The interval turned so that positive favours the statement, minus the bar."""
    assert found.low is not None
    assert found.high is not None
    low, high = sorted((question.sign * found.low, question.sign * found.high))
    return low - question.bar, high - question.bar


@settings(max_examples=40, deadline=None)
@given(st.data(), st.integers(1, 4))
def test_an_interval_leaves_out_the_bar_exactly_where_the_claim_is_decided_and_on_the_verdicts_side(
    data: st.DataObject, count: int
) -> None:
    family = [data.draw(questions(str(place))) for place in range(count)]
    for question, found in zip(family, decide(family), strict=True):
        if found.p is None:
            continue
        low, high = beyond(question, found)
        # a turned end may be a rounding error off
        slack = 1e-9
        assert {"supported": low > -slack, "refuted": high < slack, "undecided": low <= slack and high >= -slack}[
            found.verdict
        ], (found, low, high)


def ends(tested: Linear | Searched, level: float) -> tuple[float, float]:
    return invert(tested, (lambda p: p <= level,) * 2, two_sided=True)


@pytest.mark.parametrize("estimand", ["mean", "iqm", "median"])
@pytest.mark.parametrize("level", [0.05, 0.2])
def test_just_inside_the_ends_the_test_does_not_reject_and_just_outside_it_does(
    estimand: Statistic, level: float
) -> None:
    generator = np.random.default_rng(61)
    made: list[Linear | Searched] = [
        flip([generator.normal(size=8)], estimand=estimand),
        flip([generator.normal(size=20)], estimand=estimand),
        flip([generator.normal(size=5), generator.normal(size=6)], estimand=estimand),
        flip([generator.normal(size=9), generator.normal(size=8)], seeds=[range(9), range(8)], estimand=estimand),
    ]
    # medians of few values have so few orders that their p-value may rise again further out
    made += [permute([generator.normal(size=5)], [generator.normal(size=6)])] if estimand == "mean" else []
    for tested in made:
        low, high = ends(tested, level)
        assert math.isfinite(low)
        assert math.isfinite(high)
        for inside, outside in ((low + 1e-4, low - 1e-4), (high - 1e-4, high + 1e-4)):
            assert p_value(tested, "two-sided", inside) > level
            assert p_value(tested, "two-sided", outside) <= level


def test_the_ends_for_a_mean_are_order_statistics_of_the_means_of_subsets() -> None:
    values = np.random.default_rng(62).normal(size=8)
    means = sorted(values[[bool(label >> place & 1) for place in range(8)]].mean() for label in range(1, 256))
    # 0.05 x 2^8 / 2: six labellings of a side, of which the observed one is there at any difference
    assert ends(flip([values]), 0.05) == pytest.approx((means[5], means[-6]))


@pytest.mark.parametrize(("estimand", "fewest"), [("mean", 6), ("median", 6), ("iqm", 7)])
def test_with_too_few_pairs_to_reach_the_level_nothing_is_ruled_out(estimand: Statistic, fewest: int) -> None:
    for n in range(2, 9):
        low, high = ends(flip([1.0 + np.arange(n)], estimand=estimand), 0.05)
        assert [math.isinf(low), math.isinf(high)] == [n < fewest] * 2


def test_a_family_widens_the_interval_of_what_was_not_rejected() -> None:
    def question(values: Sequence[float]) -> Question:
        return Question("q", {"world": (dict(enumerate(values)), dict.fromkeys(range(len(values)), 0.0))}, "higher")

    unsure = list(np.random.default_rng(63).normal(0.3, 1, 10))
    (alone,), (beside, _) = decide([question(unsure)]), decide([question(unsure), question([0.1, -0.1] * 5)])
    (first, sure) = decide([question(unsure), question(list(np.arange(1.0, 11.0)))])
    assert alone.low is not None
    assert beside.low is not None
    assert beside.low < alone.low
    assert (alone.level, beside.level, sure.level) == (0.95, 0.975, 0.975)
    # what is rejected first leaves the whole level to the other
    assert (first.low, first.level) == (alone.low, 0.95)
