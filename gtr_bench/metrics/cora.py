"""Metrics of CORA (Powers and others, 2021; its `metrics.py`): effects of single phases on other tasks.

r_i,j is the mean return on task i at the end of phase j (last 5 evaluations), r_i,-1 before any training. Both metrics
divide by the largest |return| that any of the compared runs ever had on the task. CORA's code (AGI-Labs/continual_rl,
`utils/metrics.py`, `compute_metrics`) takes it over all runs it is given, which are those of one agent at a time; here
they are the runs of all algorithms, because an agent's own maximum magnifies what a weak one forgets.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gtr_bench.metrics.continual import final
from gtr_bench.metrics.run import Companions, Metric, Need, Run, Score, undefined

__all__ = ["Forgetting", "Transfer", "changes"]


def changes(run: Run, peaks: NDArray[np.float64]) -> NDArray[np.float64]:
    """(r_i,j - r_i,j-1) / max |r_i| for task i and phase j: [N, N], NaN where task i was not evaluated then.

    `peaks` [N] are the max |r_i| of all compared runs; where they are empty the run is compared with none but itself.
    """
    tasks = range(len(run.lengths))
    found = np.full((len(tasks), len(tasks)), np.nan)
    for task in tasks:
        own = run.evaluated_phases == task
        largest = float(peaks[task] if len(peaks) else np.abs(run.values[own]).max(initial=0.0))
        before = run.values[own & (run.phases == 0) & run.fresh]
        ends = [float(before.mean()) if len(before) else np.nan, *(final(run.curve(phase, task)) for phase in tasks)]
        if largest > 0:
            found[task] = np.diff(ends) / largest
    return found


class Forgetting(Metric):
    """Mean over tasks i and later phases j > i of what phase j alone takes from task i. Source: protocols 2.1."""

    name = "forgetting.cora"
    direction = "lower"
    needs: ClassVar[frozenset[Need]] = frozenset({"all_phases", "shift"})
    unit = "share"
    ratio = True
    definition = (
        "mean over tasks and later phases of the return on the task before the phase minus after it, "
        "over the largest return of all compared runs on the task"
    )

    @classmethod
    def reads_references(cls) -> bool:
        """Its ratios are to returns of the runs themselves."""
        return False

    @classmethod
    def score(cls, run: Run, companions: Companions) -> Score:
        """Mean over the pairs."""
        return _mean(-changes(run, companions.peaks)[np.triu_indices(len(run.lengths), 1)])

    @classmethod
    def largest_where(cls, run: Run) -> NDArray[np.bool_]:
        """Everywhere but on the earlier tasks in the last phase."""
        last = len(run.lengths) - 1
        return np.asarray((run.phases != last) | (run.evaluated_phases == last))


class Transfer(Metric):
    """Mean over tasks i and earlier phases j < i of what phase j alone gives task i, unseen. Source: protocols 2.1."""

    name = "transfer.cora"
    direction = "higher"
    needs: ClassVar[frozenset[Need]] = frozenset({"all_phases", "shift"})
    unit = "share"
    ratio = True
    definition = (
        "mean over tasks and earlier phases of the return on the untrained task after the phase minus before it, "
        "over the largest return of all compared runs on the task"
    )

    @classmethod
    def reads_references(cls) -> bool:
        """Its ratios are to returns of the runs themselves."""
        return False

    @classmethod
    def score(cls, run: Run, companions: Companions) -> Score:
        """Mean over the pairs."""
        return _mean(changes(run, companions.peaks)[np.tril_indices(len(run.lengths), -1)])

    @classmethod
    def largest_where(cls, run: Run) -> NDArray[np.bool_]:
        """Everywhere but before any training."""
        return ~run.fresh


def _mean(values: NDArray[np.float64]) -> Score:
    if not len(values):
        return undefined("one phase only")
    if not np.all(np.isfinite(values)):
        return undefined("needs returns on every phase's world throughout (`all_phases = true`), not all of them zero")
    return Score(float(values.mean()))
