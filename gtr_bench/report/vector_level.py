"""Which vector instructions the jobs were computed with: at different levels numbers may differ."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping

from gtr_bench.report.collect import Record

__all__ = ["CONSEQUENCE", "levels_of", "mixed_line"]

CONSEQUENCE = "numbers may differ in their last bits, and runs then part after some iterations"


def levels_of(records: Iterable[Record]) -> dict[str, int]:
    """How many finished jobs were computed at each level, sorted; those that do not say are left out."""
    texts = Counter(record.summary.get("hardware") for record in records if record.summary)
    found: Counter[str] = Counter()
    for text, jobs in texts.items():
        level = _level(text)
        if level:
            found[level] += jobs
    return dict(sorted(found.items()))


def _level(hardware: str | None) -> str | None:
    """The level in a job's `hardware`; None where it does not say, or is none."""
    try:
        level = json.loads(hardware).get("vector_level") if hardware else None
    except (ValueError, RecursionError, AttributeError):
        return None
    return level if isinstance(level, str) else None


def mixed_line(levels: Mapping[str, int]) -> str | None:
    """What a reader must know of jobs at several levels; None where there is at most one."""
    if len(levels) < 2:
        return None
    listed = ", ".join(f"{jobs:,} at {level}" for level, jobs in levels.items())
    return f"jobs computed at several vector levels ({listed}): between them {CONSEQUENCE}"
