"""What an experiment is: worlds, evaluation, network and parameters, gathered from the definitions of its jobs."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gtr_bench.algorithms.registry import algorithms
from gtr_bench.errors import UnknownNameError
from gtr_bench.plasticity.registry import add_ons
from gtr_bench.report.collect import SuiteRecords, algorithms_of
from gtr_bench.suite.identity import canonical_json, parameters_of
from gtr_bench.suite.model import AlgorithmTable

__all__ = ["AlgorithmSetup", "Parameter", "Setup", "WorldSetup", "setup_of"]

MISSING = object()


@dataclass(frozen=True)
class WorldSetup:
    """One sequence: the `sequence` of its jobs' definitions, and the returns that count as 0 and 1, if known.

    `normalise` is by environment; `references` are the algorithms that also learn each phase's world from scratch.
    """

    id: str
    sequence: Mapping[str, Any] = field(repr=False)
    evaluation: Mapping[str, Any]
    normalise: Mapping[str, tuple[float, float]]
    normalised_by: str | None
    references: tuple[str, ...]


@dataclass(frozen=True)
class AlgorithmSetup:
    """One algorithm: its label, the registered name behind it, and the add-ons beside it."""

    label: str
    name: str
    add_ons: tuple[str, ...]


@dataclass(frozen=True)
class Parameter:
    """One parameter over all algorithms that have it.

    Attributes:
        name: as a suite writes it; `network.` before those of networks that differ.
        values: algorithm -> sequence -> value.
        defaults: algorithm -> the program's default, without those that have none or are unknown here.
        common: it has the same values in all of `values`, and is everyone's, or a default that no algorithm states.
    """

    name: str
    values: Mapping[str, Mapping[str, Any]]
    defaults: Mapping[str, Any]
    common: bool

    def usual(self, algorithm: str) -> bool:
        """Whether an algorithm has the default everywhere; so if nobody knows the default."""
        if algorithm not in self.defaults:
            return True
        return all(value == self.defaults[algorithm] for value in self.values[algorithm].values())


@dataclass(frozen=True)
class Setup:
    """An experiment.

    Attributes:
        worlds, algorithms: in the suite's order.
        seeds: of every algorithm on every sequence; `wave` come first, `wave` more where undecided, None: at once.
        network: None where it differs; it is then among the parameters.
        parameters: of algorithms, add-ons, and networks that differ.
        runs: how many there are, references not counted; `steps` is what they take together.
        expanded: read from the suite itself; else from the jobs that were found, and `lacks` says what that means.
    """

    worlds: tuple[WorldSetup, ...]
    algorithms: tuple[AlgorithmSetup, ...]
    seeds: tuple[int, ...]
    wave: int | None
    network: Mapping[str, Any] | None
    parameters: tuple[Parameter, ...]
    runs: int
    steps: int
    expanded: bool
    lacks: tuple[str, ...]


class _Cell(NamedTuple):
    algorithm: str
    sequence: str
    definition: Mapping[str, Any]


def setup_of(found: SuiteRecords) -> Setup | None:
    """The setup of a suite, of the definitions that its jobs have in memory; None where there is no run at all."""
    cells, references, lacks = _of_suite(found) if found.suite is not None else _of_jobs(found)
    if not cells:
        return None
    suite = found.suite
    seeds = suite.seeds if suite else tuple(sorted({each.seed for each in found.records if each.role == "run"}))
    first = {cell.sequence: cell.definition for cell in reversed(cells)}
    known = {world.id: world for world in suite.worlds} if suite else {}
    labels = list(dict.fromkeys(cell.algorithm for cell in cells))
    order = [each for each in (suite.algorithms if suite else algorithms_of(found)) if each in labels]
    of = {cell.algorithm: cell.definition for cell in reversed(cells)}
    networks = {canonical_json(cell.definition.get("network", {})) for cell in cells}
    per_run = {name: sum(phase["steps"] for phase in each["sequence"]["phases"]) for name, each in first.items()}
    counts = Counter(cell.sequence for cell in cells for _ in seeds)
    if suite is None:
        counts = Counter(record.sequence for record in found.records if record.role == "run")
    return Setup(
        worlds=tuple(
            WorldSetup(
                name,
                first[name]["sequence"],
                first[name].get("evaluation", {}),
                (known[name].normalise or {}) if name in known else {},
                known[name].normalised_by if name in known else None,
                tuple(references.get(name, ())),
            )
            for name in dict.fromkeys(cell.sequence for cell in cells)
        ),
        algorithms=tuple(
            AlgorithmSetup(
                label, of[label]["algorithm"]["name"], tuple(each["name"] for each in of[label].get("plasticity", ()))
            )
            for label in order
        ),
        seeds=seeds,
        wave=suite.sequential.wave if suite and suite.sequential else None,
        network=cells[0].definition.get("network", {}) if len(networks) == 1 else None,
        parameters=tuple(_parameters(cells, order, _stated(suite.text) if suite else (), len(networks) > 1)),
        runs=sum(counts.values()),
        steps=sum(per_run[name] * count for name, count in counts.items()),
        expanded=suite is not None,
        lacks=tuple(lacks),
    )


Gathered = tuple[list[_Cell], dict[str, list[str]], list[str]]
"""Cells, sequence -> algorithms with reference runs, and what is not known."""


def _of_suite(found: SuiteRecords) -> Gathered:
    assert found.suite is not None
    cells = [_Cell(c.algorithm, c.sequence, c.definition) for c in found.suite.cells if c.role == "run"]
    # A reference run that sequences share is labelled with the first of them: what a sequence has, its table says.
    bars = dict.fromkeys(cell.algorithm for cell in found.suite.cells if cell.role == "reference")
    return cells, {world.id: list(bars) for world in found.suite.worlds if world.references}, []


def _of_jobs(found: SuiteRecords) -> Gathered:
    """From jobs alone: the first definition under each pair of labels."""
    kinds: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    references: dict[str, list[str]] = {}
    for record in found.records:
        if record.role != "run":
            listed = references.setdefault(record.sequence, [])
            listed += [record.algorithm] * (record.algorithm not in listed)
            continue
        rest = {key: value for key, value in record.definition.items() if key != "seed"}
        kinds.setdefault((record.sequence, record.algorithm), {}).setdefault(canonical_json(rest), rest)
    cells = [_Cell(name, sequence, next(iter(each.values()))) for (sequence, name), each in kinds.items()]
    lacks = ["read from the jobs that were found, as the suite's text cannot be expanded here"]
    mixed = [f"{name} on {sequence}" for (sequence, name), each in kinds.items() if len(each) > 1]
    if mixed:
        lacks.append(f"jobs under one label are defined differently, and one of them is described: {', '.join(mixed)}")
    return cells, references, lacks


def _stated(text: str) -> frozenset[str]:
    """The parameters that a suite's algorithms name themselves: a reader looks for them in their rows."""
    names: set[str] = set()
    for table in tomllib.loads(text).get("algorithm", ()):
        names |= table.keys() - AlgorithmTable.model_fields.keys()
        names |= table.get("grid", {}).keys() | {name for row in table.get("tied", ()) for name in row}
        for entry in table.get("plasticity", ()):
            if isinstance(entry, dict):
                names |= {f"{entry.get('use')}.{key}" for key in entry.keys() - {"use"}}
    return frozenset(names)


