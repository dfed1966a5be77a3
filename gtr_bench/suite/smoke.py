"""Which scales of a suite are too small for a claim: by their steps and seeds beside the full scale, not by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["FULL", "SMOKE_SEEDS", "SMOKE_STEPS", "ScaleSize", "full_scale", "is_smoke"]

FULL = "full"
"""The scale that a suite's question is about; of suites without it the one with most steps. Larger ones may exist, such
as a billion steps per phase where the published setting has a million."""
SMOKE_STEPS = 0.1
SMOKE_SEEDS = 0.5
"""Shares of the full scale below which a scale only shows that the path works."""


class ScaleSize(NamedTuple):
    """How large one scale is: seeds of an algorithm, and environment steps of a job by sequence."""

    seeds: int
    steps: Mapping[str, int]


def full_scale(sizes: Mapping[str, ScaleSize]) -> str:
    """The scale the others are measured by."""
    return FULL if FULL in sizes else max(sizes, key=lambda name: (max(sizes[name].steps.values(), default=0), name))


def is_smoke(scale: str, sizes: Mapping[str, ScaleSize]) -> bool:
    """Whether a scale has less than half the full scale's seeds, or on any sequence less than a tenth of its steps.

    A sequence that the full scale does not have is measured by nothing.
    """
    own, full = sizes[scale], sizes[full_scale(sizes)]
    short = any(steps < SMOKE_STEPS * full.steps[name] for name, steps in own.steps.items() if name in full.steps)
    return short or own.seeds < SMOKE_SEEDS * full.seeds
