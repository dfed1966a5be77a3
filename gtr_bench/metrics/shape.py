"""What a mean hides: scores in two heaps, spreads that differ, the worst runs.

Where one side fails in a tenth of the seeds and the means are equal, a test of means finds a difference too often: most
samples hold too few failures. A failure that no seed has shown cannot be seen; how many there may be says
`most_failures`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["SPREAD_RATIO", "Heaps", "heaps", "most_failures", "spread_ratio", "worst_quarter"]

FEWEST = 4
"""values below which nothing is said of their shape"""
SPREAD_RATIO = 4.0
"""How many times one side's standard deviation must be the other's to be worth a word."""


@dataclass(frozen=True)
class Heaps:
    """Scores in two heaps: how many lie in the lower one, and how wide the gap is."""

    low: int
    high: int
    gap: float


def heaps(values: ArrayLike) -> Heaps | None:
    """The two heaps into which the widest gap splits the values; None where it does not set them apart.

    The gap must be as wide as the larger heap, 150 / n^2 times as wide with fewer than 12 values: so that one of two
    sides of normal scores is called so in about 5 % at 5 to 10 values, and hardly ever with more (simulated in the
    tests).
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n = len(ordered)
    if n < FEWEST:
        return None
    gaps = np.diff(ordered)
    low = int(gaps.argmax()) + 1
    gap = float(gaps[low - 1])
    widths = float(ordered[low - 1] - ordered[0]), float(ordered[-1] - ordered[low])
    width = max(widths) if 2 * low == n else widths[2 * low < n]
    return Heaps(low, n - low, gap) if gap > 0 and gap >= max(1.0, 150 / n**2) * width else None


def spread_ratio(first: ArrayLike, second: ArrayLike) -> float:
    """The larger standard deviation over the smaller; 1 where neither side varies or one has fewer than four values."""
    sides = [np.asarray(side, dtype=np.float64) for side in (first, second)]
    if min(map(len, sides)) < FEWEST:
        return 1.0
    low, high = sorted(float(side.std(ddof=1)) for side in sides)
    return high / low if low > 0 else math.inf if high > 0 else 1.0


def worst_quarter(values: ArrayLike, *, lower: bool) -> float:
    """CVaR: the mean of the worst quarter of the values (rounded up), the largest ones where `lower` is better."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    count = math.ceil(len(ordered) / 4)
    return float((ordered[-count:] if lower else ordered[:count]).mean())


def most_failures(failed: int, runs: int, level: float = 0.95) -> float:
    """Upper bound of a failure rate of which `failed` of `runs` were seen (Clopper and Pearson, one-sided)."""
    from scipy.special import betaincinv

    return 1.0 if failed >= runs else float(betaincinv(failed + 1, runs - failed, level))
