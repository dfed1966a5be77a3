"""How often a comparison calls unchanged code worse or better, simulated through its own tests and Holm's procedure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from gtr_bench.compare.measure import MeasuredMetric, with_tests
from gtr_bench.compare.verdict import decided

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Floats]

ALPHA = 0.05
SIMULATIONS = 400


def rarely_failing(generator: np.random.Generator, n: int) -> Floats:
    """A tenth of the runs fails, at 0; the others reach 500."""
    return np.where(generator.random(n) < 0.1, 0.0, 500 + 10 * generator.normal(size=n))


SCORES: dict[str, Draw] = {
    "normal": lambda generator, n: generator.normal(100, 10, n),
    "lognormal": lambda generator, n: generator.lognormal(size=n),
    "a tenth fails": rarely_failing,
}


def called(draw: Draw, *, cells: int, before: int, after: int, paired: bool, margin: float) -> tuple[int, int]:
    """Families with a cell called worse, and with one called worse or better, where nothing changed."""
    worse = either = 0
    for simulation in range(SIMULATIONS):
        generator = np.random.default_rng((simulation, cells, before, after))
        family = [
            with_tests(
                MeasuredMetric("m", "higher", draw(generator, before), draw(generator, after), paired, None, None, ""),
                margin,
            )
            for _ in range(cells)
        ]
        outcomes = {decision.outcome for decision in decided(family, ALPHA, margin) if decision}
        worse += "worse" in outcomes
        either += bool(outcomes & {"worse", "better", "changed"})
    return worse, either


@pytest.mark.slow
@pytest.mark.parametrize("scores", list(SCORES))
@pytest.mark.parametrize(("cells", "before", "after", "paired"), [(1, 8, 8, True), (6, 9, 9, True), (2, 5, 6, False)])
def test_unchanged_code_is_called_worse_or_better_at_most_at_the_level(
    scores: str, cells: int, before: int, after: int, paired: bool
) -> None:
    most = binom.ppf(0.995, SIMULATIONS, ALPHA)
    worse, either = called(SCORES[scores], cells=cells, before=before, after=after, paired=paired, margin=0.0)
    assert worse <= either <= most
    assert either > 0 or scores == "a tenth fails", "a test that never decides holds any level"


@pytest.mark.slow
@pytest.mark.parametrize("scores", list(SCORES))
def test_a_margin_makes_false_alarms_rarer(scores: str) -> None:
    draw, layout = SCORES[scores], {"cells": 3, "before": 10, "after": 10, "paired": True}
    plain, _ = called(draw, **layout, margin=0.0)
    beyond, _ = called(draw, **layout, margin=2.0)
    assert beyond <= plain
