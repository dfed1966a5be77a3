"""Metrics of CORA (Powers and others, 2021; its `metrics.py`): effects of single phases on other tasks.

r_i,j is the mean return on task i at the end of phase j (last 5 evaluations), r_i,-1 before any training. Both metrics
divide by the largest |return| this run ever had on the task, as CORA does: it magnifies a weak agent's forgetting.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gtr_bench.metrics.continual import final
from gtr_bench.metrics.run import Companions, Metric, Need, Run, Score, undefined

__all__ = ["Forgetting", "Transfer", "changes"]


def changes(run: Run) -> NDArray[np.float64]:
    """(r_i,j - r_i,j-1) / max |r_i| for task i and phase j: [N, N], NaN where task i was not evaluated then."""
    tasks = range(len(run.lengths))
    found = np.full((len(tasks), len(tasks)), np.nan)
    for task in tasks:
        own = run.evaluated_phases == task
        largest = float(np.abs(run.values[own]).max(initial=0.0))
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
        "over the run's own largest return on the task"
    )

    @classmethod
    def score(cls, run: Run, companions: Companions) -> Score:
        """Mean over the pairs."""
        return _mean(-changes(run)[np.triu_indices(len(run.lengths), 1)])


class Transfer(Metric):
    """Mean over tasks i and earlier phases j < i of what phase j alone gives task i, unseen. Source: protocols 2.1."""

    name = "transfer.cora"
    direction = "higher"
    needs: ClassVar[frozenset[Need]] = frozenset({"all_phases", "shift"})
    unit = "share"
    ratio = True
    definition = (
        "mean over tasks and earlier phases of the return on the untrained task after the phase minus before it, "
        "over the run's own largest return on the task"
    )

    @classmethod
    def score(cls, run: Run, companions: Companions) -> Score:
        """Mean over the pairs."""
        return _mean(changes(run)[np.tril_indices(len(run.lengths), -1)])


def _mean(values: NDArray[np.float64]) -> Score:
    if not len(values):
        return undefined("one phase only")
    if not np.all(np.isfinite(values)):
        return undefined("needs returns on every phase's world throughout (`all_phases = true`), not all of them zero")
    return Score(float(values.mean()))
