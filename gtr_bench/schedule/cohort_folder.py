"""The folder of a cohort and those of its jobs, made ready for a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gtr_bench.files import write_json
from gtr_bench.schedule.assignments import Assignment
from gtr_bench.schedule.claims import Claim
from gtr_bench.schedule.folders import ResultsFolder
from gtr_bench.schedule.settings import Settings

__all__ = ["make_ready"]

_FORMAT = 1


def make_ready(
    assignment: Assignment,
    claims: Sequence[Claim],
    folder: ResultsFolder,
    *,
    device: str,
    settings: Settings,
    provenance: Mapping[str, Any],
) -> Path:
    """Sweep what earlier workers left on these jobs and write cohort.json. Returns its path.

    Args:
        claims: on the jobs of the assignment.
        device: where the worker trains: `cpu` or `cuda`.

    Raises:
        OSError: the disk refuses.
    """
    path = folder.clean_cohort(assignment.id)
    for claim in claims:
        claim.name_cohort(assignment.id)
        folder.clean_job(claim.job_id)
    document = path / "cohort.json"
    write_json(document, _content(assignment, device, settings, provenance))
    return document


def _content(assignment: Assignment, device: str, settings: Settings, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """The content of cohort.json (docs/design.md)."""
    return {
        "format": _FORMAT,
        "id": assignment.id,
        "jobs": list(assignment.records),
        "device": device,
        "threads": settings.threads,
        "checkpoint_seconds": settings.checkpoint_seconds,
        "policies": settings.policies,
        "profile": settings.profile,
        "provenance": dict(provenance),
    }
