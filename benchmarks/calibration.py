"""Coverage of every interval a report shows, and seeds per power: `nice python -m benchmarks.calibration`.

Scores are drawn from distributions whose truth is known, the program's own functions make the intervals, and it is
counted how often an interval holds the truth; differences are drawn, and it is counted how often the test finds them.
Prints the tables of docs/statistics.md; some ten minutes on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from gtr_bench.metrics.aggregates import optimality_gap, performance_profile, probability_of_improvement
from gtr_bench.metrics.interval import (
    Method,
    Statistic,
    bootstrap,
    iqm,
    stratified_bootstrap,
    stratified_shares,
    student,
)
from gtr_bench.metrics.inversion import invert, lower_ends
from gtr_bench.metrics.planning import POWER
from gtr_bench.metrics.power import seeds_needed as seeds_by_t
from gtr_bench.metrics.relabelled import Linear, blocks_of, flip, relabel
from gtr_bench.report.curves import resampled_means

Floats = NDArray[np.float64]
Ends = tuple[float | None, float | None]

SEEDS = (3, 5, 10, 20)
RESAMPLES = 1000
"""A report takes 10,000 (2,000 where pairs of runs are compared): that moves an end by little, and coverage by less."""
SIMULATIONS = 1000
POWER_SIMULATIONS = 4000
LABELLINGS = 4096


def _failing(generator: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Two heaps: a quarter of the runs fails, at 0, the others reach 1; spread 0.1 in either."""
    return (generator.random(shape) < 0.75) + 0.1 * generator.normal(size=shape)


SCORES: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Floats]] = {
    "normal": lambda generator, shape: generator.normal(size=shape),
    "lognormal": lambda generator, shape: generator.lognormal(size=shape),
    "t, 3 df": lambda generator, shape: generator.standard_t(3, size=shape),
    "a quarter fails": _failing,
}
PROFILED = 0.5
"""The threshold at which a profile's band is checked."""


def runs_of(scores: str, generator: np.random.Generator, sides: int, count: int, shape: tuple[int, int]) -> Floats:
    """[simulations, sides * environments, seeds]; environments differ by half a unit each, as tasks do."""
    simulations, seeds = shape
    drawn = SCORES[scores](generator, (simulations, sides, count, seeds)) + 0.5 * np.arange(count)[:, None]
    return drawn.reshape(simulations, sides * count, seeds)


def mean(method: Method) -> Callable[[Floats], Ends]:
    def ends(values: Floats) -> Ends:
        found = bootstrap(values[0], method=method, resamples=RESAMPLES)
        return found.low, found.high

    return ends


def students(values: Floats) -> Ends:
    found = student(values[0])
    return found.low, found.high


def shared_draws(values: Floats) -> Ends:
    low, high = np.quantile(resampled_means(values[0][:, None], RESAMPLES), [0.025, 0.975])
    return float(low), float(high)


def inverted(statistic: Statistic) -> Callable[[Floats], Ends]:
    """Both algorithms meet the same worlds: what a seed adds to both cancels."""

    def ends(values: Floats) -> Ends:
        tested = flip([values[0] - values[1]], estimand=statistic)
        return invert(tested, (lambda p: p <= 0.05,) * 2, two_sided=True)

    return ends


def aggregate(statistic: Statistic, method: Method) -> Callable[[Floats], Ends]:
    def ends(values: Floats) -> Ends:
        found = stratified_bootstrap(values, statistic, method=method, resamples=RESAMPLES)
        return found.low, found.high

    return ends


def gap(values: Floats) -> Ends:
    found = optimality_gap(values, method="t", resamples=RESAMPLES)
    return found.low, found.high


def improvement(values: Floats) -> Ends:
    """The first half of the rows against the second: environments of one algorithm, then of the other."""
    half = len(values) // 2
    found = probability_of_improvement(values[:half], values[half:], method="t", resamples=RESAMPLES)
    return found.low, found.high


def profile(values: Floats) -> Ends:
    above = [
        resampled_means(group[:, None] > PROFILED, RESAMPLES, stream=place).ravel()
        for place, group in enumerate(values)
    ]
    shares = stratified_shares("t", 0.95, [values.shape[1]] * len(values), joint=False)
    low, high = np.quantile(np.mean(above, axis=0), shares)
    return float(low), float(high)


@dataclass(frozen=True)
class Kind:
    """One kind of interval: its ends from the scores [sides * environments, seeds], and the same statistic of many."""

    ends: Callable[[Floats], Ends]
    truth: Callable[[Floats], float]
    sides: int = 1
    environments: int = 1
    slow: int = 1
    """takes so many times as long: simulated so many times less"""


def _mean(many: Floats) -> float:
    return float(many.mean())