def _parameters(
    cells: Sequence[_Cell], order: Sequence[str], stated: Collection[str], networks_differ: bool
) -> Iterable[Parameter]:
    """Every parameter, in the order in which the algorithms have them."""
    values: dict[str, dict[str, dict[str, Any]]] = {}
    names = {cell.algorithm: cell.definition["algorithm"]["name"] for cell in cells}
    for cell in sorted(cells, key=lambda each: order.index(each.algorithm)):
        own = parameters_of(cell.definition)
        if networks_differ:
            own |= {f"network.{key}": each for key, each in cell.definition["network"].items() if key != "version"}
        for name, value in own.items():
            values.setdefault(name, {}).setdefault(cell.algorithm, {})[cell.sequence] = value
    for name, by_algorithm in values.items():
        found = {label: default_of(names[label], name) for label in by_algorithm}
        defaults = {label: default for label, default in found.items() if default is not MISSING}
        first = next(iter(by_algorithm.values()))
        # An algorithm that lacks a sequence, as where only some jobs were found, agrees where it has one.
        same = all(first.get(key, value) == value for each in by_algorithm.values() for key, value in each.items())
        every = len(by_algorithm) == len(order)
        untouched = Parameter(name, by_algorithm, defaults, common=True)
        silent = name not in stated and all(untouched.usual(label) for label in by_algorithm)
        common = same and (every or silent)
        yield Parameter(name, by_algorithm, defaults, common)


def default_of(algorithm: str, name: str) -> Any:
    """The default of an algorithm's parameter, or of an add-on's as `add_on.field`, as JSON has it; else `MISSING`."""
    part, dot, key = name.partition(".")
    find: Callable[[str], Any] = add_ons.get if dot else algorithms.get
    try:
        fields = find(part if dot else algorithm).Parameters.model_fields
    except (UnknownNameError, ImportError):
        return MISSING
    found = fields.get(key if dot else name)
    if found is None or found.is_required():
        return MISSING
    default = found.get_default(call_default_factory=True)
    return list(default) if isinstance(default, tuple) else default
