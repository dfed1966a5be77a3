"""Environment families as entries: whether they work here, the tasks they can list; and single tasks of them."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from gtr_bench.catalogue.entry import Entry, meaning_and_text
from gtr_bench.environments.adapters import adapters_of
from gtr_bench.environments.registry import Availability, families, family_of

__all__ = ["entry", "task_entry"]


def entry(name: str, package: str, found: Any) -> Entry:
    """A family. Its optional method `tasks() -> Sequence[str]` lists what it has, where that is cheap."""
    family = found()
    meaning, text = meaning_and_text(found)
    offered = getattr(family, "availability", None)
    parts = offered() if offered is not None else [Availability(name, True, None)]
    usable = [part.usable for part in parts]
    listed = getattr(family, "tasks", None)
    tables: dict[str, list[dict[str, JsonValue]]] = {}
    if len(parts) > 1:
        tables["parts"] = [{"part": part.name, "usable": part.usable, "hint": part.hint} for part in parts]
    if listed is not None:
        tables["tasks"] = [{"task": f"{name}:{task}"} for task in listed()]
    return Entry(
        name=name,
        meaning=meaning,
        text=text,
        package=package,
        facts={
            "usable": "yes" if all(usable) else "in part" if any(usable) else "no",
            "hint": [part.hint for part in parts if part.hint],
        },
        tables=tables,
    )


def task_entry(environment: str) -> Entry:
    """One task, `gym:CartPole-v1`: builds nothing.

    Raises:
        RequestError: no such family or task, or a package is missing.
    """
    from gtr_bench.environments.offers import normalisations_of, options_of

    family, task = family_of(environment)
    family.check(task)
    options = options_of(environment)
    physics = family.physics(task)
    facts: dict[str, JsonValue] = {"packages": list(family.packages(task))}
    if options is not None:
        facts["options"] = list(options)
    adapters = adapters_of(environment, {})
    if adapters:
        facts["adapters"] = list(adapters)
    tables: dict[str, list[dict[str, JsonValue]]] = {
        "physics": [{"parameter": name, "meaning": meaning} for name, meaning in physics.items()]
    }
    bounds = normalisations_of(environment, {})
    if bounds:
        tables["normalise"] = [{"name": name, "min": low, "max": high} for name, (low, high) in bounds.items()]
    prefix = environment.partition(":")[0]
    return Entry(
        name=environment,
        meaning=f"a task of the family {prefix}",
        package=families.package(prefix),
        facts=facts,
        tables=tables,
    )
