"""Metrics of learning in a changing world (protocols 1).

J(t) is the evaluated return at step t; phases i = 1..N are ((i-1)D, iD]; phase 0 in a file is i = 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from gtr_bench.metrics.run import FINAL_WINDOW, Bounds, Companions, Metric, Need, Run, Score, mean_curve, undefined

__all__ = [
    "RECOVERY_SHARE",
    "Drop",
    "LifetimeReturn",
    "OracleGap",
    "PhaseAuc",
    "PhaseFinal",
    "PlasticityRatio",
    "RecoverySteps",
    "RecoveryStepsMedian",
    "drops",
    "final",
    "phase_aucs",
    "phase_finals",
    "recoveries",
]

RECOVERY_SHARE = 0.8
"""q: the share of the reference's final level that counts as recovered (protocols 1)."""


def final(curve: NDArray[np.float64], window: int = FINAL_WINDOW) -> float:
    """Mean of the last `window` points of a curve, of all when there are fewer; NaN for none."""
    return float(np.mean(curve[-window:])) if len(curve) else float("nan")


def _mean(curve: NDArray[np.float64]) -> float:
    return float(np.mean(curve)) if len(curve) else float("nan")


def phase_aucs(run: Run) -> NDArray[np.float64]:
    """`phase_auc_i` = mean of J over the evaluation points of phase i; shape [N]. Source: protocols 1."""
    return np.array([_mean(run.curve(phase)) for phase in range(len(run.lengths))])


def phase_finals(run: Run, window: int = FINAL_WINDOW) -> NDArray[np.float64]:
    """`phase_final_i` = mean of the last `window` points of phase i; shape [N]. Source: protocols 1."""
    return np.array([final(run.curve(phase), window) for phase in range(len(run.lengths))])


def drops(run: Run) -> NDArray[np.float64]:
    """`drop_i` = J at the last point before shift i - J at the first point after it; shape [N - 1].

    Source: protocols 1. The first point after a shift is the one before any step of the new phase, when there is one.
    """
    sizes = []
    for phase in range(1, len(run.lengths)):
        before = run.curve(phase - 1)
        after = run.values[(run.phases == phase) & (run.evaluated_phases == phase)]
        sizes.append(before[-1] - after[0] if len(before) and len(after) else np.nan)
    return np.array(sizes, dtype=np.float64)


