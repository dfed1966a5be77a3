"""Metrics of the Continual World benchmark (protocols 2; Wolczyk et al., NeurIPS 2021).

p_i(t) is the success rate on the world of phase i at step t, D the steps of a phase, T the end of the run, N phases.
The plain mean of the evaluation points stands for the integral, as in the released code.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gtr_bench.metrics.continual import final, phase_aucs
from gtr_bench.metrics.run import FINAL_WINDOW, Companions, Metric, Need, Run, Score, mean_curve, undefined

__all__ = ["Forgetting", "Performance", "Transfer", "at_the_end", "at_the_end_of_their_phase", "forward_transfers"]

_Needs = frozenset[Need]


def at_the_end(run: Run, window: int = FINAL_WINDOW) -> NDArray[np.float64]:
    """p_i(T) for every phase i: mean of the last `window` evaluations of the last phase; shape [N], NaN without any."""
    last = len(run.lengths) - 1
    return np.array([final(run.curve(last, phase), window) for phase in range(len(run.lengths))])


def at_the_end_of_their_phase(run: Run, window: int = FINAL_WINDOW) -> NDArray[np.float64]:
    """p_i(iD) for every phase i: mean of the last `window` evaluations of the phase itself; shape [N]."""
    return np.array([final(run.curve(phase), window) for phase in range(len(run.lengths))])


def forward_transfers(run: Run, companions: Companions) -> NDArray[np.float64]:
    """FT_i = (AUC_i - AUC_i^b) / (1 - AUC_i^b); shape [N], NaN where a reference is missing or perfect.

    AUC_i is the mean of p_i over its own phase, AUC_i^b the same of the reference runs, averaged over their seeds.
    At most 1, unbounded below.
    """
    transfers = np.full(len(run.lengths), np.nan)
    for phase, auc in enumerate(phase_aucs(run)):
        references = companions.references.get(phase)
        if references:
            base = mean_curve(references, lambda curve: float(np.mean(curve)) if len(curve) else float("nan"))
            if base != 1.0:
                transfers[phase] = (auc - base) / (1.0 - base)
    return transfers


class Performance(Metric):
    """P(T) = mean over i of p_i(T), each the mean of the last 5 evaluations. Source: protocols 2."""

    name = "performance.cw"
    direction = "higher"
    needs: ClassVar[_Needs] = frozenset({"all_phases"})
    values = "success_rate"
    unit = "share"
    definition = f"mean over tasks of the success rate at the end (last {FINAL_WINDOW} evaluations)"

    @classmethod
    def score(cls, run: Run, companions: Companions) -> Score:
        """Mean over the tasks."""
        rates = at_the_end(run)
        if not np.all(np.isfinite(rates)):
            return undefined("needs success rates of every phase at the end (`all_phases = true`)")
        return Score(float(rates.mean()))


class Forgetting(Metric):
    """F = mean over all N tasks of F_i = p_i(iD) - p_i(T), so the last contributes 0. Source: protocols 2."""

    name = "forgetting.cw"
    direction = "lower"
    needs: ClassVar[_Needs] = frozenset({"all_phases"})
    values = "success_rate"
    unit = "share"
    definition = (
        "mean over tasks of the success rate at the end of the task's own phase minus that at the end of the run"
    )

    @classmethod
    def score(cls, run: Run, companions: Companions) -> Score:
        """Mean over the tasks."""
        lost = at_the_end_of_their_phase(run) - at_the_end(run)
        if not np.all(np.isfinite(lost)):
            return undefined("needs success rates of every phase at the end (`all_phases = true`)")
        return Score(float(lost.mean()))

    @classmethod
    def largest_where(cls, run: Run) -> NDArray[np.bool_]:
        """Everywhere but on the earlier tasks in the last phase."""
        last = len(run.lengths) - 1
        return np.asarray((run.phases != last) | (run.evaluated_phases == last))


class Transfer(Metric):
    """FT = mean over i of FT_i = (AUC_i - AUC_i^b) / (1 - AUC_i^b). Source: protocols 2.

    A task whose reference is perfect (AUC_i^b = 1) has no transfer; it is left out and the score's reason says so.
    """

    name = "transfer.cw"
    direction = "higher"
    needs: ClassVar[_Needs] = frozenset({"references"})
    values = "success_rate"
    unit = "share"
    definition = "mean over tasks of (AUC - AUC of the reference runs) / (1 - AUC of the reference runs)"

    @classmethod
    def score(cls, run: Run, companions: Companions) -> Score:
        """Mean over the tasks that have a transfer."""
        if any(not companions.references.get(phase) for phase in range(len(run.lengths))):
            return undefined("needs reference runs of every phase")
        transfers = forward_transfers(run, companions)
        present = np.isfinite(transfers)
        if not present.any():
            return undefined("every reference is perfect or has no success rate")
        left_out = int((~present).sum())
        reason = f"{left_out} of {len(transfers)} tasks left out: the reference is perfect" if left_out else ""
        return Score(float(transfers[present].mean()), reason=reason)
