"""How fast workers of a shape were in this results folder: the base of every time estimate."""

from __future__ import annotations

import os
from collections import defaultdict
from statistics import median
from typing import Any

from gtr_bench.errors import ResultsError, UnknownNameError
from gtr_bench.schedule.assignments import Assignment, shape_of
from gtr_bench.schedule.folders import ResultsFolder, read_json
from gtr_bench.schedule.heartbeat import read_heartbeat

__all__ = ["PastSpeeds", "newest_cohorts"]

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
            try:
                records: list[dict[str, Any]] = read_json(path / "cohort.json")["jobs"]
                seen[shape_of(records[0])][len(records)].append(heartbeat.steps_per_second)
            except (ResultsError, UnknownNameError, KeyError, TypeError, IndexError):
                # A foreign or half-written folder, or an algorithm not installed here, tells nothing about speed.
                continue
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


def newest_cohorts(folder: ResultsFolder) -> list[str]:
    """Ids of the cohorts started last, the newest first; at most 300, so that 10,000 cost no more."""
    try:
        with os.scandir(folder.cohorts) as entries:
            dated = [(entry.stat().st_mtime, entry.name) for entry in entries if entry.is_dir()]
    except FileNotFoundError:
        return []
    return [name for _, name in sorted(dated, reverse=True)[:MOST_COHORTS_READ]]
