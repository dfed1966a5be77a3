"""Is relaxation followed by improvement, or by nothing: does it follow advantage or noise?

In a phase, `escape_fraction` of iteration i is correlated by ranks with the gain around i: the mean `training_return`
of the `SPAN` iterations after i minus that of the `SPAN` before, both freed from a cubic trend. The return of i itself
is in neither mean: the update that relaxed was made from that rollout, and a lucky one would look like a loss after.

Early in a phase everything moves, so this correlates even where nothing depends on anything. Therefore a seed's
correlation counts only beyond those of its escape with other seeds' gains and of theirs with its own:
`escape_follows_return` = r_ss - mean over t of (r_st + r_ts) / 2. What depends on the iteration alone, in whatever
shape, cancels; the test permutes which gain belongs to which escape.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from gtr_bench.metrics.comparison import holm
from gtr_bench.metrics.interval import bootstrap, generator_of, stratified_bootstrap
from gtr_bench.metrics.relabelled import EXACT_LIMIT, SAMPLES
from gtr_bench.report.collect import Record
from gtr_bench.report.columns import Columns
from gtr_bench.report.model import Interval
from gtr_bench.report.text import number, p_value
from gtr_bench.report.values import joint

__all__ = [
    "COLUMNS",
    "SPAN",
    "Relaxation",
    "RelaxationRow",
    "Series",
    "correlations",
    "relaxation_of",
    "series_of",
]

SPAN = 4
"""Iterations before and after."""
FEWEST = 16
"""Iterations between those that a phase needs: the trend takes four of them."""
_SPAN_OF_ONES = np.ones(SPAN)
_NOTHING = 1e-6
"""length of what a trend leaves of ranks that it explains wholly"""
COLUMNS = ("escape_fraction", "training_return")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RelaxationRow:
    """One algorithm's `escape_follows_return` in one environment: mean over seeds, of a mean over phases."""

    environment: str
    algorithm: str
    association: Interval
    jobs: tuple[str, ...]


@dataclass(frozen=True)
class Relaxation:
    """A row per environment and algorithm that logs `escape_fraction`, and a sentence per algorithm."""

    rows: tuple[RelaxationRow, ...] = ()
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """One job's escape and gain, freed from trend; of length 1 in each phase, the phases side by side.

    `lengths` are the phases' numbers of iterations: only jobs with equal ones can be compared iteration by iteration.
    """

    escape: Floats
    gain: Floats
    lengths: tuple[int, ...]


def series_of(rows: Columns) -> Series | None:
    """The series of one job's iterations, sorted; None where it has no escape_fraction, or one that never changes."""
    escape, returns, phases = (np.asarray(rows[name], dtype=np.float64) for name in (*COLUMNS, "phase"))
    if not np.any(np.isfinite(escape)):
        return None
    inside = [phases == phase for phase in np.unique(phases)]
    long = [here for here in inside if here.sum() >= FEWEST + 2 * SPAN]
    if not long:
        return None
    freed = _all_freed([*(escape[here][SPAN:-SPAN] for here in long), *(_gain(returns[here]) for here in long)])
    one, other = np.concatenate(freed[: len(long)]), np.concatenate(freed[len(long) :])
    if not one.any() or not other.any():
        return None
    return Series(one, other, tuple(int(here.sum()) for here in inside))


def _gain(returns: Floats) -> Floats:
    """Mean of the SPAN after minus that of the SPAN before, [n - 2 SPAN]; iterations without an episode are skipped."""
    present = np.isfinite(returns)
    if present.all():
        means = np.convolve(returns, _SPAN_OF_ONES, mode="valid") / SPAN
    else:
        counts, sums = (
            np.convolve(each, _SPAN_OF_ONES, mode="valid")
            for each in (present.astype(np.float64), np.where(present, returns, 0.0))
        )
        means = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return np.asarray(means[SPAN + 1 :] - means[: -SPAN - 1])


def _all_freed(rows: Sequence[Floats]) -> list[Floats]:
    """`_freed` of each row, to the bit; those of a job, which are mostly whole and equally long, in one go."""
    if len({len(row) for row in rows}) != 1 or len(rows[0]) < FEWEST:
        return [_freed(row) for row in rows]
    values = np.stack(rows)
    if not np.isfinite(values).all():
        return [_freed(row) for row in rows]
    n = len(rows[0])
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    new = np.ones(values.shape, dtype=np.bool_)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=new[:, 1:])
    # Equal values share the mean of their ranks.
    first = np.flatnonzero(new)
    counts = np.diff(first, append=new.size)
    shared = (first % n + (counts - 1) / 2)[np.cumsum(new) - 1]
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, shared.reshape(values.shape), axis=1)
    trend = _cubics(n)
    rest = ranks - (trend @ (trend.T @ ranks[:, :, np.newaxis]))[:, :, 0]
    sizes = np.sqrt(rest[:, np.newaxis, :] @ rest[:, :, np.newaxis])[:, :, 0]
    return list(np.divide(rest, sizes, out=np.zeros(values.shape), where=sizes > _NOTHING))


def _freed(values: Floats) -> Floats:
    """Ranks without their cubic trend, of length 1; zero where a value is missing, or all are equal."""
    found = np.zeros(len(values))
    kept = np.isfinite(values)
    if kept.sum() < FEWEST:
        return found
    # Equal values share the mean of their ranks.
    _, places, counts = np.unique(values[kept], return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts + 1) / 2)[places]
    trend = _cubics(len(values)) if kept.all() else np.linalg.qr(_powers(len(values))[kept])[0]
    rest = ranks - trend @ (trend.T @ ranks)
    size = float(np.linalg.norm(rest))
    if size > _NOTHING:
        found[kept] = rest / size
    return found


