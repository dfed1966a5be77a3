"""Learning curves of finished jobs: mean over seeds, a pointwise band, each seed's line, and where worlds change."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from string import ascii_uppercase

import numpy as np
from numpy.typing import NDArray

from gtr_bench.metrics.run import Run
from gtr_bench.report.collect import Record
from gtr_bench.report.model import LearningCurve, SeedLine
from gtr_bench.report.scores import Scores

__all__ = ["curves_of", "letter", "points_of", "resampled_means"]

RESAMPLES = 1000
"""Enough for a band: its edge is thinner than the line that draws it."""

Floats = NDArray[np.float64]


def curves_of(records: Sequence[Record], scores: Scores, algorithms: Sequence[str]) -> tuple[LearningCurve, ...]:
    """A curve per environment and algorithm with a finished job; diverged jobs are drawn at the lowest return."""
    finished = [record for record in records if record.role == "run" and record.summary]
    curves = []
    for environment in dict.fromkeys(record.sequence for record in finished):
        for algorithm in algorithms:
            own = [r for r in finished if (r.sequence, r.algorithm) == (environment, algorithm)]
            if own:
                curves.append(_curve(environment, algorithm, own, [scores.run(each, "return") for each in own]))
    return tuple(curves)


def _curve(environment: str, algorithm: str, records: Sequence[Record], runs: Sequence[Run]) -> LearningCurve:
    grids = [points_of(run) for run in runs]
    grid = sorted(set().union(*grids))
    places = {point: column for column, point in enumerate(grid)}
    values = np.full((len(runs), len(grid)), np.nan)
    for row, points in enumerate(grids):
        for point, value in points.items():
            values[row, places[point]] = value
    mean, low, high = _band(values)
    lines = (
        SeedLine(record.seed, record.job, tuple(None if np.isnan(v) else float(v) for v in row))
        for record, row in zip(records, values, strict=True)
    )
    run = runs[0]
    names = {world: letter(index) for index, world in enumerate(dict.fromkeys(run.worlds))}
    return LearningCurve(
        environment=environment,
        algorithm=algorithm,
        steps=tuple(step for step, _ in grid),
        mean=tuple(mean.tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        seeds=tuple(sorted(lines, key=lambda line: line.seed)),
        boundaries=tuple(run.starts[1:]),
        worlds=tuple(names[world] for world in run.worlds),
        total=sum(run.lengths),
    )


def points_of(run: Run) -> dict[tuple[int, int], float]:
    """(step, phase) -> finite return on the world being trained; a shift's step has a point in either phase."""
    own = (run.phases == run.evaluated_phases) & np.isfinite(run.values)
    keys = zip(run.steps[own].tolist(), run.phases[own].tolist(), strict=True)
    return dict(zip(keys, run.values[own].tolist(), strict=True))


def _band(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean over seeds of [seeds, points] and the ends of its percentile bootstrap interval at every point.

    All points share their resamples, so a band is as smooth as its curves; a missing value leaves its seed out there.
    """
    present = np.isfinite(values)
    mean = np.where(present, values, 0.0).sum(axis=0) / present.sum(axis=0)
    if len(values) == 1:
        return mean, mean, mean
    replicates = resampled_means(values, RESAMPLES)
    low, high = np.quantile(np.where(np.isfinite(replicates), replicates, mean), [0.025, 0.975], axis=0)
    return mean, low, high


def resampled_means(values: NDArray[np.float64 | np.bool_], resamples: int, stream: int = 0) -> Floats:
    """Means over drawn seeds of [seeds, points], each column with the same draws: [resamples, points].

    A missing value leaves its seed out of its point; NaN where a draw has no value there.
    """
    seeds = len(values)
    drawn = _draws(seeds, resamples, stream)
    present = np.isfinite(values)
    if present.all():
        return _product(drawn, values.astype(np.float64)) / seeds
    counts = _product(drawn, present.astype(np.float64))
    sums = _product(drawn, np.where(present, values, 0.0))
    return np.asarray(np.divide(sums, counts, out=np.full(counts.shape, np.nan), where=counts > 0))


def _product(drawn: Floats, values: Floats) -> Floats:
    """`drawn @ values` in parts too small for BLAS to use threads, which takes ten times as long on a busy machine."""
    rows = max(1, 200_000 // values.size)
    return np.concatenate([drawn[start : start + rows] @ values for start in range(0, len(drawn), rows)])


@lru_cache(maxsize=64)
def _draws(seeds: int, resamples: int, stream: int) -> Floats:
    """How often each seed is drawn: [resamples, seeds]."""
    places = np.random.default_rng(stream).integers(0, seeds, size=(resamples, seeds))
    places += seeds * np.arange(resamples)[:, None]
    counts = np.bincount(places.ravel(), minlength=resamples * seeds)
    return counts.reshape(resamples, seeds).astype(np.float64)


def letter(index: int) -> str:
    """A, B, ... Z, A2, B2, ..."""
    lap, place = divmod(index, len(ascii_uppercase))
    return ascii_uppercase[place] + (str(lap + 1) if lap else "")