KINDS = {
    "mean, t": Kind(mean("t"), _mean),
    "mean, Student's t (mechanism)": Kind(students, _mean),
    "mean, percentile": Kind(mean("percentile"), _mean),
    "mean, BCa": Kind(mean("bca"), _mean),
    "mean, curves": Kind(shared_draws, _mean),
    "paired difference, mean": Kind(inverted("mean"), lambda many: float(many[0].mean() - many[1].mean()), sides=2),
    "paired difference, IQM": Kind(inverted("iqm"), lambda many: float(iqm(many[0] - many[1])), sides=2, slow=5),
    "paired difference, median": Kind(inverted("median"), lambda many: float(np.median(many[0] - many[1])), sides=2),
    "mean, percentile, 2 environments": Kind(aggregate("mean", "percentile"), _mean, environments=2),
    **{
        f"{name}, {count} environments": replace(kind, environments=count)
        for count in (2, 4)
        for name, kind in {
            "mean": Kind(aggregate("mean", "t"), _mean),
            "median": Kind(aggregate("median", "t"), lambda many: float(np.median(many.mean(axis=1)))),
            "IQM": Kind(aggregate("iqm", "t"), lambda many: float(iqm(many.ravel()))),
            "optimality gap": Kind(gap, lambda many: float(1 - np.minimum(many, 1).mean())),
            "profile at 0.5": Kind(profile, lambda many: float(performance_profile(many, [PROFILED])[0])),
            "P(better)": Kind(improvement, lambda many: float(np.mean(np.greater(*np.split(many, 2)))), sides=2),
        }.items()
    },
}


@cache
def truth(kind: str, scores: str) -> float:
    """What the interval is for, from a million draws of every environment."""
    asked = KINDS[kind]
    generator = np.random.default_rng([1, crc32(scores.encode())])
    return asked.truth(runs_of(scores, generator, asked.sides, asked.environments, (1, 1_000_000))[0])


def coverage(kind: str, scores: str, n: int, *, simulations: int, seed: int) -> float:
    """Share of simulated data sets of n seeds whose interval holds the truth."""
    asked = KINDS[kind]
    generator = np.random.default_rng([seed, n, *(crc32(text.encode()) for text in (kind, scores))])
    held, simulations = 0, simulations // asked.slow
    for values in runs_of(scores, generator, asked.sides, asked.environments, (simulations, n)):
        low, high = asked.ends(values)
        assert low is not None
        assert high is not None
        held += low <= truth(kind, scores) <= high
    return held / simulations


def coverage_table(simulations: int, seed: int) -> Iterator[str]:
    yield f"| interval | scores | {' | '.join(f'n = {n}' for n in SEEDS)} |"
    yield "|" + " --- |" * (2 + len(SEEDS))
    for kind in KINDS:
        for scores in SCORES:
            shares = [coverage(kind, scores, n, simulations=simulations, seed=seed) for n in SEEDS]
            yield f"| {kind} | {scores} | {' | '.join(f'{share:.3f}' for share in shares)} |"


@cache
def found(n: int, level: float) -> Floats:
    """The effects from which on each of many data sets of n normal differences is found at a level, sorted."""
    generator = np.random.default_rng([2, n])
    data = generator.normal(size=(POWER_SIMULATIONS, n))
    exact = 2**n <= LABELLINGS
    flipped = (np.arange(2**n) >> np.arange(n)[:, None]) & 1 if exact else generator.integers(0, 2, (n, LABELLINGS))
    ends = []
    for part in np.array_split(data, 16):
        tested = relabel([part], blocks_of([n], None), 1 - 2 * flipped.astype(np.int8), "mean", exact=exact)
        assert isinstance(tested, Linear)
        ends.append(-lower_ends(tested, lambda p: p <= level, two_sided=True))
    return np.sort(np.concatenate(ends))


def power(size: float, n: int, level: float = 0.05) -> float:
    """Of the paired sign-flip, two-sided, counted on the side of the effect: how often an effect of `size` is found."""
    return float(np.mean(found(n, level) < size))


def pairs_needed(size: float, level: float) -> int:
    n = 2
    while power(size, n, level) < POWER:
        n += 1 if n < 12 else 2 if n < 30 else 3
    while power(size, n - 1, level) >= POWER:
        n -= 1
    return n


def power_table(sizes: Sequence[float] = (0.5, 0.8, 1.0, 1.5, 2.0, 3.0)) -> Iterator[str]:
    yield "| effect / std | pairs needed | of 4 in Holm's family | two-sample, by t | power of 5 | of 10 | of 20 |"
    yield "|" + " --- |" * 7
    for size in sizes:
        needed = [pairs_needed(size, 0.05), pairs_needed(size, 0.05 / 4), seeds_by_t(size)]
        reached = [f"{power(size, n):.2f}" for n in (5, 10, 20)]
        yield f"| {size:g} | {' | '.join(str(each) for each in needed)} | {' | '.join(reached)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=SIMULATIONS)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for line in coverage_table(asked.simulations, asked.seed):
        print(line, flush=True)
    print()
    for line in power_table():
        print(line)


if __name__ == "__main__":
    main()
