"""Unpaired values with their labels permuted within environments, at any supposed difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtr_bench.metrics.interval import Statistic, generator_of, iqm
from gtr_bench.metrics.relabelled import EXACT_LIMIT, SAMPLES, Alternative, Linear, Searched, checked

__all__ = ["Permuted", "permute"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Permuted:
    """Differences of medians or interquartile means under permuted labels; see `relabelled.Relabelled`.

    Attributes:
        pooled: both sides' values of each environment, the first side's before the other's.
        sizes: how many are the first side's.
        orders: permutations of each environment's places, [L_e, n_e], whose first ones are labelled as the first side.
    """

    pooled: Sequence[Floats]
    sizes: Sequence[int]
    orders: Sequence[NDArray[np.int64]] = field(repr=False)
    estimand: Statistic
    exact: bool
    scale: float

    def at(self, shift: float, alternative: Alternative) -> tuple[Floats, Floats]:
        """As `Relabelled` says."""
        observed, values = 0.0, np.zeros(1 if self.exact else SAMPLES)
        for pooled, size, orders in zip(self.pooled, self.sizes, self.orders, strict=True):
            moved = pooled - shift * (np.arange(len(pooled)) < size)
            observed += float(_apart(moved, size, self.estimand)) / len(self.pooled)
            found = _apart(moved[orders], size, self.estimand) / len(self.pooled)
            values = np.add.outer(values, found).ravel() if self.exact else values + found
        return np.asarray(observed), values

    def estimate(self) -> float:
        """As `relabelled.Searched` says."""
        return float(self.at(0.0, "two-sided")[0])

    def places(self) -> Floats:
        """As `relabelled.Searched` says: the differences between values of either side, and twice as far out."""
        found = [both[:size, None] - both[size:] for both, size in zip(self.pooled, self.sizes, strict=True)]
        apart = np.unique(np.concatenate([each.ravel() for each in found]))
        reach = apart[-1] - apart[0]
        return np.concatenate([[apart[0] - reach], apart, [apart[-1] + reach]])


def permute(
    first: Sequence[ArrayLike], second: Sequence[ArrayLike], *, estimand: Statistic = "mean"
) -> Linear | Searched:
    """The values of both algorithms in each environment, in the same order of environments, under permuted labels."""
    ours, theirs = checked(first), checked(second)
    if len(ours) != len(theirs):
        raise ValueError("both sides need the same environments")
    splits = math.prod(math.comb(len(a) + len(b), len(a)) for a, b in zip(ours, theirs, strict=True))
    exact, generator = splits <= EXACT_LIMIT, generator_of(*ours, *theirs)
    pooled = [np.asarray(np.concatenate([a, b]), dtype=np.float64) for a, b in zip(ours, theirs, strict=True)]
    sizes = [len(side) for side in ours]
    orders = [_orders(len(both), size, generator, exact=exact) for both, size in zip(pooled, sizes, strict=True)]
    scale = float(np.mean([np.abs(both).mean() for both in pooled]))
    values = Permuted(pooled, sizes, orders, estimand, exact, scale)
    if estimand != "mean":
        return values
    marks = [(np.arange(len(both)) < size).astype(np.float64) for both, size in zip(pooled, sizes, strict=True)]
    labels = Permuted(marks, sizes, orders, estimand, exact, 1.0)
    return Linear(*values.at(0.0, "two-sided"), labels.at(0.0, "two-sided")[1], exact, scale)


def _orders(count: int, size: int, generator: np.random.Generator, *, exact: bool) -> NDArray[Any]:
    if not exact:
        return generator.permuted(np.broadcast_to(np.arange(count), (SAMPLES, count)), axis=1)
    chosen = np.ones((math.comb(count, size), count), dtype=np.bool_)
    np.put_along_axis(chosen, np.array(list(combinations(range(count), size))), values=False, axis=1)
    return np.argsort(chosen, axis=1, kind="stable")


def _apart(values: Floats, size: int, estimand: Statistic) -> Floats:
    """The statistic of the first `size` values minus that of the others, along the last axis."""
    one, other = values[..., :size], values[..., size:]
    if estimand == "mean":
        return np.asarray(one.mean(axis=-1) - other.mean(axis=-1))
    if estimand == "median":
        return np.asarray(np.median(one, axis=-1) - np.median(other, axis=-1))
    return np.asarray(iqm(one) - iqm(other))
