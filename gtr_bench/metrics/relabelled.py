"""A statistic of paired or unpaired data and its values under all relabellings, at any supposed difference.

A test relabels the data once; what is asked of it afterwards, its p-value or the interval of the differences it does
not reject (`inversion`), is asked of the same relabellings. Everything may have leading dimensions: many data sets of
one shape under the same relabellings (`planning`).

Sources: protocols 13.2; Good, Permutation, Parametric and Bootstrap Tests of Hypotheses, chapters 2, 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtr_bench.metrics.interval import Statistic, generator_of, iqm

__all__ = [
    "EXACT_LIMIT",
    "SAMPLES",
    "TIE",
    "Alternative",
    "Flipped",
    "Linear",
    "Relabelled",
    "Searched",
    "Seeds",
    "blocks_of",
    "checked",
    "estimate",
    "flip",
    "p_value",
    "p_values",
    "relabel",
    "sign_flips",
    "weighted_median",
]

Alternative = Literal["two-sided", "greater", "less"]
Floats = NDArray[np.float64]
Seeds: TypeAlias = Sequence[Sequence[int]]
"""The seed of each difference, environment by environment."""

EXACT_LIMIT = 20_000
"""Up to so many relabellings all of them are tried; above, `SAMPLES` are drawn."""
SAMPLES = 20_000
TIE = 1e-9
"""Statistics nearer than this, relative to the data, are equal: sums in another order differ by rounding alone."""
_ROWS_AT_ONCE = 256


class Relabelled(Protocol):
    """Data under relabellings. `exact`: they are all there are, the observed labelling among them."""

    @property
    def exact(self) -> bool: ...

    @property
    def scale(self) -> float:
        """Size of the data, which rounding is relative to."""

    def at(self, shift: float, alternative: Alternative) -> tuple[Floats, Floats]:
        """The statistic [...] and its values under the relabellings [..., L], with `shift` off every difference."""


class Searched(Relabelled, Protocol):
    """One data set whose statistic is not linear in the shift."""

    def estimate(self) -> float:
        """The shift at which the statistic is 0."""

    def places(self) -> Floats:
        """Shifts, sorted, beyond the first and last of which all data are on one side."""


@dataclass(frozen=True)
class Linear:
    """Means: with a shift the statistic is `observed - shift`, under the relabellings `values - slopes shift`."""

    observed: Floats
    values: Floats
    slopes: Floats
    exact: bool
    scale: float

    def at(self, shift: float, alternative: Alternative) -> tuple[Floats, Floats]:
        """As `Relabelled` says."""
        return self.observed - shift, self.values - self.slopes * shift


@dataclass(frozen=True)
class Flipped:
    """Medians and interquartile means of paired differences, whose statistics are no linear functions of a shift.

    `median` is tested by the signs of the differences, so that no symmetry is supposed: the statistic is the mean over
    environments of the mean sign, and a difference of 0 counts against whatever is to be shown (a median is 0 where
    half of the differences are). `iqm` is tested by the mean over environments of the differences' interquartile mean.

    Attributes:
        groups: differences of each environment, [..., n_e].
        blocks: which of the signs a difference has: [n_e] each.
        signs: 1 and -1, [B, L].
    """

    groups: Sequence[Floats]
    blocks: Sequence[NDArray[np.intp]]
    signs: NDArray[Any] = field(repr=False)
    estimand: Literal["median", "iqm"]
    exact: bool
    scale: float

    def at(self, shift: float, alternative: Alternative) -> tuple[Floats, Floats]:
        """As `Relabelled` says."""
        moved = [group - shift for group in self.groups]
        if self.estimand == "median":
            found = _means(self._signs_of(moved, alternative), self.blocks, self.signs)
            return found[0], found[1]
        signs = self.signs.astype(np.float64)
        observed = sum(iqm(group) for group in moved) / len(moved)
        values = sum(
            iqm(np.swapaxes(group[..., None] * signs[places], -1, -2))
            for group, places in zip(moved, self.blocks, strict=True)
        ) / len(moved)
        return np.asarray(observed), np.asarray(values)

    def estimate(self) -> float:
        """As `Searched` says."""
        return estimate(self.groups, self.estimand)

    def places(self) -> Floats:
        """As `Searched` says: the differences."""
        return np.unique(np.concatenate(self.groups))

    def _signs_of(self, moved: Sequence[Floats], alternative: Alternative) -> list[Floats]:
        """1 and -1; what is 0 counts against the alternative."""
        signs = [np.where(np.abs(group) <= TIE * self.scale, 0.0, np.sign(group)) for group in moved]
        total = sum(group.mean(axis=-1) for group in signs)
        against = {"greater": -1.0, "less": 1.0, "two-sided": -np.sign(total)}[alternative]
        return [np.where(group == 0, np.asarray(against)[..., None], group) for group in signs]


def checked(groups: Sequence[ArrayLike]) -> list[Floats]:
    """One array per environment. Raises ValueError for one without values, or a value that is not finite."""
    data = [np.asarray(group, dtype=np.float64).ravel() for group in groups]
    if not data or any(len(group) == 0 for group in data):
        raise ValueError("an environment without values")
    if not all(np.all(np.isfinite(group)) for group in data):
        raise ValueError("a value is not finite")
    return data


def estimate(groups: Sequence[ArrayLike], estimand: Statistic) -> float:
    """What a test of `estimand` is about: environments weigh the same.

    `mean` and `iqm` are means over environments of the differences' mean and interquartile mean, `median` is the
    median of all differences.
    """
    data = checked(groups)
    if estimand == "median":
        weights = np.concatenate([np.full(len(group), 1 / len(group)) for group in data])
        return weighted_median(np.concatenate(data), weights)
    return float(np.mean([group.mean() if estimand == "mean" else iqm(group) for group in data]))


def weighted_median(values: Floats, weights: Floats) -> float:
    """Where half of the weight lies below; between two values, their mean."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order]) / weights.sum()
    low, high = (int(np.searchsorted(below, 0.5 + slack)) for slack in (-TIE, TIE))
    return float((values[order][low] + values[order][min(high, len(values) - 1)]) / 2)


