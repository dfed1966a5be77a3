"""Metrics of generalisation: the worlds trained on beside those of `test`, such as levels never seen (protocols 4)."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from gtr_bench.metrics.run import Bounds, Companions, Metric, Need, Run, Score, undefined

__all__ = ["GeneralisationGap", "TestReturn"]


def _points(run: Run) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """J on the world being trained and on its test world at the same points; None where no test was made."""
    own = (run.evaluated_phases == run.phases) & ~run.fresh
    if len(run.tests) != len(run.values) or not np.isfinite(run.tests[own]).any():
        return None
    return np.asarray(run.values[own]), np.asarray(run.tests[own])


class TestReturn(Metric):
    """Mean return over all evaluation points of the run, each on the test world of the phase. Source: protocols 4."""

    name = "test_return"
    direction = "higher"
    needs: ClassVar[frozenset[Need]] = frozenset({"test"})
    definition = "mean return over all evaluation points of the run, on the worlds of `test`"

    @classmethod
    def score(cls, run: Run, companions: Companions) -> Score:
        """Mean over the points of all phases."""
        points = _points(run)
        return undefined("no evaluation on a test world") if points is None else Score(float(points[1].mean()))


class GeneralisationGap(Metric):
    """`lifetime_return` minus `test_return`: what of the return holds only where it was learned. Source: protocols 4.

    A small gap of a policy that learned nothing is no generalisation: read it beside the returns.
    """

    name = "generalisation_gap"
    direction = "lower"
    needs: ClassVar[frozenset[Need]] = frozenset({"test"})
    definition = (
        "mean over the evaluation points of the return on the world being trained minus that on its `test` world"
    )

    @classmethod
    def score(cls, run: Run, companions: Companions) -> Score:
        """Mean of the differences."""
        points = _points(run)
        if points is None:
            return undefined("no evaluation on a test world")
        return Score(float((points[0] - points[1]).mean()))

    @classmethod
    def worst(cls, run: Run, companions: Companions, bounds: Bounds, direction: Literal["higher", "lower"]) -> Score:
        """The worlds trained on and their tests at opposite bounds."""
        everywhere = np.full(len(run.values), direction == "lower")
        trained, tested = run.between(bounds, everywhere), run.between(bounds, ~everywhere)
        return cls.score(replace(trained, tests=tested.tests), companions)
