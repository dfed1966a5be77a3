"""Which jobs train together. A function of the jobs alone: what is finished already changes nothing."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gtr_bench.learners.registry import kind_of
from gtr_bench.suite.expand import Job

__all__ = ["DEFAULT_SIZE", "Cohort", "group"]

DEFAULT_SIZE = 16
"""members of a cohort at most, unless asked otherwise"""


@dataclass(frozen=True, slots=True)
class Cohort:
    """Jobs that one process trains in lock-step; `id` is the hash of their ids, `steps` their environment steps."""

    id: str
    jobs: tuple[Job, ...] = field(repr=False)
    steps: int


def group(jobs: Iterable[Job], *, slots: int = 1, size: int | None = None) -> list[Cohort]:
    """Cohorts for all `jobs`, the longest first; the order of `jobs` does not matter.

    Args:
        jobs: distinct jobs.
        slots: cohorts that can train at the same time; while there are fewer cohorts, the largest is halved.
        size: members of a cohort at most; None means 16, 1 turns cohorts off.

    Raises:
        ValueError: `slots` or `size` is below 1.
    """
    if slots < 1 or (size is not None and size < 1):
        raise ValueError(f"slots and size should be at least 1, not {slots} and {size}")
    stacks: dict[str, list[Job]] = {}
    key_of = _Key()
    for job in jobs:
        stacks.setdefault(key_of(job), []).append(job)
    chunks = [chunk for stack in stacks.values() for chunk in _split(_ordered(stack), -(-len(stack) // _cap(size)))]
    while len(chunks) < slots:
        largest = max(chunks, key=lambda chunk: (len(chunk) > 1, _steps(chunk), len(chunk), chunk[0].id), default=[])
        if len(largest) < 2:
            break
        chunks.remove(largest)
        chunks.extend(_split(largest, 2))
    cohorts = [Cohort(_cohort_id(chunk), tuple(chunk), _steps(chunk)) for chunk in chunks]
    return sorted(cohorts, key=lambda cohort: (-cohort.steps, cohort.id))


def _cap(size: int | None) -> int:
    return DEFAULT_SIZE if size is None else size


def _ordered(jobs: Iterable[Job]) -> list[Job]:
    """Seeds of one setting stay together: they are asked for together."""
    return sorted(jobs, key=lambda job: (job.algorithm, job.sequence, job.seed, job.id))


def _split(jobs: Sequence[Job], parts: int) -> list[list[Job]]:
    """`parts` runs of neighbours whose lengths differ by at most one."""
    bounds = [len(jobs) * part // parts for part in range(parts + 1)]
    return [list(jobs[start:end]) for start, end in itertools.pairwise(bounds)]


def _steps(jobs: Iterable[Job]) -> int:
    return sum(phase["steps"] for job in jobs for phase in job.definition["sequence"]["phases"])


def _cohort_id(jobs: Iterable[Job]) -> str:
    return hashlib.sha256("\n".join(sorted(job.id for job in jobs)).encode()).hexdigest()[:16]


class _Key:
    """What jobs must share to train together, as their learner kind says; a job's id where each trains alone.

    Jobs of one suite share the parts of their definitions as objects, so each kind is asked once for all seeds.
    """

    def __init__(self) -> None:
        self._texts: dict[tuple[int, ...], str | None] = {}
        self._kept: list[Any] = []

    def __call__(self, job: Job) -> str:
        parts = {key: value for key, value in job.definition.items() if key != "seed"}
        identity = tuple(id(value) for value in parts.values())
        if identity not in self._texts:
            self._kept.append(parts)  # an id means something only as long as its object lives
            self._texts[identity] = kind_of(parts).stack_key(parts)
        text = self._texts[identity]
        return job.id if text is None else text