def recoveries(run: Run, thresholds: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Steps after shift i until J first reaches `thresholds[i]`; both results have shape [N - 1].

    Returns the steps, capped at the length of the phase, and which of them were censored by that cap. J is taken at
    evaluation points as it is: an evaluation is already a mean over episodes. Source: protocols 1.
    """
    steps, censored = [], []
    for shift, threshold in enumerate(thresholds):
        phase = shift + 1
        own = (run.phases == phase) & (run.evaluated_phases == phase)
        reached = run.steps[own][run.values[own] >= threshold]
        censored.append(len(reached) == 0)
        steps.append(float(reached[0] - run.starts[phase]) if len(reached) else float(run.lengths[phase]))
    return np.array(steps, dtype=np.float64), np.array(censored, dtype=np.bool_)


class LifetimeReturn(Metric):
    """Mean of J over all evaluation points of the run, each on the world being trained. Source: protocols 1."""

    name = "lifetime_return"
    direction = "higher"
    definition = "mean return over all evaluation points of the run"

    @classmethod
    def score(cls, run: Run, companions: Companions) -> Score:
        """Mean over the points of all phases."""
        curves = [run.curve(phase) for phase in range(len(run.lengths))]
        points = np.concatenate(curves)
        return Score(float(points.mean())) if len(points) else undefined("no evaluation")


class PhaseAuc(Metric):
    """Mean over phases i >= 2 of `phase_auc_i`: learning after shifts alone. Source: protocols 1, 15.1."""

    name = "phase_auc"
    direction = "higher"
    needs: ClassVar[frozenset[Need]] = frozenset({"shift"})
    definition = "mean over the phases after the first of the mean return over the phase's evaluation points"

    @classmethod
    def score(cls, run: Run, companions: Companions) -> Score:
        """Mean of the phases' means."""
        if len(run.lengths) < 2:
            return undefined("one phase only")
        return Score(float(phase_aucs(run)[1:].mean()))


class PhaseFinal(Metric):
    """Mean over phases of `phase_final_i`, the mean of a phase's last 5 points. Source: protocols 1."""

    name = "phase_final"
    direction = "higher"
    definition = f"mean over phases of the mean return over the phase's last {FINAL_WINDOW} evaluation points"

    @classmethod
    def score(cls, run: Run, companions: Companions) -> Score:
        """Mean of the phases' ends; says so where a phase has no more points than that, so that they are the whole."""
        short = min(len(run.curve(phase)) for phase in range(len(run.lengths))) <= FINAL_WINDOW
        reason = f"with phases of no more than {FINAL_WINDOW} points, these are all points, as in lifetime_return"
        return Score(float(phase_finals(run).mean()), reason=reason if short else "")


class PlasticityRatio(Metric):
    """Loss of the ability to learn: 1 = none. Source: protocols 1.

    `phase_auc_N / phase_auc_1` where the last phase's world is the first's again; otherwise the mean over i > 1 of
    `phase_auc_i / reference_auc_i`. Denominators must be positive.
    """

    name = "plasticity_ratio"
    direction = "higher"
    unit = "share"
    ratio = True
    needs: ClassVar[frozenset[Need]] = frozenset({"shift"})
    definition = (
        "mean return of the last phase over the first's where the world returns, "
        "else mean over later phases of mean return over the reference runs'"
    )

    @classmethod
    def score(cls, run: Run, companions: Companions) -> Score:
        """The ratio, or why there is none."""
        if len(run.lengths) < 2:
            return undefined("one phase only")
        aucs = phase_aucs(run)
        if run.worlds[0] == run.worlds[-1]:
            above, below = aucs[-1:], aucs[:1]
        else:
            later = range(1, len(run.lengths))
            if any(not companions.references.get(phase) for phase in later):
                return undefined("needs reference runs of every phase after the first")
            above, below = aucs[1:], np.array([mean_curve(companions.references[phase], _mean) for phase in later])
        if not np.all(below > 0):
            return undefined("a denominator is not positive; give the sequence `normalise`")
        return Score(float(np.mean(above / below)))

    @classmethod
    def largest_where(cls, run: Run) -> NDArray[np.bool_]:
        """After the first phase."""
        return run.phases > 0


class OracleGap(Metric):
    """`lifetime_return` of the oracle with the same seed minus the run's. Source: protocols 1.

    The oracle is re-initialised at every shift: a calibration line, not an upper bound.
    """

    name = "oracle_gap"
    direction = "lower"
    needs: ClassVar[frozenset[Need]] = frozenset({"oracle"})
    definition = "lifetime_return of the oracle with the same seed minus the run's"

    @classmethod
    def score(cls, run: Run, companions: Companions) -> Score:
        """The difference of lifetime returns."""
        if companions.oracle is None:
            return undefined("needs a run of `oracle` with the same seed")
        oracle, own = (LifetimeReturn.score(each, companions) for each in (companions.oracle, run))
        return Score(oracle.value - own.value, reason=oracle.reason or own.reason)


class Drop(Metric):
    """Mean over shifts of max(`drop_i`, 0): the size of the shock. Source: protocols 1 (`drop_i`).

    A rise counts 0, or from an easy world to a hard one and back both would cancel.
    """

    name = "drop"
    direction = "neutral"
    needs: ClassVar[frozenset[Need]] = frozenset({"shift"})
    definition = (
        "mean over shifts of the return at the last evaluation before the shift minus the first after it, a rise as 0"
    )

    @classmethod
    def score(cls, run: Run, companions: Companions) -> Score:
        """Mean of the drops."""
        sizes = np.maximum(drops(run), 0)  # NaN stays
        return Score(float(sizes.mean())) if len(sizes) else undefined("no shift")

    @classmethod
    def largest_where(cls, run: Run) -> NDArray[np.bool_]:
        """Everywhere but just after a shift."""
        return ~run.fresh


class RecoverySteps(Metric):
    """Mean over shifts of `recovery_steps_i`. Source: protocols 1.

    Steps after shift i until J first reaches q = 0.8 of the reference runs' `phase_final` of that phase; a recovery
    that does not happen counts as the whole phase and is counted in `censored`.
    """

    name = "recovery_steps"
    direction = "lower"
    needs: ClassVar[frozenset[Need]] = frozenset({"references", "shift"})
    unit = "steps"
    ratio = True
    definition = (
        f"mean over shifts of the steps until the return reaches {RECOVERY_SHARE:g} of the reference runs' "
        "final level; a recovery that does not happen counts as the whole phase and as censored"
    )
    middle: ClassVar[Callable[..., Any]] = staticmethod(np.mean)
    """How the shifts of one run become one number."""

    @classmethod
    def score(cls, run: Run, companions: Companions) -> Score:
        """Mean of the recoveries, with the number of censored ones."""
        later = range(1, len(run.lengths))
        if not later:
            return undefined("no shift")
        if any(not companions.references.get(phase) for phase in later):
            return undefined("needs reference runs of every phase after the first")
        levels = np.array([mean_curve(companions.references[phase], final) for phase in later])
        if not (companions.mapped or np.all(levels > 0)):
            return undefined("a reference's final level is not positive; give the sequence `normalise`")
        # A bar at which nothing was learned is reached by standing still: it counts as not reached, for all alike.
        steps, censored = recoveries(run, np.where(levels > 0, RECOVERY_SHARE * levels, np.inf))
        return Score(float(cls.middle(steps)), censored=int(censored.sum()))

    @classmethod
    def worst(cls, run: Run, companions: Companions, bounds: Bounds, direction: Literal["higher", "lower"]) -> Score:
        """No recovery in any phase, even where the worst J there was would pass the bar."""
        return super().worst(run, companions, Bounds(np.full_like(bounds.low, -np.inf), bounds.high), direction)


class RecoveryStepsMedian(RecoverySteps):
    """Median over shifts of `recovery_steps_i`: a censored one moves it less than the mean. Source: protocols 15.1."""

    name = "recovery_steps.median"
    definition = RecoverySteps.definition.replace("mean over shifts", "median over shifts", 1)
    middle = staticmethod(np.median)
