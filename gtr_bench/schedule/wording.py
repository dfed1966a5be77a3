"""How displays name cohorts."""

from __future__ import annotations

from gtr_bench.schedule.assignments import Assignment
from gtr_bench.wording import counted

__all__ = ["cohort_name"]


def cohort_name(assignment: Assignment) -> str:
    """`gtr on swap (5 seeds)`: what its members share; labels that differ are counted."""
    algorithms = sorted({job.algorithm for job in assignment.jobs})
    algorithm = algorithms[0] if len(algorithms) == 1 else f"{algorithms[0].split('[')[0]} x {len(algorithms)}"
    seeds = sorted({job.seed for job in assignment.jobs})
    which = f"seed {seeds[0]}" if len(seeds) == 1 else counted(len(seeds), "seed")
    return f"{algorithm} on {assignment.jobs[0].sequence} ({which})"
