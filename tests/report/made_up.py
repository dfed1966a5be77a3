"""Results made up by a formula: J of every job, point and evaluated world, written as a worker would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from gtr_bench.suite.expand import Job
from gtr_bench.suite.load import parse_suite

from .conftest import write_job

__all__ = ["Point", "made_up"]


class Point(NamedTuple):
    """One evaluation: `share` of the phase `phase` was trained, and the world of phase `world` is met."""

    job: Job
    phase: int
    world: int
    share: float


Formula: TypeAlias = Callable[[Point], tuple[float, float | None]]
"""The mean return and the success rate (None: the environment has none) of a point."""


def made_up(
    results: Path,
    text: str,
    formula: Formula,
    *,
    diverged: Callable[[Job], int | None] | None = None,
    stored: str | None = None,
) -> Path:
    """All jobs of a suite text; `diverged` gives the step at which a job diverged, None for one that did not.

    `stored` is the text that is stored with them, by default the same.
    """
    for job in parse_suite(text, path="swap.toml", scale="laptop").jobs():
        step = diverged(job) if diverged else None
        rows = [row for row in _rows(job, formula) if step is None or row["step"] < step]
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        write_job(
            results, job, stored or text, status="complete" if step is None else "diverged", stop=step, rows=columns
        )
    return results


def _rows(job: Job, formula: Formula) -> Iterator[dict[str, Any]]:
    phases, evaluation = job.definition["sequence"]["phases"], job.definition["evaluation"]
    start = 0
    for number, phase in enumerate(phases):
        for since in range(0, phase["steps"] + 1, evaluation["every"]):
            last = since == phase["steps"]
            point = "start" if start + since == 0 else "after_shift" if since == 0 else "grid"
            point = ("end" if number == len(phases) - 1 else "before_shift") if last else point
            for world in range(len(phases)) if evaluation["all_phases"] else [number]:
                value, rate = formula(Point(job, number, world, since / phase["steps"]))
                yield {
                    "job": job.id,
                    "step": start + since,
                    "phase": number,
                    "evaluated_phase": world,
                    "point": point,
                    "episodes": 4,
                    "return_mean": value,
                    "return_std": 1.0,
                    "length_mean": 100.0,
                    "success_rate": rate,
                }
        start += phase["steps"]
