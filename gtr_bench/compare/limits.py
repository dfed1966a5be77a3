"""What a test could have found: whether its seeds can decide at all, and the difference they find with power 0.8.

Both at the level of the step of Holm's procedure that decided the test, beside the others' p-values as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gtr_bench.metrics.interval import generator_of
from gtr_bench.metrics.inversion import lower_ends
from gtr_bench.metrics.planning import POWER, Plan, detectable
from gtr_bench.metrics.power import pessimistic_std
from gtr_bench.metrics.relabelled import EXACT_LIMIT, SAMPLES, TIE, Linear
from gtr_bench.wording import counted

__all__ = ["Design", "Step", "detectable_paired", "detectable_unpaired", "differing"]

Floats = NDArray[np.float64]
_FEWEST = 3
"""values a side below which their spread says nothing about power"""
_MOST_SEEDS = 64
_SIMULATIONS = 400
_LABELLINGS = 2048
_NEVER = f"no number of seeds can, as {SAMPLES:,} relabellings are drawn"


@dataclass(frozen=True)
class Step:
    """How Holm's procedure decided one of `tests` tests.

    Attributes:
        p, adjusted: as tested, and adjusted.
        left: hypotheses left at the step that decided it: it is rejected with `left * p <= alpha`.
    """

    p: float
    adjusted: float
    left: int
    tests: int

    def level(self, alpha: float) -> float:
        """What p must not exceed."""
        return alpha / self.left

    @property
    def among(self) -> str:
        """` among 4 tests`, as part of a sentence; nothing where there is one."""
        if self.tests == 1:
            return ""
        return f" among {self.tests:,} tests" + (f", {self.left:,} of them left" if self.left < self.tests else "")


@dataclass(frozen=True)
class Design:
    """How many seeds a test has: `n` pairs of which `differ` differ, or unpaired `n` and `m` of either side."""

    n: int
    m: int
    differ: int
    paired: bool

    @property
    def least_p(self) -> float:
        """The smallest p-value there can be, however large the differences are.

        A pair without a difference is the same under either sign. Pairs that are all equal could have differed.
        """
        return _least_paired(self.n, self.differ or self.n) if self.paired else _least_unpaired(self.n, self.m)

    def too_few(self, step: Step, alpha: float) -> str:
        """A sentence where so few seeds cannot decide at this step, whatever they hold; empty otherwise."""
        if step.left * self.least_p <= alpha:
            return ""
        at = f"at {alpha:g}{step.among}"
        if self.paired:
            verb = "differs" if self.differ == 1 else "differ"
            few = counted(self.n, "pair")
            few = f"{self.differ} of {few} {verb}, which" if 0 < self.differ < self.n else few
            needed = _first(lambda n: step.left * _least_paired(n, n) <= alpha)
            return f"{few} cannot decide {at}: " + (f"at least {needed} are needed" if needed else _NEVER)
        needed = _first(lambda n: step.left * _least_unpaired(n, n) <= alpha)
        more = f"at least {needed} a side are needed" if needed else _NEVER
        return f"{self.n} and {self.m} unpaired seeds cannot decide {at}: {more}"


def differing(differences: Floats) -> int:
    """How many pairs differ by more than rounding, which the tests take for nothing: [n], or curves [n, points]."""
    sizes = np.abs(differences.reshape(len(differences), -1)).max(axis=1)
    return int(np.count_nonzero(sizes > TIE * sizes.mean()))


def _least_paired(n: int, differ: int) -> float:
    flips = 2.0 ** (1 - differ)
    return flips if 2**n <= EXACT_LIMIT else max(flips, 1 / (SAMPLES + 1))


def _least_unpaired(n: int, m: int) -> float:
    splits = math.comb(n + m, n)
    # Equally large sides: a split and its mirror image are as extreme.
    return (2 if n == m else 1) / splits if splits <= EXACT_LIMIT else 1 / (SAMPLES + 1)


def _first(enough: Callable[[int], bool]) -> int | None:
    return next((n for n in range(1, _MOST_SEEDS) if enough(n)), None)


def detectable_paired(differences: Floats, level: float, ways: Sequence[float]) -> float | None:
    """How large a true mean difference must be for the sign-flip test of so many pairs to find it with power 0.8.

    Simulated on the differences themselves (`metrics.planning`), widened to the upper 80 % bound of their standard
    deviation. Skewed values are found sooner on one side than on the other.

    Args:
        differences: B - A, [n].
        level: of the two-sided test.
        ways: 1 for an increase, -1 for a decrease; of both, the larger.

    Returns:
        Its size; None where the differences do not vary or nothing can be found.
    """
    if len(differences) < _FEWEST:
        return None
    plans = [Plan.of([way * differences], level=level) for way in ways]
    return _larger([detectable(plan, len(differences)) if plan.spread > 0 else None for plan in plans])


def detectable_unpaired(before: Floats, after: Floats, level: float, ways: Sequence[float]) -> float | None:
    """The same for the permutation test of values without pairs, [n] and [m]: each side is drawn from its own."""
    n, m = len(before), len(after)
    if min(n, m) < _FEWEST or max(before.std(), after.std()) == 0:
        return None
    # Enough labellings for the level; together with the simulations not more than is quick.
    count = min(max(_LABELLINGS, math.ceil(8 / level)), 16 * _LABELLINGS)
    generator, simulations = generator_of(before, after), max(100, _SIMULATIONS * _LABELLINGS // count)
    drawn = [generator.choice(_residuals(side), (simulations, len(side))) for side in (after, before)]
    pooled = np.concatenate(drawn, axis=1)
    exact = math.comb(n + m, m) <= count
    weights = _weights(m, n, None if exact else (generator, count))
    observed, values = drawn[0].mean(axis=1) - drawn[1].mean(axis=1), pooled @ weights.T
    slopes, scale = weights[:, :m].sum(axis=1), float(np.abs(pooled).mean())
    return _larger([_found(Linear(way * observed, way * values, slopes, exact, scale), level) for way in ways])


def _found(tested: Linear, level: float) -> float | None:
    """A data set moved by d is found so where d lifts the lower end of its interval over 0."""
    ends = lower_ends(tested, lambda p: p <= level * (1 + 1e-12), two_sided=True)
    size = float(np.quantile(-ends, POWER, method="higher"))
    return max(size, 0.0) if math.isfinite(size) else None


def _weights(m: int, n: int, drawn: tuple[np.random.Generator, int] | None) -> NDArray[Any]:
    """[L, m + n]: 1 / m where a labelling calls a value B's, -1 / n elsewhere; all labellings, or so many drawn."""
    if drawn is None:
        chosen = np.array(list(combinations(range(m + n), m)))
    else:
        generator, count = drawn
        chosen = generator.permuted(np.broadcast_to(np.arange(m + n), (count, m + n)), axis=1)[:, :m]
    weights = np.full((len(chosen), m + n), -1 / n)
    np.put_along_axis(weights, chosen, 1 / m, axis=1)
    return weights


def _residuals(values: Floats) -> Floats:
    """Around their mean, with the pessimistic standard deviation."""
    apart = values - values.mean()
    size = float(np.sqrt(np.mean(apart**2)))
    wider = pessimistic_std(float(values.std(ddof=1)), len(values)) / size if size > 0 else 0.0
    return np.asarray(wider * apart)


def _larger(found: Sequence[float | None]) -> float | None:
    known = [each for each in found if each is not None]
    return max(known) if len(known) == len(found) else None
