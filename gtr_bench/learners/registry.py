"""Where learner kinds are found; third parties register in the entry-point group `gtr_bench.learners`."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

from gtr_bench.algorithms.registry import algorithms
from gtr_bench.registry import Registry

if TYPE_CHECKING:
    from gtr_bench.learners.base import Definition, LearnerKind

__all__ = ["kind_of", "learner", "learners"]

learners = Registry("learner kind", "gtr_bench.learners", {"policy": "gtr_bench.learners.policy:PolicyLearner"})


@cache
def learner(name: str) -> LearnerKind:
    """The kind of this name; raises UnknownNameError."""
    return cast("LearnerKind", learners.get(name)())


def kind_of(definition: Definition) -> LearnerKind:
    """The kind that trains a job: its algorithm's; raises UnknownNameError where either is not installed."""
    return learner(algorithms.get(definition["algorithm"]["name"]).learner)
