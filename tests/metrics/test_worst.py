"""The worst of a metric is a bound: no run with returns inside of the bounds is worse."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gtr_bench.metrics.registry import metrics
from gtr_bench.metrics.run import Bounds, Companions, Run, Score, undefined, worst_of

PHASES, POINTS = 3, 3
LOW, HIGH = np.array([0.1, 0.0, 0.2]), np.array([1.0, 0.7, 0.9])
ROWS = [
    (10 * phase + 5 * point, phase, world, point == 0)
    for phase in range(PHASES)
    for point in range(POINTS)
    for world in range(PHASES)
]
shares = arrays(np.float64, len(ROWS), elements=st.floats(0, 1, width=16))


def run_of(parts: np.ndarray, tested: np.ndarray) -> Run:
    """Every world evaluated at every point; `parts` [points] of the way from the lower bound to the upper one."""
    steps, phases, worlds, fresh = map(np.array, zip(*ROWS, strict=True))
    low, span = LOW[worlds], (HIGH - LOW)[worlds]
    return Run(
        steps, phases, worlds, low + span * parts, fresh, (10,) * PHASES, ("a", "b", "c"), tests=low + span * tested,
        achievements=tested[:, None],
    )  # fmt: skip


def alone(level: float) -> Run:
    """A reference run."""
    one = np.zeros(1, dtype=np.int64)
    return Run(one + 10, one, one, np.array([level]), np.array([False]), (10,), ("a",))


@pytest.mark.parametrize("name", metrics.names())
@pytest.mark.parametrize("direction", ["higher", "lower"])
@given(parts=shares, tested=shares)
def test_no_run_within_the_bounds_is_worse(
    name: str, direction: Literal["higher", "lower"], parts: np.ndarray, tested: np.ndarray
) -> None:
    metric = metrics.get(name)
    run = run_of(parts, tested)
    companions = Companions(
        {phase: [alone(0.6)] for phase in range(PHASES)}, oracle=run_of(np.ones(len(ROWS)), tested), peaks=HIGH
    )
    score = metric.score(run, companions)
    worst = metric.worst(run, companions, Bounds(LOW, HIGH), direction)
    assert score.defined
    assert worst.defined
    sign = 1 if direction == "higher" else -1
    assert sign * worst.value <= sign * score.value + 1e-9


def test_the_worst_of_scores_is_by_the_side_that_is_better_and_of_those_that_are_defined() -> None:
    scores = [Score(1.0), undefined("why"), Score(3.0, censored=1)]
    assert worst_of(scores, "higher") == Score(1.0)
    assert worst_of(scores, "lower") == Score(3.0, censored=1)
    assert worst_of([undefined("why")], "lower") is None