def _powers(n: int) -> Floats:
    """1, x, x^2 and x^3 at n places from -1 to 1: [n, 4]."""
    return np.asarray(np.vander(np.linspace(-1, 1, n), 4))


@lru_cache(maxsize=64)
def _cubics(n: int) -> Floats:
    """An orthonormal basis of the cubic trends over n iterations, [n, 4]; most phases of a suite are equally long."""
    return np.asarray(np.linalg.qr(_powers(n))[0])


def correlations(series: Sequence[Series]) -> Floats:
    """Mean over phases of the correlation of seed s's escape with seed t's gain: [seeds, seeds]."""
    escape, gain = (np.stack([getattr(each, name) for each in series]) for name in ("escape", "gain"))
    phases = sum(length >= FEWEST + 2 * SPAN for length in series[0].lengths)
    return np.asarray(escape @ gain.T / phases)


def _beyond_others(table: Floats) -> Floats:
    """Each seed's own correlation minus the mean of those it shares with others."""
    own = np.diagonal(table)
    shared = (table.sum(axis=0) + table.sum(axis=1) - 2 * own) / (2 * (len(table) - 1))
    return np.asarray(own - shared)


def _p(tables: Sequence[Floats], seeds: Sequence[Sequence[int]] | None = None) -> float:
    """Two-sided; the statistic is the mean over environments of the mean correlation of the pairs that are matched.

    `seeds` are the tables', sorted, where environments share their randomness: then one order of all seeds serves all.
    """
    centred = [table - table.mean() for table in tables]
    observed = float(np.mean([np.diagonal(table).mean() for table in centred]))
    everyone = sorted({seed for each in seeds or () for seed in each})
    sizes = [len(everyone)] if seeds else [len(table) for table in tables]
    exact = math.prod(math.factorial(size) for size in sizes) <= EXACT_LIMIT
    generator = generator_of(*(table.ravel() for table in tables))
    orders = [_orders(size, generator, exact=exact) for size in sizes]
    drawn = np.zeros(1 if exact and not seeds else len(orders[0]))
    shared: dict[tuple[int, ...], NDArray[np.int64]] = {}
    for place, table in enumerate(centred):
        if seeds:
            # The places of its own seeds in an order of all: each order of these is as likely.
            own = tuple(seeds[place])
            if own not in shared:
                shared[own] = np.argsort(orders[0][:, np.searchsorted(everyone, own)], axis=1)
            matched = shared[own]
        else:
            matched = orders[place]
        found = table[np.arange(len(table)), matched].mean(axis=1)
        drawn = np.add.outer(drawn, found).ravel() if exact and not seeds else drawn + found
    extreme = int(np.count_nonzero(np.abs(drawn) / len(tables) >= abs(observed) - 1e-9))
    return extreme / len(drawn) if exact else (extreme + 1) / (len(drawn) + 1)


def _orders(size: int, generator: np.random.Generator, *, exact: bool) -> NDArray[np.int64]:
    """All orders of so many places, or drawn ones: [orders, places]."""
    if exact:
        return np.array(list(permutations(range(size))))
    return generator.permuted(np.broadcast_to(np.arange(size), (SAMPLES, size)), axis=1)


def relaxation_of(
    records: Sequence[Record], found: Mapping[str, Series], algorithms: Sequence[str], alpha: float
) -> Relaxation:
    """A row per environment and algorithm that logs `escape_fraction`, and a sentence per algorithm.

    A sentence is decided by the permutation test stratified by environment, with Holm's correction over the algorithms.

    Args:
        records: the jobs, references excluded; found: their series, of those that have one.
        algorithms: labels in the order they are shown.
        alpha: level of the tests.
    """
    rows: list[RelaxationRow] = []
    tables: dict[str, list[Floats]] = {}
    seeds: dict[str, list[list[int]]] = {}
    together = joint(records)
    for environment in dict.fromkeys(record.sequence for record in records):
        for algorithm in algorithms:
            own = [r for r in records if (r.sequence, r.algorithm) == (environment, algorithm) and r.job in found]
            lengths = Counter(found[record.job].lengths for record in own)
            # A job that diverged has fewer iterations than the others.
            own = [record for record in own if found[record.job].lengths == lengths.most_common(1)[0][0]]
            own.sort(key=lambda record: record.seed)
            if len(own) < 2:
                continue
            table = correlations([found[record.job] for record in own])
            estimate = bootstrap(_beyond_others(table), method="t")
            interval = Interval(estimate.value, estimate.low, estimate.high, estimate.n)
            rows.append(RelaxationRow(environment, algorithm, interval, tuple(record.job for record in own)))
            tables.setdefault(algorithm, []).append(table)
            seeds.setdefault(algorithm, []).append([record.seed for record in own])
    shown = [label for label in algorithms if label in tables]
    adjusted = holm([_p(tables[label], seeds[label] if together else None) for label in shown])
    sentences = [
        _sentence(label, tables[label], p, alpha, together=together) for label, p in zip(shown, adjusted, strict=True)
    ]
    return Relaxation(tuple(rows), tuple(sentences))


def _sentence(label: str, tables: Sequence[Floats], p: float, alpha: float, *, together: bool) -> str:
    estimate = stratified_bootstrap([_beyond_others(table) for table in tables], method="t", joint=together)
    what = "is not shown to be followed by improvement or by loss: it may follow noise"
    if p <= alpha:
        what = f"is followed by {'improvement' if estimate.value > 0 else 'loss'}, beyond what the iteration explains"
    assert estimate.low is not None, "two seeds at least"
    assert estimate.high is not None
    size = f"{number(estimate.value)} [{number(estimate.low)}, {number(estimate.high)}]"
    return f"{label}: relaxation {what} (escape_follows_return {size}, p = {p_value(p)}, n = {estimate.n})"
