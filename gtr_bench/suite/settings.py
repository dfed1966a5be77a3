"""The algorithms of a suite: grids become labelled settings, tables of defaults become parameters."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from gtr_bench.algorithms.owners import owners_hint
from gtr_bench.algorithms.registry import algorithms
from gtr_bench.errors import UnknownNameError, did_you_mean
from gtr_bench.learners.registry import learner
from gtr_bench.suite.identity import defining
from gtr_bench.suite.model import AlgorithmTable
from gtr_bench.suite.plasticity import Chosen, chosen
from gtr_bench.suite.problems import Problems, shown
from gtr_bench.suite.source import KeyPath

__all__ = ["Layer", "Parameters", "Setting", "resolve", "settings_of"]

MAX_SETTINGS = 100_000
RESERVED = tuple(AlgorithmTable.model_fields)

Layer = tuple[Mapping[str, Any], KeyPath]
"""a table of training settings and where it stands"""


@dataclass(frozen=True, slots=True)
class Setting:
    """One algorithm with the parameters a suite states for it.

    `algorithm` is the table's id, `label` adds the grid's values, `kind` is the registered class, `add_ons` act in
    this order; `stated` are the stated parameters, those of an add-on as `name.field`, and `origins` where each was
    written.
    """

    label: str
    algorithm: str
    kind: Any
    stated: Mapping[str, Any]
    origins: Mapping[str, KeyPath]
    path: KeyPath
    add_ons: tuple[Chosen, ...] = ()


def settings_of(table: Mapping[str, Any], path: KeyPath, problems: Problems) -> list[Setting]:
    """All settings of one `[[algorithm]]` table, in the order of the file; empty when it is beyond repair."""
    head = problems.validate(AlgorithmTable, {key: table[key] for key in RESERVED if key in table}, path)
    if head is None:
        return []
    try:
        kind = algorithms.get(head.use or head.id)
        learner(kind.learner)
    except UnknownNameError as error:
        problems.add_error((*path, "use" if head.use else "id"), error)
        return []
    rest = {key: value for key, value in table.items() if key not in RESERVED}
    own = list(kind.Parameters.model_fields)
    inline = _known(rest, path, own, problems)
    add_ons, added = chosen(head.plasticity, (*path, "plasticity"), problems)
    if add_ons and not learner(kind.learner).takes_add_ons:
        problems.add((*path, "plasticity"), f"`{kind.name}` takes no add-ons", at="key")
    own += [f"{each.kind.name}.{field}" for each in add_ons for field in each.kind.Parameters.model_fields]
    axes = [
        [{key: (value, (*path, "grid", key, index))} for index, value in enumerate(values)]
        for key, values in _known(head.grid, (*path, "grid"), own, problems).items()
    ]
    rows = [
        {key: (value, (*path, "tied", index, key)) for key, value in row.items()}
        for index, raw in enumerate(head.tied)
        if (row := _known(raw, (*path, "tied", index), own, problems))
    ]
    if not _crossable(head, inline, added, path, problems):
        return []
    found = []
    for combination in itertools.product(*axes, rows or [{}]):
        varied = {key: item for part in combination for key, item in part.items()}
        values = ",".join(f"{key}={_text(value)}" for key, (value, _) in varied.items())
        stated = inline | {key: value for key, (value, _) in (added | varied).items()}
        origins: dict[str, KeyPath] = {key: (*path, key) for key in inline}
        origins |= {key: place for key, (_, place) in (added | varied).items()}
        label = f"{head.id}[{values}]" if varied else head.id
        found.append(Setting(label, head.id, kind, stated, origins, path, add_ons))
    return found


class Parameters:
    """The parameters of settings under layers of training settings; equal questions are answered once."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._known: dict[tuple[int, tuple[str, ...]], dict[str, Any] | None] = {}
        self._met: set[int] = set()

    def __call__(self, setting: Setting, layers: Sequence[Layer]) -> dict[str, Any] | None:
        """As `resolve`. The same dict may come more than once: read, don't write."""
        key = id(setting), tuple(repr(layer) for layer in layers if layer[0])
        if key not in self._known:
            self._known[key] = resolve(setting, layers, self._problems)
        self._met.add(id(setting))
        return self._known[key]

    def met(self, setting: Setting) -> bool:
        """Whether anybody has asked about the setting."""
        return id(setting) in self._met


def resolve(setting: Setting, layers: Sequence[Layer], problems: Problems) -> dict[str, Any] | None:
    """The parameters of `setting` that define a job (`defining`); None when something is wrong (and noted).

    Later layers win over earlier ones and the setting's own parameters over all. A layer's settings that the algorithm
    does not have, or fixes itself, do not reach it.
    """
    model: type[BaseModel] = setting.kind.Parameters
    merged: dict[str, Any] = {}
    origins: dict[str, KeyPath] = {}
    for layer, base in layers:
        for key, value in layer.items():
            if key in model.model_fields and key not in setting.kind.own_defaults:
                merged[key] = value
                origins[key] = (*base, key)
    merged |= {key: value for key, value in setting.stated.items() if "." not in key}
    origins |= setting.origins
    parameters = problems.validate(model, merged, setting.path, origins)
    if parameters is None:
        return None
    values = defining(parameters)
    for objection in learner(setting.kind.learner).contradictions(values):
        where = origins.get(str(objection.parameter), setting.path)
        problems.add(where, f"`{setting.label}`: {objection.sentence}", objection.hint)
    return values


def _known(table: Mapping[str, Any], path: KeyPath, names: Sequence[str], problems: Problems) -> dict[str, Any]:
    """The entries that are parameters of the algorithm or its add-ons; the others are noted."""
    for key in table:
        if key not in names:
            where = "algorithm" if len(path) == 2 else f"algorithm.{path[2]}"
            known = [*names, *RESERVED] if len(path) == 2 else names
            hint = owners_hint(key, known) or did_you_mean(key, known)
            problems.add((*path, key), f"unknown key `{key}` in `{where}`", hint, at="key")
    return {key: value for key, value in table.items() if key in names}


def _crossable(
    head: AlgorithmTable, inline: Mapping[str, Any], added: Mapping[str, Any], path: KeyPath, problems: Problems
) -> bool:
    """Whether grid and tied rows make sense together; what does not is noted."""
    good = True
    for key, values in head.grid.items():
        if not values:
            problems.add((*path, "grid", key), f"`{key}` has no values to try")
            good = False
        if len(set(map(repr, values))) < len(values):
            problems.add((*path, "grid", key), f"`{key}` repeats a value: `{shown(values)}`")
            good = False
    if head.tied and len({frozenset(row) for row in head.tied}) > 1:
        problems.add((*path, "tied"), "all rows of `tied` should name the same parameters")
        good = False
    places: dict[str, list[str]] = {}
    for name, keys in (
        ("algorithm", inline),
        ("plasticity", added),
        ("grid", head.grid),
        ("tied", dict.fromkeys(k for r in head.tied for k in r)),
    ):
        for key in keys:
            places.setdefault(key, []).append(name)
    for key, names in places.items():
        if len(names) > 1:
            where = (*path, "grid", key) if names[-1] == "grid" else (*path, "tied")
            problems.add(where, f"`{key}` is set twice: in {' and in '.join(f'`{name}`' for name in names)}")
            good = False
    count = math.prod(len(values) for values in head.grid.values()) * max(1, len(head.tied))
    if count > MAX_SETTINGS:
        problems.add((*path, "grid"), f"`{head.id}` has {count:,} settings, more than {MAX_SETTINGS:,}")
        good = False
    return good


def _text(value: Any) -> str:
    return value if isinstance(value, str) else shown(value)
