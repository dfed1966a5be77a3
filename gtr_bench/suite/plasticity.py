"""The add-ons of an `[[algorithm]]`: named in `plasticity`, their fields addressed as `name.field`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ValidationError

from gtr_bench.errors import UnknownNameError
from gtr_bench.networks.registry import networks
from gtr_bench.plasticity.registry import add_ons
from gtr_bench.suite.identity import defining

if TYPE_CHECKING:
    from gtr_bench.plasticity.base import AddOn
    from gtr_bench.suite.problems import Problems
    from gtr_bench.suite.settings import Setting
    from gtr_bench.suite.source import KeyPath

__all__ = ["Chosen", "chosen", "models_of", "resolve_add_ons"]

Stated = dict[str, tuple[Any, "KeyPath"]]
"""`name.field` -> its value and where that was written"""


class Chosen(NamedTuple):
    """An add-on that a table names, and where."""

    kind: type[AddOn]
    path: KeyPath


def chosen(entries: Sequence[Any], path: KeyPath, problems: Problems) -> tuple[tuple[Chosen, ...], Stated]:
    """The add-ons in the order in which they act, and what is stated for them; what is wrong is noted.

    Args:
        entries: names, or tables of a name (`use`) and parameters.
        path: where they stand.
        problems: where to note.
    """
    found: dict[str, Chosen] = {}
    stated: Stated = {}
    for index, entry in enumerate(entries):
        where: KeyPath = (*path, index)
        name = entry if isinstance(entry, str) else entry.get("use") if isinstance(entry, dict) else None
        if not isinstance(name, str):
            problems.add(where, "an add-on is a name or a table with one", 'write `"redo"` or `{ use = "redo", ... }`')
            continue
        place = where if isinstance(entry, str) else (*where, "use")
        try:
            kind: type[AddOn] = add_ons.get(name)
        except UnknownNameError as error:
            problems.add_error(place, error)
            continue
        if name in found:
            problems.add(place, f"the add-on `{name}` is named twice")
            continue
        for other in found.values():
            if other.kind.name in kind.conflicts or name in other.kind.conflicts:
                problems.add(place, f"the add-on `{name}` cannot be combined with `{other.kind.name}`")
        found[name] = Chosen(kind, where)
        for key, value in {} if isinstance(entry, str) else entry.items():
            if key in kind.Parameters.model_fields:
                stated[f"{name}.{key}"] = (value, (*where, key))
            elif key != "use":
                problems.add_unknown((*where, key), [*kind.Parameters.model_fields, "use"])
    return tuple(sorted(found.values(), key=lambda each: (each.kind.stage, each.kind.name))), stated


def models_of(entries: Iterable[Any]) -> dict[str, type[BaseModel]]:
    """The parameter models of the add-ons of a table that is right, by name."""
    names = [entry if isinstance(entry, str) else entry["use"] for entry in entries]
    return {name: add_ons.get(name).Parameters for name in names}


def resolve_add_ons(
    setting: Setting, network: dict[str, Any], problems: Problems
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A definition's `plasticity`, and its `network` as the add-ons want it; what is wrong is noted.

    Args:
        setting: whose add-ons.
        network: of the suite; empty where that is wrong.
        problems: where to note.
    """
    part = []
    for kind, path in setting.add_ons:
        parameters = problems.validate(
            kind.Parameters, _own(setting.stated, kind.name), path, _own(setting.origins, kind.name)
        )
        if parameters is None:
            continue
        part.append({"name": kind.name, "version": kind.version, "parameters": defining(parameters)})
        if not network:
            continue
        if kind.needs_units and not getattr(networks.get(network["torso"]), "names_units", False):
            problems.add(
                path, f"`{kind.name}` works on hidden units, which the torso `{network['torso']}` does not name"
            )
        wanted = kind.network(parameters, dict(network))
        if wanted != network:
            network = _checked(kind.name, wanted, path, problems) or network
    return part, network


def _own(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    prefix = f"{name}."
    return {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}


def _checked(name: str, wanted: dict[str, Any], path: KeyPath, problems: Problems) -> dict[str, Any]:
    """A network that an add-on has rewritten; empty (and noted) where no torso can be so."""
    own = {key: value for key, value in wanted.items() if key not in ("torso", "version", "shared")}
    try:
        kind = networks.get(wanted["torso"])
        parameters = kind.Parameters(**own)
    except UnknownNameError as error:
        problems.add_error(path, error)
        return {}
    except ValidationError as error:
        wrong = error.errors()[0]
        key, message = ".".join(map(str, wrong["loc"])), wrong["msg"][:1].lower() + wrong["msg"][1:]
        problems.add(path, f"`{name}` needs `{key}` of the torso `{wanted['torso']}`: {message}")
        return {}
    shared = {"shared": wanted["shared"]} if "shared" in wanted else {}
    return {"torso": wanted["torso"], "version": kind.version, **shared, **defining(parameters)}
