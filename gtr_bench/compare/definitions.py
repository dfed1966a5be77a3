"""What two definitions share and where they differ, in the words of a suite file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gtr_bench.suite.identity import canonical_json

__all__ = ["incomparable", "parameter_differences", "setting", "version_differences"]

Definition = Mapping[str, Any]

_PARAMETERS = "algorithm.parameters."
_PACKAGES = "packages."
_ADD_ONS = "plasticity."
_VERSIONS = ("algorithm.version", "network.version", "identity_version", "learn")
_ABSENT = "absent"


def setting(definition: Definition) -> str:
    """The part of a definition that a user decides: without the seed and the versions of code."""
    return canonical_json(_decided(definition))


def incomparable(one: Definition, other: Definition) -> str:
    """Why returns of the two do not compare; empty where they do.

    Both must learn the same sequence of worlds for as long, and be evaluated at the same points in the same manner: a
    mean over other points differs without any change in learning. More episodes only make it more precise.
    """
    if canonical_json(one["sequence"]) != canonical_json(other["sequence"]):
        return "the worlds differ, so returns do not compare"
    evaluations = [{**each["evaluation"], "episodes": 0} for each in (one, other)]
    if evaluations[0] != evaluations[1]:
        return "the evaluation differs, so returns do not compare"
    return ""


def parameter_differences(one: Definition, other: Definition) -> tuple[str, ...]:
    """`learning_rate 0.001 -> 0.1` for everything that differs but the seed and versions, sorted."""
    return _differences(_decided(one), _decided(other))


def version_differences(before: Iterable[Definition], after: Iterable[Definition]) -> tuple[str, ...]:
    """`gymnasium 1.1 -> 1.2` for every version that is not the same on both sides, all of a side together."""
    return _differences(_versions(before), _versions(after))


def _decided(definition: Definition) -> dict[str, list[Any]]:
    return {name: [value] for name, value in _leaves(definition) if name != "seed" and not _versioned(name)}


def _versions(definitions: Iterable[Definition]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for definition in definitions:
        for name, value in _leaves({"learn": 1, **definition}):  # absent at 1
            if _versioned(name) and value not in found.setdefault(name, []):
                found[name].append(value)
    return {name: sorted(values, key=str) for name, values in found.items()}


def _differences(before: Mapping[str, list[Any]], after: Mapping[str, list[Any]]) -> tuple[str, ...]:
    return tuple(
        f"{_called(name)} {_shown(before, name)} -> {_shown(after, name)}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )


def _called(name: str) -> str:
    """As a suite's file or its reader calls it."""
    return name.removeprefix(_PARAMETERS).removeprefix(_PACKAGES).removeprefix(_ADD_ONS)


def _shown(side: Mapping[str, list[Any]], name: str) -> str:
    if name not in side:
        return _ABSENT
    return " and ".join(value if isinstance(value, str) else json.dumps(value) for value in side[name])


def _versioned(name: str) -> bool:
    return name in _VERSIONS or name.startswith(_PACKAGES) or (name.startswith(_ADD_ONS) and name.endswith(" version"))


def _leaves(definition: Definition) -> Iterator[tuple[str, Any]]:
    """(dotted name, leaf) of a definition: add-ons by name, `plasticity.NAME.FIELD`, not by their place in a list."""
    added: dict[str, Any] = {}
    for add_on in definition.get("plasticity", []):
        prefix = f"{_ADD_ONS}{add_on['name']}"
        added |= {prefix: "on", f"{prefix} version": add_on["version"]}
        added |= {f"{prefix}.{field}": value for field, value in add_on["parameters"].items()}
    yield from _flat({name: value for name, value in definition.items() if name != "plasticity"} | added)


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted name, leaf): lists of tables are entered, other lists are leaves."""
    if isinstance(value, Mapping) and value:
        for key in value:
            yield from _flat(value[key], f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
        for index, each in enumerate(value):
            yield from _flat(each, f"{path}[{index}]")
    else:
        yield path, value
