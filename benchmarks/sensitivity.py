"""Error rates of the interval that decides `gtr-bench ablate`: `nice python -m benchmarks.sensitivity`.

Studies are drawn whose difference of sensitivities is known, with runs that collapse to 0, and it is counted how often
an end of the interval lies on the wrong side of it; then how often a difference is found. Prints the tables of
docs/statistics.md; some five minutes on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from gtr_bench.ablation.excess import excess_sensitivity

Floats = NDArray[np.float64]

SEEDS = (3, 5, 10, 20)
SETTINGS = 9
ENVIRONMENTS = 2
RATES = (0.02, 0.05, 0.1, 0.2, 0.35)
SPREADS = (0.02, 0.05, 0.15)
SIMULATIONS = 400

FLAT = np.full((SETTINGS, ENVIRONMENTS), 0.8)
"""Every setting is as good: T - X = 0."""
TILTED = np.linspace([0.8, 0.2], [0.2, 0.8], SETTINGS)
"""One environment wants the first setting, the other the last: T - X = 0.3."""
ONE_GOOD = np.full((SETTINGS, ENVIRONMENTS), 0.3)
ONE_GOOD[4] = 0.8
"""One setting is the best everywhere: T - X = 0."""
EVERYWHERE = np.ones((SETTINGS, ENVIRONMENTS))
NOWHERE = np.zeros((SETTINGS, ENVIRONMENTS))


def peaked(environments: int) -> Floats:
    """Each environment has a best setting of its own, and the last setting serves all: T - X = 0.2."""
    scores = np.full((SETTINGS, environments), 0.3)
    scores[np.arange(environments), np.arange(environments)] = 0.8
    scores[-1] = 0.6
    return scores


PEAKED, PEAKED_4 = peaked(2), peaked(4)
GOOD_4 = np.hstack([ONE_GOOD, ONE_GOOD])


@dataclass(frozen=True)
class Side:
    """Scores of runs that do not collapse, [settings, environments], and how often they do, as a share of the rate."""

    scores: Floats
    collapse: Floats

    def truth(self, rate: float) -> float:
        """T - X of the means, collapsed runs (at 0) included."""
        means = self.scores * (1 - rate * self.collapse)
        return float(means.max(axis=0).mean() - means.mean(axis=1).max())

    def drawn(self, generator: np.random.Generator, rate: float, spread: float, n: int) -> Floats:
        """[settings, environments, n]."""
        shape = (*self.scores.shape, n)
        runs = self.scores[:, :, None] + spread * generator.normal(size=shape)
        return np.where(generator.random(shape) < rate * self.collapse[:, :, None], 0.0, runs)


STUDIES: dict[str, tuple[Side, Side]] = {
    "flat; everywhere, both": (Side(FLAT, EVERYWHERE), Side(FLAT, EVERYWHERE)),
    "flat; everywhere, one": (Side(FLAT, EVERYWHERE), Side(FLAT, NOWHERE)),
    "tilted; everywhere, both": (Side(TILTED, EVERYWHERE), Side(TILTED, EVERYWHERE)),
    "tilted; everywhere, one": (Side(TILTED, EVERYWHERE), Side(TILTED, NOWHERE)),
    "peaked, one good; everywhere, both": (Side(PEAKED, EVERYWHERE), Side(ONE_GOOD, EVERYWHERE)),
    "peaked, one good; everywhere, one": (Side(PEAKED, EVERYWHERE), Side(ONE_GOOD, NOWHERE)),
    "peaked, one good; best settings": (Side(PEAKED, PEAKED == 0.8), Side(ONE_GOOD, NOWHERE)),
    "peaked, one good; shared setting": (Side(PEAKED, PEAKED == 0.6), Side(ONE_GOOD, NOWHERE)),
    "peaked, one good; good setting": (Side(PEAKED, NOWHERE), Side(ONE_GOOD, ONE_GOOD == 0.8)),
    "the same in 4 environments; everywhere, both": (
        Side(PEAKED_4, np.ones_like(PEAKED_4)),
        Side(GOOD_4, np.ones_like(GOOD_4)),
    ),
    "the same in 4 environments; best settings": (Side(PEAKED_4, PEAKED_4 == 0.8), Side(GOOD_4, np.zeros_like(GOOD_4))),
    "the same in 4 environments; shared setting": (
        Side(PEAKED_4, PEAKED_4 == 0.6),
        Side(GOOD_4, np.zeros_like(GOOD_4)),
    ),
}
"""name -> the two algorithms; `peaked, one good; best settings`: peaked against one good setting, and the runs of the
peaked one's best settings collapse. Either may be the subject: both ends are counted."""


def errors(name: str, rate: float, spread: float, n: int, *, simulations: int, seed: int = 0) -> tuple[float, float]:
    """Shares of studies whose lower end is above, and whose upper end is below the true difference."""
    one, other = STUDIES[name]
    truth = one.truth(rate) - other.truth(rate)
    generator = np.random.default_rng([seed, n, round(1000 * rate), round(1000 * spread), crc32(name.encode())])
    above = below = 0
    for _ in range(simulations):
        found = excess_sensitivity(one.drawn(generator, rate, spread, n), other.drawn(generator, rate, spread, n))
        assert found.low is not None
        assert found.high is not None
        above += found.low > truth + 1e-9
        below += found.high < truth - 1e-9
    return above / simulations, below / simulations


def error_table(simulations: int, seed: int) -> Iterator[str]:
    """A row per kind of study: the largest error of either end over rates and spreads."""
    yield f"| scores; which runs collapse | {' | '.join(f'n = {n}' for n in SEEDS)} |"
    yield "|" + " --- |" * (1 + len(SEEDS))
    for name in STUDIES:
        worst = [
            max(
                max(errors(name, rate, spread, n, simulations=simulations, seed=seed))
                for rate in RATES
                for spread in SPREADS
            )
            for n in SEEDS
        ]
        yield f"| {name} | {' | '.join(f'{each:.3f}' for each in worst)} |"


def power(rate: float, n: int, *, simulations: int, seed: int = 0, spread: float = 0.05) -> float:
    """How often a tilted response is found more sensitive than a flat one, by 0.3 (1 - rate)."""
    generator = np.random.default_rng([seed, n, round(1000 * rate)])
    one, other = Side(TILTED, EVERYWHERE), Side(FLAT, EVERYWHERE)
    ends = [
        excess_sensitivity(one.drawn(generator, rate, spread, n), other.drawn(generator, rate, spread, n)).low
        for _ in range(simulations)
    ]
    return float(np.mean([end is not None and end > 0 for end in ends]))


def power_table(simulations: int, seed: int) -> Iterator[str]:
    """How often a difference of 0.3 is found."""
    seeds = (3, 5, 8, 10, 15, 20, 40)
    yield f"| runs that collapse | {' | '.join(f'n = {n}' for n in seeds)} |"
    yield "|" + " --- |" * (1 + len(seeds))
    for rate in (0.0, 0.05, 0.1):
        found = [power(rate, n, simulations=simulations, seed=seed) for n in seeds]
        yield f"| {rate:.0%} | {' | '.join(f'{each:.2f}' for each in found)} |"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=SIMULATIONS)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for line in error_table(asked.simulations, asked.seed):
        print(line, flush=True)
    print()
    for line in power_table(asked.simulations // 2, asked.seed):
        print(line, flush=True)


if __name__ == "__main__":
    main()
