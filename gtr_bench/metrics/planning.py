"""How many seeds a paired question needs, by the very test that decides it.

The test is simulated on the pilot's own differences: drawn with replacement around each environment's centre, widened
to the upper 80 % bound of their standard deviation, relabelled and held to the level as in a report. So the sign-flip's
granularity, the spread between environments and Holm's level are in the answer, which no formula has. From
`SIMULATED_SEEDS` on the t-test's power is taken, which the sign-flip's follows there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtr_bench.metrics.interval import Statistic, generator_of, iqm
from gtr_bench.metrics.inversion import lower_ends
from gtr_bench.metrics.power import MOST_SEEDS, pessimistic_std
from gtr_bench.metrics.power import seeds_needed as seeds_by_t
from gtr_bench.metrics.relabelled import Linear, Searched, Seeds, blocks_of, checked, p_values, relabel

__all__ = ["POWER", "Plan", "detectable", "fewest_seeds", "power_of", "seeds_needed"]

Floats = NDArray[np.float64]

POWER = 0.8
SIMULATED_SEEDS = 64
SIMULATIONS = 400
LABELLINGS = 2048
EFFICIENCY: dict[Statistic, float] = {"mean": 1.0, "iqm": 0.84, "median": 2 / math.pi}
"""Of normal differences' estimates, relative to the mean (Andrews and others, Robust Estimates of Location, 1972)."""
_SLOW = 8
"""Statistics that must be sorted under every labelling are simulated so many times less, each way."""


