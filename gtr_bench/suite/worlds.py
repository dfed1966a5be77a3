"""The sequences of a suite: environments and shifts checked with their families, budgets of a scale applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pydantic import BaseModel

from gtr_bench.environments.offers import Spaces, misfit, options_of, spaces_of
from gtr_bench.environments.registry import family_of
from gtr_bench.environments.shifts import shifts
from gtr_bench.errors import GtrBenchError, UnknownNameError, did_you_mean
from gtr_bench.suite.expand import World
from gtr_bench.suite.model import EvaluationTable, OverrideTable, ScaleTable, SequenceTable
from gtr_bench.suite.problems import Problems
from gtr_bench.suite.settings import Layer
from gtr_bench.suite.source import KeyPath

__all__ = ["ResolvedWorld", "resolve_world"]


@dataclass(frozen=True, slots=True)
class ResolvedWorld:
    """A sequence ready to be crossed with algorithms.

    `sequence`, `evaluation` and `packages` are parts of a job definition; `layers` the training settings that apply,
    weakest first; `path` and `steps_path` where the sequence and the budget of a phase were written.
    """

    world: World
    path: KeyPath
    sequence: dict[str, Any]
    evaluation: dict[str, Any]
    packages: dict[str, str]
    layers: tuple[Layer, ...]
    steps_path: KeyPath

    def references(self) -> Iterator[dict[str, Any]]:
        """The sequence of a single-phase run for each distinct phase; nothing when none are asked for."""
        if not self.world.references:
            return
        seen = set()
        for phase in self.sequence["phases"]:
            if (phase["environment"], phase["variant"]) not in seen:
                seen.add((phase["environment"], phase["variant"]))
                yield self.sequence | {"phases": [phase]}


def resolve_world(
    table: SequenceTable,
    path: KeyPath,
    *,
    scale: ScaleTable,
    scale_path: KeyPath,
    evaluation: EvaluationTable,
    training: Layer,
    problems: Problems,
) -> ResolvedWorld | None:
    """One sequence at one scale, or None when its budget is missing; all that is wrong is noted."""
    override = scale.sequence.get(table.id, OverrideTable())
    override_path = (*scale_path, "sequence", table.id)
    packages = _check_environments(table, path, problems)
    _check_options(table, path, problems)
    _check_fits(table, path, problems)
    models = _check_shifts(table, path, problems)
    levels = ((override, override_path), (scale, scale_path), (table, path))
    steps, steps_path = next(
        ((level.steps_per_phase, (*where, "steps_per_phase")) for level, where in levels if level.steps_per_phase),
        (None, path),
    )
    if steps is None:
        if not any(problems.noted((*where, "steps_per_phase")) for _, where in levels):
            problems.add(path, f"`steps_per_phase` is missing for sequence `{table.id}`", at="key")
        return None
    environments = table.environments()[: override.max_phases or scale.max_phases]
    cycle = _cycle(models, path, problems)
    variants = [(index % cycle if cycle else index) if models else 0 for index in range(len(environments))]
    _check_variants(models, max(variants), path, problems)
    phases = [
        {"environment": environment, "options": table.options, "steps": steps, "variant": variant}
        for environment, variant in zip(environments, variants, strict=True)
    ]
    normalise = (table.normalise.min, table.normalise.max) if table.normalise else None
    return ResolvedWorld(
        World(table.id, environments, steps, normalise, table.references),
        path,
        {
            "phases": phases,
            "shifts": [model.model_dump(mode="json", by_alias=True) for model in models],
            "max_episode_steps": table.max_episode_steps,
        },
        _evaluation([evaluation, table.evaluation, scale.evaluation, override.evaluation]),
        packages,
        (
            training,
            (table.training, (*path, "training")),
            (scale.training, (*scale_path, "training")),
            (override.training, (*override_path, "training")),
        ),
        steps_path,
    )


def _evaluation(levels: Sequence[EvaluationTable]) -> dict[str, Any]:
    """The settings of all levels together, the later ones winning; `every` stays None where no level states it."""
    stated = {key: getattr(level, key) for level in levels for key in level.model_fields_set}
    return EvaluationTable().model_dump() | stated


def _check_environments(table: SequenceTable, path: KeyPath, problems: Problems) -> dict[str, str]:
    """Versions of the packages the sequence needs; unknown environments and missing extras are noted."""
    packages: dict[str, str] = {}
    for environment, where in _environments(table, path).items():
        try:
            family, task = family_of(environment)
            family.check(task)
            for name in family.packages(task):
                packages[name] = _version(name)
        except GtrBenchError as error:
            problems.add_error(where, error)
        except PackageNotFoundError as error:
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
    for environment, place in _environments(table, path).items():
        known = options_of(environment) if table.options and not problems.noted(place) else None
        if known is None:
            continue
        for name in table.options:
            if name not in known and not problems.noted((*path, "options", name)):
                hint = did_you_mean(name, known) if known else "it has no options at all"
                problems.add((*path, "options", name), f"`{environment}` has no option `{name}`", hint, at="key")


def _check_fits(table: SequenceTable, path: KeyPath, problems: Problems) -> None:
    """What later phases show a learner must fit what the first one does, as far as families know before the start."""
    environments = _environments(table, path)
    if len(environments) < 2 or problems.noted((*path, "options")):
        return
    first: Spaces | None = None
    for environment, place in environments.items():
        if problems.noted(place):
            continue
        try:
            spaces = spaces_of(environment, table.options)
        except GtrBenchError as error:
            problems.add_error(place, error)
            continue
        found = misfit(f"`{environment}`", spaces, first) if spaces and first else None
        if found is not None:
            problems.add(place, found.sentence, found.hint)
        first = first or spaces


def _check_shifts(table: SequenceTable, path: KeyPath, problems: Problems) -> list[BaseModel]:
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


def _cycle(models: Sequence[BaseModel], path: KeyPath, problems: Problems) -> int | None:
    """The number of variants that take turns: one for the whole sequence, because a phase has one variant."""
    cycles = {cycle for model in models if (cycle := getattr(model, "cycle", None)) is not None}
    if len(cycles) > 1:
        listed = " and ".join(str(cycle) for cycle in sorted(cycles))
        problems.add((*path, "shift"), f"the shifts of one sequence share their `cycle`, but these have {listed}")
    return min(cycles, default=None)


def _check_variants(models: Sequence[BaseModel], last: int, path: KeyPath, problems: Problems) -> None:
    """A shift with a list of values needs one for every variant in use."""
    for model in models:
        known = getattr(model, "variants", None)
        if known is not None and last >= known:
            problems.add(
                (*path, "shift"),
                f"a shift with {known} values meets {last + 1} phases",
                f"`cycle = {known}` uses them in turn",
            )


@cache
def _version(package: str) -> str:
    return version(package)
