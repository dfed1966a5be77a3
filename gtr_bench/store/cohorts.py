"""cohort.json of any origin: the jobs it lists, checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gtr_bench.errors import ResultsError
from gtr_bench.files import is_folder, read_json
from gtr_bench.store.definitions import why_no_definition

__all__ = ["IDENTIFIER", "cohort_files", "read_cohort"]

IDENTIFIER = re.compile("[0-9a-f]{16}")
"""Of jobs and cohorts. Nothing else becomes a path."""


def cohort_files(results: Path) -> Iterator[Path]:
    """The cohort.json of every cohort of a results folder, sorted; links are no cohorts."""
    cohorts = results / "cohorts"
    if is_folder(cohorts):
        for folder in sorted(cohorts.iterdir()):
            # A cohort without one is being made ready.
            if IDENTIFIER.fullmatch(folder.name) and is_folder(folder) and (folder / "cohort.json").exists():
                yield folder / "cohort.json"


def read_cohort(path: Path) -> dict[str, Any]:
    """The content of a cohort.json: `jobs` are records with an id, a definition and labels, `provenance` an object.

    Raises:
        ResultsError: it is missing, unreadable or something else.
    """
    content = read_json(path)
    try:
        jobs, provenance = content["jobs"], content.get("provenance", {})
        good = bool(jobs) and isinstance(jobs, list) and isinstance(provenance, Mapping)
        problem = None if good else "it lists no jobs"
        problem = problem or next((why for job in jobs if (why := _why_no_record(job)) is not None), None)
        texts = (provenance.get(name) for name in ("suite_text", "suite_path", "git_sha")) if good else ()
        if problem is None and not all(text is None or isinstance(text, str) for text in texts):
            problem = "its `provenance` is none"
    except (KeyError, TypeError, AttributeError) as error:
        problem = f"it has no {error}" if isinstance(error, KeyError) else str(error)
    if problem is not None:
        raise ResultsError(f"`{path}` is not a cohort file: {problem}")
    return content


def _why_no_record(job: Any) -> str | None:
    labels = (job["suite"], job["algorithm"], job["sequence"], job["role"])
    if not isinstance(job["id"], str) or not IDENTIFIER.fullmatch(job["id"]):
        return "a job has no id"
    if not all(isinstance(label, str) for label in labels) or not isinstance(job["scale"], str | None):
        return f"the job `{job['id']}` has no labels"
    if type(job["seed"]) is not int:
        return f"the job `{job['id']}` has no seed"
    problem = why_no_definition(job["definition"])
    return None if problem is None else f"of the job `{job['id']}` {problem}"
