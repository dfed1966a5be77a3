"""Crafter's score of a set of achievements (Hafner, arXiv 2109.06780; protocols 10)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["crafter_score"]


def crafter_score(success_rates: Sequence[float]) -> float:
    """`exp(mean_i ln(1 + s_i)) - 1`, a geometric mean that counts rare achievements more than common ones.

    Evaluations store one success rate, not one per achievement, so this is for rates counted elsewhere.

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
