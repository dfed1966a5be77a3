"""The least and the largest returns that were seen, by environment of a sequence: what bounds a run without a value."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TypeAlias

import numpy as np

from gtr_bench.report.collect import Record
from gtr_bench.report.columns import Columns

__all__ = ["Seen", "seen_of"]

Seen: TypeAlias = Mapping[tuple[str, str], tuple[float, float]]
"""(sequence, environment) -> the least and the largest finite return."""


def seen_of(sources: Iterable[tuple[Iterable[Record], Mapping[str, Columns]]]) -> Seen:
    """The finite returns of all records, each source with its evaluations, references included."""
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for records, evaluations in sources:
        for record in records:
            rows = evaluations.get(record.job)
            if rows is None:
                continue
            environments = [phase["environment"] for phase in record.definition["sequence"]["phases"]]
            for environment in dict.fromkeys(environments):
                here = np.flatnonzero([each == environment for each in environments])
                values = rows["return_mean"][np.isin(rows["evaluated_phase"], here)]
                finite = values[np.isfinite(values)]
                if len(finite):
                    low, high = found.get((record.sequence, environment), (math.inf, -math.inf))
                    ends = min(low, float(finite.min())), max(high, float(finite.max()))
                    found[record.sequence, environment] = ends
    return found
