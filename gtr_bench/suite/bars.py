"""Whose reference runs are the bar that runs are measured against: one algorithm's for all of them.

Continual World (Wolczyk and others, NeurIPS 2021) measures every method against the same single-task runs of the plain
method (awarelab/continual_world, `results_processing/tables.py`: one `baseline_data` for all of `calculate_metrics`).
Were each algorithm measured against its own, one that learns nothing would recover at once.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["BEST", "DEFAULT_BASELINE", "OWN", "PREVIOUS", "RULES", "baseline_of", "referred_to", "rival_of"]

DEFAULT_BASELINE = "ppo"
"""The algorithm label the others are compared with where nobody says another."""
PREVIOUS = "the step before"
"""Instead of a label: each algorithm is compared with the one before it in the suite's order."""
BEST = "best"
"""In each phase the references of the algorithm with the highest final level."""
OWN = "own"
"""Each algorithm's own references."""
RULES = (BEST, OWN)


def baseline_of(labels: Sequence[str]) -> str:
    """The label whose references are the bar where the suite does not say: `ppo`, else the first of a scale."""
    return DEFAULT_BASELINE if DEFAULT_BASELINE in labels or not labels else labels[0]


def rival_of(baseline: str | None, label: str, labels: Sequence[str]) -> str | None:
    """What an algorithm is compared with under a baseline, a label or `PREVIOUS`; None for the first, and without one.

    Args:
        labels: all algorithms in their order.
    """
    if baseline != PREVIOUS:
        return None if baseline == label else baseline
    place = labels.index(label)
    return labels[place - 1] if place else None


def referred_to(reference: str, labels: Sequence[str]) -> tuple[str, ...]:
    """The algorithms whose references are read under a rule, and so are trained; `labels` are those of a scale."""
    return tuple(label for label in labels if reference in (label, *RULES))