@dataclass(frozen=True)
class Plan:
    """A paired question and its pilot.

    Attributes:
        residuals: differences of each environment minus its centre, widened: [n_e].
        centres: each environment's centre minus their mean, [E].
        spread: std of the effect with one pair per environment; 0 where no environment's differences vary.
        level: of the test, already divided by the size of Holm's family.
        two_sided: whether the test is.
        joint: the seeds' differences are flipped together over environments.
        estimand: what is tested.
        seed: of the simulation, by the pilot's values.
    """

    residuals: tuple[Floats, ...]
    centres: Floats
    spread: float
    level: float
    two_sided: bool
    joint: bool
    estimand: Statistic
    seed: int

    @classmethod
    def of(
        cls,
        groups: Sequence[ArrayLike],
        *,
        level: float,
        two_sided: bool = True,
        seeds: Seeds | None = None,
        estimand: Statistic = "mean",
    ) -> Plan:
        """A plan from a pilot's differences, two in each environment at least; the other arguments as for a test."""
        data = checked(groups)
        centres = np.array([float(_centre(group, estimand)) for group in data])
        if seeds is not None:
            # Seeds are drawn whole, so that what environments share is kept: those that all of them have.
            common = sorted(set.intersection(*map(set, seeds)))
            if len(common) >= 2:
                places = [[list(each).index(seed) for seed in common] for each in seeds]
                data = [group[rows] for group, rows in zip(data, places, strict=True)]
        residuals = tuple(_widened(group, centre) for group, centre in zip(data, centres, strict=True))
        stds = [float(np.sqrt(np.mean(each**2))) for each in residuals]
        if seeds is None:
            spread = math.sqrt(sum(std**2 for std in stds)) / len(stds)
        else:
            aligned = _aligned(residuals, joint=True)
            spread = float(np.mean(residuals, axis=0).std()) if aligned else float(np.mean(stds))
        # What environments differ in is flipped with the rest.
        between = 0.0 if seeds is not None else float(np.mean((centres - centres.mean()) ** 2)) / len(data)
        spread = math.sqrt(spread**2 + between)
        drawn = int(generator_of(*data).integers(2**32))
        centred = centres - centres.mean()
        return cls(residuals, centred, spread, level, two_sided, seeds is not None, estimand, drawn)

    def least_p(self, sizes: Sequence[int]) -> float:
        """The smallest p-value that so many pairs in each environment can have."""
        signs = max(sizes) if self.joint else sum(sizes)
        # Flipping what an interquartile mean leaves out changes nothing.
        idle = sum(size // 4 for size in sizes) if self.estimand == "iqm" and not self.joint else 0
        return min(1.0, (2 if self.two_sided else 1) * 2.0 ** (idle - signs))


def fewest_seeds(plan: Plan) -> int:
    """Fewest pairs per environment with which the test can reject at all."""
    n = 2
    while plan.least_p([n] * len(plan.centres)) > plan.level * (1 + 1e-12):
        n += 1
    return n


def power_of(plan: Plan, n: int, distance: float) -> float:
    """Share of simulated data sets of n pairs per environment, `distance` beyond the bar, that the test finds so."""
    tested = _simulated(plan, n, distance)
    p = p_values(tested, "two-sided" if plan.two_sided else "greater")
    return float(np.mean((p <= plan.level * (1 + 1e-12)) & (tested.at(0.0, "greater")[0] > 0)))


def seeds_needed(plan: Plan, distance: float) -> int | None:
    """Fewest pairs per environment that find a true effect `distance` from the bar with power 0.8, on its side.

    None for no distance, and above `MOST_SEEDS`.
    """
    if distance == 0 or not math.isfinite(distance):
        return None
    if distance < 0:
        plan = Plan(tuple(-each for each in plan.residuals), -plan.centres, plan.spread, plan.level, plan.two_sided,
                    plan.joint, plan.estimand, plan.seed)  # fmt: skip
    fewest, size = fewest_seeds(plan), abs(distance)
    sided = plan.level if plan.two_sided else 2 * plan.level
    standardised = size / plan.spread * math.sqrt(EFFICIENCY[plan.estimand]) if plan.spread > 0 else math.inf
    by_t = seeds_by_t(standardised, alpha=sided, design="paired") if plan.spread > 0 else fewest
    if by_t is None or by_t > SIMULATED_SEEDS:
        return by_t
    low, high = fewest - 1, max(fewest, by_t)
    step = 1
    while power_of(plan, high, size) < POWER:
        low, high, step = high, high + step, 2 * step
        if high > 2 * SIMULATED_SEEDS:
            return min(high, MOST_SEEDS)
    step = 1
    while high - 1 > low:
        near = max(low + 1, high - step)
        if power_of(plan, near, size) >= POWER:
            high, step = near, 2 * step
        else:
            low, step = near, 1
    return high


def detectable(plan: Plan, n: int) -> float | None:
    """The distance from the bar that n pairs per environment find with power 0.8; None where they can find none."""
    if plan.least_p([n] * len(plan.centres)) > plan.level * (1 + 1e-12):
        return None
    tested = _simulated(plan, n, 0.0)
    if isinstance(tested, Linear):
        # A data set moved by d is found so where d lifts the lower end of its interval over the bar.
        ends = lower_ends(tested, lambda p: p <= plan.level * (1 + 1e-12), two_sided=plan.two_sided)
        found = float(np.quantile(-ends, POWER, method="higher"))
        return max(found, 0.0) if math.isfinite(found) else None
    low, high = 0.0, plan.spread
    while power_of(plan, n, high) < POWER:
        low, high = high, 2 * high
        if high > 1e6 * plan.spread:
            return None
    for _ in range(6):
        middle = (low + high) / 2
        low, high = (low, middle) if power_of(plan, n, middle) >= POWER else (middle, high)
    return high


def _simulated(plan: Plan, n: int, distance: float) -> Linear | Searched:
    """Data sets drawn from the pilot, [simulations, n] per environment, under labellings they share."""
    labellings, simulations = _sizes(plan)
    generator = np.random.default_rng(plan.seed)
    drawn = [generator.integers(0, len(each), (n, simulations)) for each in plan.residuals]
    if _aligned(plan.residuals, joint=plan.joint):
        drawn = [drawn[0]] * len(drawn)
    groups = [
        residuals[places].T + centre + distance
        for residuals, places, centre in zip(plan.residuals, drawn, plan.centres, strict=True)
    ]
    if plan.estimand == "iqm":
        # New differences are not equal to the bit, as drawn ones are: equal ones cost this statistic its smallest p.
        groups = [group + 1e-6 * plan.spread * generator.random(group.shape) for group in groups]
    count = len(groups)
    blocks = blocks_of([n] * count, [range(n)] * count if plan.joint else None)
    size = n if plan.joint else n * count
    exact = 2**size <= max(labellings, LABELLINGS)
    flipped = (
        (np.arange(2**size) >> np.arange(size)[:, None]) & 1 if exact else generator.integers(0, 2, (size, labellings))
    )
    return relabel(groups, blocks, 1 - 2 * flipped.astype(np.int8), plan.estimand, exact=exact)


def _sizes(plan: Plan) -> tuple[int, int]:
    """Labellings and simulations: enough of the former for the level, together not more than is quick."""
    labellings = min(max(LABELLINGS, math.ceil(8 / plan.level)), 16 * LABELLINGS)
    simulations = max(100, SIMULATIONS * LABELLINGS // labellings)
    if plan.estimand == "iqm":
        return max(labellings // _SLOW, math.ceil(8 / plan.level)), max(50, simulations // _SLOW)
    return labellings, simulations


def _aligned(groups: Sequence[Floats], *, joint: bool) -> bool:
    """Whether a seed has the same place in every environment, so that it can be drawn for all at once."""
    return joint and len({len(group) for group in groups}) == 1


def _centre(values: Floats, estimand: Statistic) -> Floats:
    if estimand == "mean":
        return np.asarray(values.mean())
    return np.asarray(np.median(values)) if estimand == "median" else iqm(values)


def _widened(values: Floats, centre: float) -> Floats:
    """Around their centre, with the pessimistic standard deviation."""
    apart = values - centre
    size = float(np.sqrt(np.mean(apart**2)))
    if size <= 1e-12 * float(np.abs(values).max()) or len(values) < 2:
        return np.zeros(len(values))
    return np.asarray(apart * pessimistic_std(float(values.std(ddof=1)), len(values)) / size)
