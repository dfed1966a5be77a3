"""One metric over all environments, in a unit in which they compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from gtr_bench.metrics.aggregates import optimality_gap, performance_profile, probability_of_improvement
from gtr_bench.metrics.interval import Estimate, Method, stratified_bootstraps, stratified_shares
from gtr_bench.metrics.run import Metric
from gtr_bench.report.collect import Record
from gtr_bench.report.curves import resampled_means
from gtr_bench.report.model import Interval
from gtr_bench.report.scores import Scores
from gtr_bench.report.values import NORMALISED, common_unit, joint, values_in
from gtr_bench.suite.bars import rival_of

__all__ = ["Aggregate", "Profile", "aggregates_of"]


RESAMPLES = 2000
"""Of profiles, and of the aggregates that need every pair of runs (protocols 13.1)."""
THRESHOLDS = tuple(round(0.02 * step, 2) for step in range(51))

Groups: TypeAlias = list[list[float]]
"""The values of each environment's seeds."""


@dataclass(frozen=True)
class Aggregate:
    """One algorithm over all environments; None where an environment has no seed. `n`: fewest seeds of any.

    `improvement` is the probability of improvement over the baseline, None for the baseline itself and without one.
    """

    algorithm: str
    mean: Interval | None
    median: Interval | None
    iqm: Interval | None
    optimality_gap: Interval | None
    improvement: Interval | None
    environments: int
    n: int


@dataclass(frozen=True)
class Profile:
    """Performance profile of one algorithm: the share of runs above each threshold, with a pointwise 95 % band."""

    algorithm: str
    thresholds: tuple[float, ...]
    shares: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def aggregates_of(
    runs: Sequence[Record],
    scores: Scores,
    metric: type[Metric],
    direction: str,
    algorithms: Sequence[str],
    baseline: str | None,
    interval: Method = "t",
    *,
    brief: bool = False,
) -> tuple[tuple[Aggregate, ...], tuple[Profile, ...], list[str]]:
    """Aggregates, performance profiles, and notes on them; none of the first two where environments do not compare.

    Optimality gap and profiles are of normalised returns that are better when higher: only there 1 is the aim.
    With `brief` there are means alone, which is all that the short report shows.
    """
    environments = list(dict.fromkeys(record.sequence for record in runs))
    if len(environments) < 2:
        return (), (), []
    unit = common_unit(metric, environments, scores)
    if unit is None:
        return (), (), ["no aggregate: not every sequence has `normalise`, so returns are not comparable"]
    values = values_in(unit, runs, metric, scores)
    groups: dict[str, Groups] = {
        label: [[value for _, value in sorted(values.get(name, {}).get(label, {}).items())] for name in environments]
        for label in algorithms
    }
    how = _How(interval, joint(runs), brief)
    aimed = unit == NORMALISED and direction == "higher"
    rivals = {
        label: groups.get(rival_of(baseline, label, algorithms) or "") if direction != "neutral" else None
        for label in groups
    }
    rows = tuple(_aggregate(label, own, rivals[label], direction, how, aimed=aimed) for label, own in groups.items())
    profiles = (
        tuple(_profile(label, own, how) for label, own in groups.items() if all(own)) if aimed and not brief else ()
    )
    what = "returns mapped to [0, 1] by the suite's `normalise`" if unit == NORMALISED else f"values as {unit}"
    notes = [
        f"aggregates: {what}; mean and median over environments of the mean over seeds; IQM = mean of all runs pooled, "
        "without the lowest and the highest quarter; seeds resampled "
        + ("for all environments together, which share their randomness" if how.joint else "within each environment")
    ]
    notes += ["optimality gap: how far runs stay below 1, on average; lower is better"] if aimed else []
    return rows, profiles, notes


@dataclass(frozen=True)
class _How:
    """How intervals are made: by which method, with seeds drawn for all environments together, and of means alone."""

    method: Method
    joint: bool
    brief: bool


def _aggregate(label: str, own: Groups, rivals: Groups | None, direction: str, how: _How, *, aimed: bool) -> Aggregate:
    n = min(len(group) for group in own)
    if n == 0:
        return Aggregate(label, None, None, None, None, None, len(own), 0)
    if how.brief:
        (found_mean,) = stratified_bootstraps(own, ("mean",), method=how.method, joint=how.joint)
        return Aggregate(label, _interval(found_mean), None, None, None, None, len(own), n)
    found = stratified_bootstraps(own, ("mean", "median", "iqm"), method=how.method, joint=how.joint)
    mean, median, iqm = map(_interval, found)
    gap = None
    if aimed:
        gap = _interval(optimality_gap(own, method=how.method, joint=how.joint, resamples=RESAMPLES))
    improvement = None
    if rivals is not None and all(rivals):
        sides = (own, rivals) if direction == "higher" else (rivals, own)
        improvement = _interval(
            probability_of_improvement(*sides, method=how.method, joint=how.joint, resamples=RESAMPLES)
        )
    return Aggregate(label, mean, median, iqm, gap, improvement, len(own), n)


def _profile(label: str, own: Groups, how: _How) -> Profile:
    """Environments weigh the same, whatever their number of seeds; equal streams draw equal seeds."""
    replicates = np.mean(
        [
            resampled_means(
                np.array(group)[:, None] > np.array(THRESHOLDS), RESAMPLES, stream=0 if how.joint else place
            )
            for place, group in enumerate(own)
        ],
        axis=0,
    )
    sizes = [len(group) for group in own]
    ends = stratified_shares(how.method if min(sizes) > 1 else "percentile", 0.95, sizes, joint=how.joint)
    low, high = np.quantile(replicates, ends, axis=0)
    shares = performance_profile(own, THRESHOLDS)
    return Profile(label, THRESHOLDS, tuple(shares.tolist()), tuple(low.tolist()), tuple(high.tolist()))


def _interval(estimate: Estimate) -> Interval:
    return Interval(estimate.value, estimate.low, estimate.high, estimate.n)
