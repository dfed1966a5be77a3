"""The kinds of things a suite can name, each with its names and what is known of one. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from pydantic import BaseModel, JsonValue

from gtr_bench.algorithms.parameters import OnPolicyParameters
from gtr_bench.algorithms.registry import algorithms
from gtr_bench.catalogue import families, published, sequences, suites
from gtr_bench.catalogue.entry import Entry, meaning_and_text
from gtr_bench.catalogue.parameters import parameters_of
from gtr_bench.environments.registry import families as family_registry
from gtr_bench.environments.shift import Shift
from gtr_bench.environments.shifts import shifts
from gtr_bench.errors import RequestError, UnknownNameError
from gtr_bench.metrics.registry import metrics
from gtr_bench.networks.registry import networks
from gtr_bench.plasticity.registry import add_ons
from gtr_bench.registry import Registry
from gtr_bench.report.blocks import Block

__all__ = ["KINDS", "Kind", "kind_of"]

NEEDS = {
    "references": "reference runs",
    "oracle": "the oracle",
    "all_phases": "evaluations on all phases",
    "shift": "a second phase",
    "test": "a test world",
    "achievements": "achievements",
}
"""What a metric needs besides the runs themselves, in words."""


class Kind(NamedTuple):
    """One kind of thing.

    Attributes:
        name: as the command line has it, plural.
        meaning: what an entry is, one line.
        columns: keys of `Entry.facts` that a list of the kind shows.
        names: all names that are registered.
        own_names: those that come with the program.
        brief: an entry for a list: cheap, and never an error where a package of somebody else is broken.
        entry: all that is known; raises UnknownNameError or another RequestError.
        listing: of a kind that is listed in rows of its own, which may be narrowed to an environment: blocks to show,
            and the rows as data; raises RequestError.
    """

    name: str
    meaning: str
    columns: tuple[str, ...]
    names: Callable[[], list[str]]
    own_names: Callable[[], list[str]]
    brief: Callable[[str], Entry]
    entry: Callable[[str], Entry]
    listing: Callable[[str | None], tuple[list[Block], list[dict[str, Any]]]] | None = None


def kind_of(name: str) -> Kind:
    """The kind called so; raises UnknownNameError with a suggestion."""
    if name not in KINDS:
        raise UnknownNameError("kind", name, KINDS)
    return KINDS[name]


Describe = Callable[[str, str, Any], Entry]
"""Name, package and class of something registered to its entry."""


def _brief(registry: Registry, describe: Describe, name: str) -> Entry:
    try:
        return _entry(registry, describe, name)
    except RequestError as error:
        return Entry(name=name, meaning=error.sentence, package=registry.package(name))


def _entry(registry: Registry, describe: Describe, name: str) -> Entry:
    package = registry.package(name)
    try:
        return describe(name, package, registry.get(name))
    except Exception as error:
        if name in registry.own_names():
            raise
        # somebody else's module may raise anything while it is imported or looked at
        reason = f"{type(error).__name__}: {error}".rstrip(".!")
        sentence = f"the {registry.kind} `{name}` of the package `{package}` cannot be loaded: {reason}"
        raise RequestError(sentence, hint=f"`{package}` should be repaired or uninstalled") from error


def _registered(name: str, meaning: str, registry: Registry, describe: Describe, *columns: str) -> Kind:
    find, brief = partial(_entry, registry, describe), partial(_brief, registry, describe)
    return Kind(name, meaning, columns, registry.names, registry.own_names, brief, find)


def _built(name: str, package: str, found: Any, shared: type[BaseModel] | None = None, **facts: JsonValue) -> Entry:
    """What has a version, `Parameters` and perhaps diagnostics of its own."""
    meaning, text = meaning_and_text(found)
    return Entry(
        name=name,
        meaning=meaning,
        text=text,
        package=package,
        version=found.version,
        facts=facts,
        parameters=parameters_of(found.Parameters, shared),
        tables=_diagnostics(found),
    )


def _algorithm(name: str, package: str, found: Any) -> Entry:
    return _built(
        name,
        package,
        found,
        OnPolicyParameters,
        learner=found.learner,
        own_defaults=sorted(found.own_defaults),
        starts_anew_at_shift=found.starts_anew_at_shift,
        needs_boundaries=found.needs_boundaries,
        reconstruction=found.reconstruction,
    )


def _add_on(name: str, package: str, found: Any) -> Entry:
    return _built(
        name,
        package,
        found,
        stage=found.stage,
        needs_boundaries=found.needs_boundaries,
        needs_units=found.needs_units,
        conflicts=sorted(found.conflicts),
    )


def _diagnostics(found: Any) -> dict[str, list[dict[str, Any]]]:
    """The columns a class declares that it may log."""
    columns = getattr(found, "columns", {})
    rows = [{"column": column, "meaning": meaning} for column, meaning in columns.items()]
    return {"diagnostics": rows} if rows else {}


def _shift(name: str, package: str, found: Any) -> Entry:
    meaning, text = meaning_and_text(found)
    own = [each for each in parameters_of(found, Shift) if each.name != "kind"]
    return Entry(
        name=name,
        meaning=meaning,
        text=text,
        package=package,
        facts={"can_drift": found.numeric},
        parameters=sorted(own, key=lambda each: each.shared),
    )


def _metric(name: str, package: str, found: Any) -> Entry:
    meaning, text = meaning_and_text(found)
    facts = {
        "better": {"neutral": None}.get(found.direction, found.direction),
        "needs": [NEEDS[need] for need in NEEDS if need in found.needs],
        "unit": found.unit,
        "of": found.values,
        "needs_positive_returns": found.ratio,
    }
    explained = "\n\n".join(part for part in (f"{meaning}." if meaning else "", text) if part)
    return Entry(name=name, meaning=found.definition, text=explained, package=package, facts=facts)


_ENVIRONMENTS = _registered(
    "environments", 'families of worlds: `env = "family:task"`', family_registry, families.entry, "usable", "hint"
)


def _family_or_task(name: str) -> Entry:
    return families.task_entry(name) if ":" in name else _ENVIRONMENTS.entry(name)


KINDS = {
    kind.name: kind
    for kind in (
        _registered("algorithms", "what trains: `[[algorithm]]`", algorithms, _algorithm),
        _registered("networks", "what it trains: `[network]` with `torso`", networks, _built),
        _registered("plasticity", "what is added to an algorithm: `plasticity` of `[[algorithm]]`", add_ons, _add_on),
        _ENVIRONMENTS._replace(entry=_family_or_task),
        Kind(
            "sequences", "task sequences by name: `use` of `[[sequence]]`", ("phases",), sequences.names,
            sequences.names, sequences.entry, sequences.entry,
        ),
        _registered("shifts", "what changes between phases: `shift` of `[[sequence]]`", shifts, _shift, "can_drift"),
        _registered("metrics", "what is compared: `primary_metric`", metrics, _metric, "better", "needs"),
        Kind(
            "suites", "what comes ready to run", ("scales",), suites.names, suites.names, suites.brief, suites.entry
        ),
        Kind(
            "published", "numbers of other people, with their sources: `report --published`", ("domain",),
            published.names, published.names, published.entry, published.entry, published.listing,
        ),
    )
}  # fmt: skip
"""By name, in the order in which they are listed."""
