"""The sequences of a suite, checked with the families of their environments: all that no scale changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from gtr_bench.environments.offers import misfit, options_of, spaces_of
from gtr_bench.environments.registry import family_of
from gtr_bench.environments.shift import Shift
from gtr_bench.environments.shifts import shifts
from gtr_bench.environments.spaces import Spaces
from gtr_bench.errors import GtrBenchError, MissingExtraError, UnknownNameError, did_you_mean
from gtr_bench.suite.identity import canonical_json
from gtr_bench.suite.model import SequenceTable
from gtr_bench.suite.problems import Problems
from gtr_bench.suite.source import KeyPath

__all__ = ["OPTION_TABLES", "CheckedSequence", "check_sequence"]

OPTION_TABLES = ("options", "vary", "test")
"""keys of a sequence that hold options of its environments"""

ALWAYS_INSTALLED = frozenset({"gymnasium"})
"""the packages of environments that come without an extra"""

IMAGE_HINT = "`observation_permutation` moves the pixels of images; actions and rewards can shift, too"


@dataclass(frozen=True, slots=True)
class CheckedSequence:
    """A sequence's table, its place, the versions of its packages, and its shifts except those beyond repair.

    `spaces` are what its environments show in all its phases, before the shifts; None where something is wrong, or
    nobody asked.
    """

    table: SequenceTable
    path: KeyPath
    packages: Mapping[str, str]
    shifts: tuple[Shift, ...]
    spaces: Spaces | None


def check_sequence(table: SequenceTable, path: KeyPath, *, asked: bool, problems: Problems) -> CheckedSequence:
    """Note all that is wrong with a sequence.

    Args:
        table: the sequence.
        path: where it stands.
        asked: it takes part at the scale that was asked for. Otherwise its extras may be missing, and no package of
            an extra is loaded to look closer.
        problems: where to note.
    """
    packages = _check_environments(table, path, asked, problems)
    spaces = None
    if asked or _plain(table, path, problems):
        _check_options(table, path, problems)
        spaces = _check_spaces(table, path, problems)
    return CheckedSequence(table, path, packages, tuple(_check_shifts(table, path, spaces, problems)), spaces)


def _plain(table: SequenceTable, path: KeyPath, problems: Problems) -> bool:
    """Whether all environments of a sequence come without an extra."""
    for environment, place in _environments(table, path).items():
        if not problems.noted(place):
            family, task = family_of(environment)
            if not ALWAYS_INSTALLED.issuperset(family.packages(task)):
                return False
    return True


def _check_environments(table: SequenceTable, path: KeyPath, asked: bool, problems: Problems) -> dict[str, str]:
    """Versions of the packages the sequence needs; unknown environments, and missing extras if asked, are noted."""
    packages: dict[str, str] = {}
    for environment, where in _environments(table, path).items():
        try:
            family, task = family_of(environment)
            family.check(task)
            for name in family.packages(task):
                packages[name] = _version(name)
        except MissingExtraError as error:
            if asked:
                problems.add_error(where, error)
        except GtrBenchError as error:
            problems.add_error(where, error)
        except PackageNotFoundError as error:
            if asked:
                problems.add(where, f"`{environment}` needs the package `{error.name}`, which is not installed")
    return packages


def _environments(table: SequenceTable, path: KeyPath) -> dict[str, KeyPath]:
    """Every distinct environment and where it is first named."""
    if table.tasks is None:
        return {str(table.env): (*path, "env")}
    places: dict[str, KeyPath] = {}
    for index, task in enumerate(table.tasks):
        places.setdefault(task, (*path, "tasks", index))
    return places


def _check_options(table: SequenceTable, path: KeyPath, problems: Problems) -> None:
    """Every environment of the sequence must have the options that are set, as far as its family knows them."""
    named = [(where, name) for where in OPTION_TABLES for name in getattr(table, where)]
    for environment, place in _environments(table, path).items():
        known = options_of(environment) if named and not problems.noted(place) else None
        if known is None:
            continue
        for where, name in named:
            if name not in known and not problems.noted((*path, where, name)):
                hint = did_you_mean(name, known) if known else "it has no options at all"
                problems.add((*path, where, name), f"`{environment}` has no option `{name}`", hint, at="key")


def _check_spaces(table: SequenceTable, path: KeyPath, problems: Problems) -> Spaces | None:
    """The spaces of the first phase; what later phases show a learner must fit them. None if anything is wrong."""
    if any(problems.noted((*path, key)) for key in OPTION_TABLES):
        return None
    first: Spaces | None = None
    places = _environments(table, path)
    for environment, options in _distinct_worlds(table):
        place = places[environment]
        if problems.noted(place):
            continue
        try:
            spaces = spaces_of(environment, options)
        except GtrBenchError as error:
            problems.add_error(place, error)
            continue
        found = misfit(f"`{environment}`", spaces, first) if first else None
        if found is not None:
            problems.add(place, found.sentence, found.hint)
        first = first or spaces
    return None if any(problems.noted(place) for place in places.values()) else first


def _distinct_worlds(table: SequenceTable) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every environment with every set of options it has in some phase, tests included, in the order of the phases."""
    seen = set()
    for phase, environment in enumerate(table.environments()):
        trained = table.options_of(phase)
        for options in (trained, {**trained, **table.test}):
            world = environment, canonical_json(options)
            if world not in seen:
                seen.add(world)
                yield environment, options


def _check_shifts(table: SequenceTable, path: KeyPath, spaces: Spaces | None, problems: Problems) -> list[Shift]:
    models = []
    listed = isinstance(problems.at((*path, "shift")), list)
    for index, shift in enumerate(table.shift):
        where = (*path, "shift", index) if listed else (*path, "shift")
        kind = shift.get("kind")
        if not isinstance(kind, str):
            problems.add(where, "a shift needs a `kind`", did_you_mean("", shifts.names()))
            continue
        try:
            model = problems.validate(shifts.get(kind), shift, where)
        except UnknownNameError as error:
            problems.add_error((*where, "kind"), error)
            continue
        if model is not None:
            models.append(model)
            if table.references and getattr(model, "mode", None) == "drift":
                sentence = "a reference run meets one phase only, so it cannot follow a shift that drifts"
                problems.add(where, sentence, "drop `references`, or shift abruptly")
            if spaces is not None and (reason := model.fits(spaces)) is not None:
                hint = IMAGE_HINT if spaces.observation.is_image else "drop the shift, or change something else"
                problems.add(where, f"the shift `{kind}` {reason}", hint)
            elif spaces is not None and index + 1 < len(table.shift) and model.shown(spaces, 1) != spaces:
                problems.add(where, f"the shift `{kind}` changes what those after it would see", "put it last")
            if kind == "physics":
                _check_physics(table, path, shift, where, problems)
    return models


def _check_physics(
    table: SequenceTable, path: KeyPath, shift: Mapping[str, Any], where: KeyPath, problems: Problems
) -> None:
    """Every environment of the sequence must have the physics parameter that shifts."""
    parameter = shift.get("parameter")
    for environment, place in _environments(table, path).items():
        if problems.noted(place):
            continue
        family, task = family_of(environment)
        known = family.physics(task)
        if isinstance(parameter, str) and parameter not in known:
            sentence = f"`{environment}` has no physics parameter `{parameter}`"
            problems.add((*where, "parameter"), sentence, did_you_mean(parameter, known))


@cache
def _version(package: str) -> str:
    return version(package)
