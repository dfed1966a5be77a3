"""Jobs a table counts but cannot show: failed, never finished, or diverged, grouped by what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gtr_bench.report.collect import Record, State
from gtr_bench.report.scores import Scores

__all__ = ["Absence", "Ending", "absences_of"]

Ending: TypeAlias = Literal["failed", "missing", "diverged"]
"""How a job can end other than well."""


@dataclass(frozen=True)
class Absence:
    """Jobs of one algorithm in one environment that ended in the same way, and why; `seeds` and `jobs` are parallel."""

    environment: str
    algorithm: str
    role: str
    state: Ending
    reason: str
    seeds: tuple[int, ...]
    jobs: tuple[str, ...]


def absences_of(records: Sequence[Record], scores: Scores) -> tuple[Absence, ...]:
    """In the order of the records; jobs of one environment, algorithm and role with one reason are one entry."""
    groups: dict[tuple[str, str, str, Ending, str], list[Record]] = {}
    for record in records:
        state: State = "diverged" if record.summary and scores.diverged(record) else record.state
        if state != "complete":
            key = (record.sequence, record.algorithm, record.role, state, _reason(record, state))
            groups.setdefault(key, []).append(record)
    found = []
    for (environment, algorithm, role, state, reason), group in groups.items():
        group.sort(key=lambda record: record.seed)
        seeds, jobs = tuple(record.seed for record in group), tuple(record.job for record in group)
        found.append(Absence(environment, algorithm, role, state, reason, seeds, jobs))
    return tuple(found)


def _reason(record: Record, state: Ending) -> str:
    if state == "missing":
        return "started, not finished" if record.folder else "never started"
    if state == "failed":
        return ": ".join(part for part in (record.reason, record.message) if part)
    step = record.summary["diverged_step"]
    return "an evaluation is not finite" if step is None else f"diverged at step {step:,}; counts the worst"
