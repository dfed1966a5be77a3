"""How fast workers of a shape were in this results folder: the base of every time estimate."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from statistics import median
from typing import Any

from gtr_bench.errors import GtrBenchError
from gtr_bench.files import is_folder
from gtr_bench.schedule.assignments import Assignment, shape_of
from gtr_bench.schedule.folders import ResultsFolder
from gtr_bench.schedule.heartbeat import read_heartbeat
from gtr_bench.store.cohorts import IDENTIFIER

__all__ = ["PastSpeeds", "known_shape", "newest_cohorts"]

MOST_COHORTS_READ = 300


class PastSpeeds:
    """Environment steps per second, summed over members, of finished cohorts by shape and number of members."""

    def __init__(self, speeds: dict[str, dict[int, float]]) -> None:
        """`speeds`: shape (without members) -> members -> steps per second."""
        self._speeds = speeds

    @classmethod
    def read(cls, folder: ResultsFolder) -> PastSpeeds:
        """From the newest heartbeats of the folder; at most 300, so that 10,000 cohorts cost no more."""
        seen: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        for cohort_id in newest_cohorts(folder):
            path = folder.cohort(cohort_id)
            heartbeat = read_heartbeat(path / "heartbeat.json")
            if heartbeat is None or heartbeat.state != "done" or not heartbeat.steps_per_second:
                continue
            cohort = folder.read_cohort(cohort_id)
            shape = None if cohort is None else known_shape(cohort["jobs"][0])
            if cohort is not None and shape is not None:
                seen[shape][len(cohort["jobs"])].append(heartbeat.steps_per_second)
        return cls({shape: {m: median(values) for m, values in by.items()} for shape, by in seen.items()})

    def seconds(self, assignment: Assignment) -> float | None:
        """Expected seconds to train the cohort; None when nothing like it has finished here.

        The total speed of the cohort with the nearest number of members is taken: rough where that differs a lot.
        """
        members = len(assignment.records)
        known = self._speeds.get(shape_of(assignment.records[0]))
        if not known:
            return None
        nearest = min(known, key=lambda m: (abs(m - members), m))
        return assignment.steps * members / known[nearest]


def known_shape(record: Mapping[str, Any]) -> str | None:
    """`shape_of` a record of any origin; None where that cannot be told: another program's, or not installed here."""
    try:
        return shape_of(record)
    except (GtrBenchError, KeyError, TypeError, ValueError, AttributeError):
        return None


def newest_cohorts(folder: ResultsFolder) -> list[str]:
    """Ids of the cohorts started last, the newest first; at most 300, so that 10,000 cost no more."""
    if not is_folder(folder.cohorts):
        return []
    with os.scandir(folder.cohorts) as entries:
        dated = [
            (entry.stat(follow_symlinks=False).st_mtime, entry.name)
            for entry in entries
            if IDENTIFIER.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
        ]
    return [name for _, name in sorted(dated, reverse=True)[:MOST_COHORTS_READ]]
