"""Definitions of jobs as files state them: what the rest of the program may take for granted of one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gtr_bench.store.warn import Warn

__all__ = ["parse_definition", "why_no_definition", "with_definitions"]


def parse_definition(text: str, job: str) -> dict[str, Any]:
    """The definition of a job from its canonical JSON; raises ValueError with what is wrong with it.

    A job's id is the hash of that text (docs/design.md), so text of another job, or changed text, is told apart.
    """
    if hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16] != job:
        raise ValueError("its `definition` is not the one its id says")
    try:
        definition = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("its `definition` is no JSON") from None
    problem = why_no_definition(definition)
    if problem is not None:
        raise ValueError(problem)
    found: dict[str, Any] = definition
    return found


def with_definitions(
    rows: Iterable[Mapping[str, Any]], folders: Mapping[str, Path], warn: Warn
) -> list[dict[str, Any]]:
    """Rows of job.parquet with `definition` parsed; one with none is left out.

    Args:
        rows: have `job` and `definition`.
        folders: of the jobs.
        warn: called with a sentence for each row that was left out.
    """
    found = []
    for row in rows:
        try:
            found.append({**row, "definition": parse_definition(row["definition"], row["job"])})
        except ValueError as error:
            warn(f"left out `{folders[row['job']]}`: {error}")
    return found


def why_no_definition(definition: Any) -> str | None:
    """What is wrong with the shape of a definition; None where every reader finds what it looks for."""
    try:
        algorithm, sequence = definition["algorithm"], definition["sequence"]
        good = (
            _named(algorithm)
            and all(_named(each) for each in definition.get("plasticity", []))
            and bool(sequence["phases"])
            and all(_is_phase(each) for each in sequence["phases"])
            and all(isinstance(each["kind"], str) for each in sequence["shifts"])
            and (sequence["max_episode_steps"] is None or _whole(sequence["max_episode_steps"], 1))
            and isinstance(definition["network"], Mapping)
            and _whole(definition["evaluation"]["every"], 1)
            and _whole(definition["evaluation"]["episodes"], 1)
            and isinstance(definition["packages"], Mapping)
            and _whole(definition["seed"], 0)
        )
    except KeyError as error:
        return f"its `definition` has no `{error.args[0]}`"
    except (TypeError, AttributeError):
        good = False
    return None if good else "its `definition` is none of a job"


def _named(part: Any) -> bool:
    return isinstance(part["name"], str) and isinstance(part["parameters"], Mapping)


def _is_phase(phase: Any) -> bool:
    return (
        isinstance(phase["environment"], str)
        and isinstance(phase["options"], Mapping)
        and _whole(phase["steps"], 1)
        and _whole(phase["variant"], 0)
    )


def _whole(value: Any, least: int) -> bool:
    return type(value) is int and value >= least