def flip(groups: Sequence[ArrayLike], *, seeds: Seeds | None = None, estimand: Statistic = "mean") -> Linear | Searched:
    """Paired differences under sign flips.

    Args:
        groups: the differences of each environment; every environment weighs the same.
        seeds: where seeds share randomness between environments, the seed of each difference: all differences of a
            seed are flipped together. Without it, each alone.
        estimand: what the statistic estimates.
    """
    data = checked(groups)
    blocks = blocks_of([len(group) for group in data], seeds)
    flipped, exact = sign_flips(data, 1 + max(int(places.max()) for places in blocks))
    return relabel(data, blocks, 1 - 2 * flipped.T.astype(np.int8), estimand, exact=exact)


def blocks_of(sizes: Sequence[int], seeds: Seeds | None) -> list[NDArray[np.intp]]:
    """Which differences are flipped together: numbers from 0, equal ones for equal seeds where these are given."""
    if seeds is None:
        ends = np.cumsum([0, *sizes])
        return [np.arange(start, end) for start, end in pairwise(ends)]
    rows: Mapping[int, int] = {seed: row for row, seed in enumerate(sorted({seed for each in seeds for seed in each}))}
    return [np.array([rows[seed] for seed in each], dtype=np.intp) for each in seeds]


def sign_flips(data: Sequence[Floats], size: int) -> tuple[NDArray[Any], bool]:
    """Relabellings of `size` signs as 0 and 1 (flipped), [R, size], and whether they are all there are.

    `data` seeds the draws where there are too many to try all.
    """
    if 2**size <= EXACT_LIMIT:
        return (np.arange(2**size)[:, None] >> np.arange(size)) & 1, True
    # Eight signs to a byte: drawing whole integers for them takes ten times as long.
    drawn = np.frombuffer(generator_of(*data).bytes(SAMPLES * -(-size // 8)), dtype=np.uint8)
    return np.unpackbits(drawn.reshape(SAMPLES, -1), axis=1, count=size), False


def relabel(
    groups: Sequence[Floats],
    blocks: Sequence[NDArray[np.intp]],
    signs: NDArray[Any],
    estimand: Statistic,
    *,
    exact: bool,
) -> Linear | Searched:
    """Differences [..., n_e] under the signs [B, L], of which difference i of environment e has row `blocks[e][i]`."""
    scale = float(np.mean([np.abs(group).mean() for group in groups]))
    if estimand != "mean":
        return Flipped(groups, blocks, signs, estimand, exact, scale)
    observed, values = _means(groups, blocks, signs)
    _, slopes = _means([np.ones(group.shape[-1]) for group in groups], blocks, signs)
    return Linear(observed, values, slopes, exact, scale)


def _means(groups: Sequence[Floats], blocks: Sequence[NDArray[np.intp]], signs: NDArray[Any]) -> tuple[Floats, Floats]:
    """Mean over environments of the mean [...], and under the signs [..., L]."""
    summed = np.zeros((*groups[0].shape[:-1], len(signs)))
    for group, places in zip(groups, blocks, strict=True):
        summed[..., places] += group / (group.shape[-1] * len(groups))
    values = np.zeros((*summed.shape[:-1], signs.shape[1]))
    for start in range(0, len(signs), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        values += summed[..., part] @ signs[part].astype(np.float64)
    return np.asarray(summed.sum(axis=-1)), values


def p_values(tested: Relabelled, alternative: Alternative, shift: float = 0.0) -> Floats:
    """The share of relabellings at least as extreme, [...]; of drawn ones with the observed labelling added."""
    observed, values = tested.at(shift, alternative)
    slack = TIE * (tested.scale + abs(shift))
    seen = observed[..., None]
    if alternative == "greater":
        extreme = values >= seen - slack
    elif alternative == "less":
        extreme = values <= seen + slack
    else:
        extreme = np.abs(values) >= np.abs(seen) - slack
    count, added = np.count_nonzero(extreme, axis=-1), 0 if tested.exact else 1
    return np.asarray((count + added) / (values.shape[-1] + added))


def p_value(tested: Relabelled, alternative: Alternative, shift: float = 0.0) -> float:
    """The p-value of one data set; `shift` is the difference supposed."""
    return float(p_values(tested, alternative, shift))
