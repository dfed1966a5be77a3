"""The sensitivities of a study's subject and of its reference, on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gtr_bench.ablation.excess import excess_sensitivity
from gtr_bench.ablation.model import StudyRecords, TrialRecord
from gtr_bench.metrics.interval import Estimate
from gtr_bench.metrics.sensitivity import (
    Region,
    Sensitivity,
    effective_dimensionality,
    normalise_scores,
    region,
    sensitivity,
)

__all__ = ["Compared", "compare"]


@dataclass(frozen=True)
class Compared:
    """None for what the scores do not tell.

    Attributes:
        subject, reference: T, X and T - X of either.
        where: the region of the sensitivity-performance plane, seen from the reference.
        difference: subject minus reference, over the seeds every setting has in every environment.
        dimensionality: parameters that must be tuned per environment.
    """

    subject: Sensitivity | None = None
    reference: Sensitivity | None = None
    where: Region | None = None
    difference: Estimate | None = None
    dimensionality: int | None = None


def compare(records: StudyRecords, usable: Sequence[TrialRecord], others: Sequence[TrialRecord]) -> Compared:
    """All of it.

    Args:
        records: the study.
        usable, others: settings of the subject and of the reference with a score in every environment.
    """
    if not usable:
        return Compared()
    sign = -1.0 if records.direction == "lower" else 1.0
    sides = {"subject": usable, "reference": others}
    tables = {
        side: {name: {str(t.number): sign * _mean(t, name) for t in trials} for name in records.environments}
        for side, trials in sides.items()
    }
    runs = {
        name: [sign * value for trial in (*usable, *others) for value in trial.scores[name].values()]
        for name in records.environments
    }
    scaled = normalise_scores(tables, runs)
    subject = sensitivity(scaled["subject"])
    settings = {str(trial.number): trial.setting for trial in usable}
    dimensionality = effective_dimensionality(scaled["subject"], settings)
    if not others:
        return Compared(subject=subject, dimensionality=dimensionality)
    reference = sensitivity(scaled["reference"])
    return Compared(
        subject=subject,
        reference=reference,
        where=region(subject, reference),
        difference=_difference(records, usable, others, sign),
        dimensionality=dimensionality,
    )


def _mean(trial: TrialRecord, environment: str) -> float:
    return float(np.mean(list(trial.scores[environment].values())))


def _difference(
    records: StudyRecords, usable: Sequence[TrialRecord], others: Sequence[TrialRecord], sign: float
) -> Estimate | None:
    trials = [*usable, *others]
    seeds = [seed for seed in records.seeds if all(seed in t.scores[n] for t in trials for n in records.environments)]
    if len(seeds) < 2:
        return None
    values = sign * np.array([[[t.scores[n][s] for s in seeds] for n in records.environments] for t in trials])
    # The scale of an environment is that of all runs, the same for both algorithms.
    low, high = np.percentile(values, [5, 95], axis=(0, 2))
    scaled = (values - low[:, None]) / np.where(high > low, high - low, np.inf)[:, None]
    return excess_sensitivity(scaled[: len(usable)], scaled[len(usable) :])
