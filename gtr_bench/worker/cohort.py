"""cohort.json, read and checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gtr_bench.errors import ResultsError

__all__ = ["read_cohort"]

_FORMAT = 1


def read_cohort(path: Path) -> dict[str, Any]:
    """The cohort a driver wrote.

    Raises:
        ResultsError: not a cohort file, or of a newer format.
    """
    try:
        cohort = json.loads(path.read_text())
        stored = int(cohort["format"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultsError(f"`{path}` is not a cohort file") from error
    if stored != _FORMAT:
        raise ResultsError(f"`{path}` has format {stored}, this program reads {_FORMAT}")
    result: dict[str, Any] = cohort
    return result
