"""Crafter's score of a set of achievements (Hafner, arXiv 2109.06780; protocols 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from gtr_bench.metrics.run import Bounds, Companions, Metric, Need, Run, Score, undefined

__all__ = ["CrafterScore", "crafter_score"]


def crafter_score(success_rates: Sequence[float] | NDArray[np.float64]) -> float:
    """`exp(mean_i ln(1 + s_i)) - 1`, a geometric mean that counts rare achievements more than common ones.

    Args:
        success_rates: the share of episodes that unlock each achievement, in percent, 0 to 100.

    Returns:
        The score in percent.

    Raises:
        ValueError: no rates, or one that is not a percentage.
    """
    rates = np.asarray(success_rates, dtype=np.float64)
    if rates.size == 0 or not ((rates >= 0) & (rates <= 100)).all():
        raise ValueError("success rates should be percentages, at least one")
    return float(np.expm1(np.log1p(rates).mean()))


class CrafterScore(Metric):
    """Crafter's score of the success rates over all evaluation points of the run. Source: protocols 10.

    The published scores count the episodes of training instead; the rates here are those of evaluation episodes.
    """

    name = "crafter_score"
    direction = "higher"
    needs: ClassVar[frozenset[Need]] = frozenset({"achievements"})
    unit = "percent"
    definition = (
        "exp(mean of ln(1 + s)) - 1 over the achievements, s the percentage of episodes that unlock each, "
        "over all evaluation points of the run"
    )

    @classmethod
    def score(cls, run: Run, companions: Companions) -> Score:
        """Of the rates that each phase's world has, the point before its first step left out."""
        own = (run.evaluated_phases == run.phases) & ~run.fresh
        rates = run.achievements[own] if run.achievements.size else np.empty((0, 0))
        rates = rates[:, np.isfinite(rates).any(0)]
        if not rates.size:
            return undefined("no achievements in the evaluations")
        return Score(crafter_score(100 * np.nanmean(rates, axis=0)))

    @classmethod
    def worst(cls, run: Run, companions: Companions, bounds: Bounds, direction: Literal["higher", "lower"]) -> Score:
        """Nothing achieved, or all: returns do not bound it."""
        score = cls.score(run, companions)
        return replace(score, value=0.0 if direction == "higher" else 100.0) if score.defined else score
