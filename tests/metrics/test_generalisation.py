"""Returns on worlds never trained on, and how far they fall behind."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gtr_bench.metrics.generalisation import GeneralisationGap, TestReturn
from gtr_bench.metrics.run import Companions, Run


def run(values: list[float], tests: list[float]) -> Run:
    """One phase of 40 steps with an evaluation at its start and every ten steps."""
    points = len(values)
    return Run(
        steps=np.arange(points) * 10,
        phases=np.zeros(points, np.int64),
        evaluated_phases=np.zeros(points, np.int64),
        values=np.array(values),
        fresh=np.arange(points) == 0,
        lengths=(40,),
        worlds=("a",),
        tests=np.array(tests),
    )


SEEN = run([0.0, 4.0, 6.0, 8.0, 10.0], [0.0, 3.0, 4.0, 4.0, 5.0])


def test_the_point_before_any_training_does_not_count() -> None:
    assert TestReturn.score(SEEN, Companions()).value == 4.0
    assert GeneralisationGap.score(SEEN, Companions()).value == 3.0


def test_both_are_scaled_alike() -> None:
    scaled = SEEN.scaled(0.0, 10.0)
    assert TestReturn.score(scaled, Companions()).value == pytest.approx(0.4)
    assert GeneralisationGap.score(scaled, Companions()).value == pytest.approx(0.3)


@pytest.mark.parametrize("tests", [[], [math.nan] * 5])
def test_without_a_test_world_they_are_undefined_and_say_so(tests: list[float]) -> None:
    for metric in (TestReturn, GeneralisationGap):
        score = metric.score(run([0.0, 4.0, 6.0, 8.0, 10.0], tests), Companions())
        assert (score.defined, score.reason) == (False, "no evaluation on a test world")


def test_a_diverged_run_counts_the_floor_on_its_test_world_too() -> None:
    broken = run([0.0, 4.0, 6.0], [0.0, 3.0, 4.0]).floored(-1.0, [[10, 20, 30]], 20)
    assert broken.tests.tolist() == [0.0, 3.0, -1.0, -1.0, -1.0]
    assert TestReturn.score(broken, Companions()).value == pytest.approx((3 - 1 - 1 - 1) / 4)
    assert GeneralisationGap.score(broken, Companions()).value == pytest.approx(0.25)
