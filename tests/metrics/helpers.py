"""What tests of error rates share."""

from __future__ import annotations

from scipy.stats import binom


def within_band(rejections: int, trials: int, alpha: float, *, lower: bool = True) -> bool:
    """Whether a rejection count lies in the 99 % binomial band of `alpha`; without `lower` it may be conservative."""
    low, high = binom.interval(0.99, trials, alpha)
    return bool(rejections <= high and (not lower or rejections >= low))
