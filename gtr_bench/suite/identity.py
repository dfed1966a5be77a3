"""What a job is: a definition as canonical JSON, its hash, and the seeds derived from it (docs/design.md)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

__all__ = ["IDENTITY_VERSION", "canonical_json", "defining", "job_id", "job_ids", "parameters_of"]

IDENTITY_VERSION = 1
"""Raise it whenever a definition's meaning changes: every stored job then counts as another one."""


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces; raises ValueError for NaN and infinities.

    Equal numbers of different type (1 and 1.0) differ here: definitions come out of the parameter models, which
    give every field one type.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def defining(model: BaseModel, **arguments: Any) -> dict[str, Any]:
    """The fields of a parameter model that define a job, as JSON values.

    A field added after jobs had been stored is declared with `json_schema_extra={"since": N}`, N the version of the
    program's interfaces it came with, and left out while it has its default, which must mean what was done before it:
    what is added moves no identity of a job that does not use it.

    Args:
        model: parameters, a network's shape, a shift.
        arguments: of pydantic's `model_dump`.
    """
    later = {
        name
        for name, field in type(model).model_fields.items()
        if isinstance(field.json_schema_extra, dict)
        and "since" in field.json_schema_extra
        and getattr(model, name) == field.get_default(call_default_factory=True)
    }
    return model.model_dump(mode="json", exclude=later, **arguments)


def parameters_of(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a job's algorithm, and those of its add-ons as `name.field`."""
    added = {
        f"{add_on['name']}.{field}": value
        for add_on in definition.get("plasticity", [])
        for field, value in add_on["parameters"].items()
    }
    return {**definition["algorithm"]["parameters"], **added}


def job_id(definition: Mapping[str, Any]) -> str:
    """The first 16 hex digits of the SHA-256 of the definition's canonical JSON."""
    return hashlib.sha256(canonical_json(definition).encode()).hexdigest()[:16]


def job_ids(definition: Mapping[str, Any], seeds: Iterable[int]) -> Iterator[str]:
    """`job_id` of the definition under each seed; what the seeds share is written and hashed once."""
    keys = sorted({*definition, "seed"})
    position = keys.index("seed")
    before, after = (
        [f"{json.dumps(key)}:{canonical_json(definition[key])}" for key in part]
        for part in (keys[:position], keys[position + 1 :])
    )
    shared = hashlib.sha256(("{" + "".join(text + "," for text in before) + '"seed":').encode())
    ending = "".join("," + text for text in after) + "}"
    for seed in seeds:
        digest = shared.copy()
        digest.update(f"{seed}{ending}".encode())
        yield digest.hexdigest()[:16]
