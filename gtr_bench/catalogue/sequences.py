"""Named sequences as entries: where one comes from, and its phases."""

from __future__ import annotations

import json

from pydantic import JsonValue

from gtr_bench.catalogue.entry import Entry
from gtr_bench.errors import UnknownNameError
from gtr_bench.suite.model import SequenceTable
from gtr_bench.suite.named import named_sequences

__all__ = ["entry", "names"]

_SHOWN = ("shift", "max_episode_steps", "steps_per_phase", "normalise")


def names() -> list[str]:
    """All of them, in the order of their file."""
    return list(named_sequences())


def entry(name: str) -> Entry:
    """One sequence; builds nothing.

    Raises:
        UnknownNameError: there is no such sequence.
    """
    if name not in named_sequences():
        raise UnknownNameError("named sequence", name, named_sequences())
    keys = dict(named_sequences()[name])
    source = str(keys.pop("source"))
    table = SequenceTable.model_validate_json(json.dumps({"id": name, **keys}), strict=True)
    phases: list[dict[str, JsonValue]] = [
        {"phase": phase, "environment": environment, "options": json.dumps(table.options_of(phase))}
        for phase, environment in enumerate(table.environments())
    ]
    facts: dict[str, JsonValue] = {"phases": len(phases)}
    facts |= {key: json.dumps(keys[key]) for key in _SHOWN if key in keys}
    return Entry(name=name, meaning=source, package="gtr-bench", facts=facts, tables={"phases": phases})
