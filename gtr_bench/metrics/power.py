"""How many seeds a comparison needs. Source: protocols 13.3; Cohen, Statistical Power Analysis, chapter 2."""

from __future__ import annotations

import math
from typing import Literal

__all__ = ["MOST_SEEDS", "Design", "detectable", "fewest_pairs", "pessimistic_std", "power", "seeds_needed"]

Design = Literal["two-sample", "paired"]

MOST_SEEDS = 10_000
"""Answers above this are None: nobody will run them."""


def power(effect_size: float, n: int, *, alpha: float = 0.05, design: Design = "two-sample") -> float:
    """Power of a two-sided t-test.

    Args:
        effect_size: difference / std of one side (two-sample), or mean / std of the paired differences.
        n: seeds of each side, at least 2.
        alpha: level.
        design: two independent samples of n, or n pairs.
    """
    from scipy.special import stdtrit  # scipy.stats has it too and takes a second to import

    freedom, shift = (2 * n - 2, math.sqrt(n / 2)) if design == "two-sample" else (n - 1, math.sqrt(n))
    critical = float(stdtrit(freedom, 1 - alpha / 2))
    centre = abs(effect_size) * shift
    return 1 - _below(freedom, centre, critical) + _below(freedom, centre, -critical)


def _below(freedom: int, centre: float, limit: float) -> float:
    """The noncentral t's distribution function."""
    from scipy.special import chdtrc, nctdtr

    share = float(nctdtr(freedom, centre, limit))
    if not math.isnan(share):
        return share
    # scipy's is NaN in places: far below 0, and from a centre of about 38 on, beside which the numerator hardly varies.
    return float(chdtrc(freedom, freedom * (centre / limit) ** 2)) if limit > 0 else 0.0


def seeds_needed(
    effect_size: float, *, alpha: float = 0.05, target: float = 0.8, design: Design = "two-sample"
) -> int | None:
    """Fewest seeds per side whose power reaches `target`; None above `MOST_SEEDS` or for no effect."""
    if not math.isfinite(effect_size) or effect_size == 0:
        return None
    low, high = 1, 2
    while power(effect_size, high, alpha=alpha, design=design) < target:
        low, high = high, 2 * high
        if high > 2 * MOST_SEEDS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        reached = power(effect_size, middle, alpha=alpha, design=design) >= target
        low, high = (low, middle) if reached else (middle, high)
    return high if high <= MOST_SEEDS else None


def detectable(n: int, *, alpha: float = 0.05, target: float = 0.8, design: Design = "two-sample") -> float:
    """The smallest effect size that n seeds per side find with power `target`."""
    from scipy.optimize import brentq

    if alpha >= target:
        return 0.0  # the test rejects so often without any effect
    high = 1.0
    while power(high, n, alpha=alpha, design=design) < target:
        high *= 2
    return float(brentq(lambda size: power(size, n, alpha=alpha, design=design) - target, 0.0, high))


def pessimistic_std(std: float, n: int) -> float:
    """Upper 80 % bound of a standard deviation estimated from n pilot seeds: s sqrt((n - 1) / chi2_{0.2, n-1})."""
    from scipy.special import chdtri

    if n < 2:
        raise ValueError("a standard deviation needs two seeds")
    return float(std * math.sqrt((n - 1) / chdtri(n - 1, 0.8)))


def fewest_pairs(alpha: float) -> int:
    """Fewest pairs with which a two-sided sign-flip test can reach `alpha` at all: 2^(1 - n) <= alpha."""
    return math.ceil(1 - math.log2(alpha) - 1e-12)
