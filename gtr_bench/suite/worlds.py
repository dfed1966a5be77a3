"""The sequences of a suite at one scale: its budgets applied, phases and variants counted out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gtr_bench.environments.adapters import adapters_of
from gtr_bench.environments.offers import normalisations_of
from gtr_bench.environments.shift import Shift, worlds_of
from gtr_bench.environments.spaces import Spaces
from gtr_bench.errors import GtrBenchError
from gtr_bench.suite.expand import World
from gtr_bench.suite.identity import defining
from gtr_bench.suite.model import EvaluationTable, OverrideTable, ScaleTable, SequenceTable
from gtr_bench.suite.problems import Problems
from gtr_bench.suite.sequences import CheckedSequence
from gtr_bench.suite.settings import Layer
from gtr_bench.suite.source import KeyPath

__all__ = ["ResolvedWorld", "resolve_world"]


@dataclass(frozen=True, slots=True)
class ResolvedWorld:
    """A sequence ready to be crossed with algorithms.

    `spaces` are what a learner sees, None where nobody asked; `sequence`, `evaluation` and `packages` are parts of a
    job definition; `layers` the training settings that apply, weakest first; `path`, `steps_path` and `every_path`
    where the sequence, the budget of a phase and the steps between evaluations were written, the latter the sequence's
    where no level states them.
    """

    world: World
    path: KeyPath
    spaces: Spaces | None
    sequence: dict[str, Any]
    evaluation: dict[str, Any]
    packages: dict[str, str]
    layers: tuple[Layer, ...]
    steps_path: KeyPath
    every_path: KeyPath

    def references(self) -> Iterator[dict[str, Any]]:
        """The sequence of a single-phase run for each distinct phase; nothing when none are asked for."""
        if not self.world.references:
            return
        seen = set()
        for phase in self.sequence["phases"]:
            world = json.dumps(phase, sort_keys=True)  # as it is: what no definition may hold is told elsewhere
            if world not in seen:
                seen.add(world)
                yield self.sequence | {"phases": [phase]}


def resolve_world(
    checked: CheckedSequence,
    *,
    scale: ScaleTable,
    scale_path: KeyPath,
    evaluation: EvaluationTable,
    training: Layer,
    problems: Problems,
) -> ResolvedWorld | None:
    """One sequence at one scale, or None when its budget is missing; all that is wrong is noted."""
    table, path, models = checked.table, checked.path, checked.shifts
    override = scale.sequence.get(table.id, OverrideTable())
    override_path = (*scale_path, "sequence", table.id)
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
    varies = any(model.varies for model in models)
    variants = [(index % cycle if cycle else index) if varies else 0 for index in range(len(environments))]
    _check_variants(models, max(variants), path, problems)
    phases = [
        _phase(environment, table.options_of(index), steps, variant)
        for index, (environment, variant) in enumerate(zip(environments, variants, strict=True))
    ]
    named = table.normalise if isinstance(table.normalise, str) else None
    evaluations = [
        (level, (*where, "evaluation", "every"))
        for level, where in (
            (evaluation, ()),
            (table.evaluation, path),
            (scale.evaluation, scale_path),
            (override.evaluation, override_path),
        )
    ]
    return ResolvedWorld(
        World(table.id, environments, steps, _normalise(table, environments, path, problems), table.references, named),
        path,
        _seen(checked, phases),
        {
            "phases": phases,
            "shifts": [defining(model, by_alias=True) for model in models],
            "max_episode_steps": table.max_episode_steps,
            **({"test": table.test} if table.test else {}),  # came later
        },
        _evaluation([level for level, _ in evaluations]),
        dict(checked.packages),
        (
            training,
            (table.training, (*path, "training")),
            (scale.training, (*scale_path, "training")),
            (override.training, (*override_path, "training")),
        ),
        steps_path,
        next((where for level, where in reversed(evaluations) if "every" in level.model_fields_set), path),
    )


def _seen(checked: CheckedSequence, phases: Sequence[Mapping[str, Any]]) -> Spaces | None:
    """What a learner sees of the phases under the shifts, which fit where nothing was noted."""
    spaces, worlds = checked.spaces, 1 + max(worlds_of(phases))
    for model in checked.shifts:
        if spaces is not None:
            spaces = None if model.fits(spaces) else model.shown(spaces, worlds)
    return spaces


def _normalise(
    table: SequenceTable, environments: Sequence[str], path: KeyPath, problems: Problems
) -> dict[str, tuple[float, float]] | None:
    """The returns that count as 0 and 1 by environment; what a family does not know by name is noted."""
    if table.normalise is None:
        return None
    found: dict[str, tuple[float, float]] = {}
    for phase, environment in enumerate(environments):
        if not isinstance(table.normalise, str):
            found[environment] = (table.normalise.min, table.normalise.max)
            continue
        try:
            known = normalisations_of(environment, table.options_of(phase))
        except GtrBenchError:  # noted when the sequence was checked
            continue
        if table.normalise not in known:
            offered = ", ".join(f"`{name}`" for name in known)
            problems.add(
                (*path, "normalise"),
                f"`{environment}` has no bounds called `{table.normalise}`",
                f"there is {offered}" if offered else "write them as `{ min = 0.0, max = 1.0 }`",
            )
            continue
        if found.setdefault(environment, known[table.normalise]) != known[table.normalise]:
            problems.add(
                (*path, "normalise"),
                f"the bounds `{table.normalise}` of `{environment}` change with the options that `vary`",
                "write bounds that hold in all phases, `{ min = 0.0, max = 1.0 }`",
            )
    return found


def _phase(environment: str, options: Mapping[str, Any], steps: int, variant: int) -> dict[str, Any]:
    """A phase of a job definition; `adapters` came later and is absent where there are none."""
    phase = {"environment": environment, "options": options, "steps": steps, "variant": variant}
    try:
        adapters = adapters_of(environment, options)
    except GtrBenchError:  # noted when the sequence was checked
        return phase
    return phase | {"adapters": list(adapters)} if adapters else phase


def _evaluation(levels: Sequence[EvaluationTable]) -> dict[str, Any]:
    """The settings of all levels together, the later ones winning; `every` stays None where no level states it."""
    stated = {key: getattr(level, key) for level in levels for key in level.model_fields_set}
    return EvaluationTable().model_dump() | stated


def _cycle(models: Sequence[Shift], path: KeyPath, problems: Problems) -> int | None:
    """The number of variants that take turns: one for the whole sequence, because a phase has one variant."""
    cycles = {cycle for model in models if (cycle := getattr(model, "cycle", None)) is not None}
    if len(cycles) > 1:
        listed = " and ".join(str(cycle) for cycle in sorted(cycles))
        problems.add((*path, "shift"), f"the shifts of one sequence share their `cycle`, but these have {listed}")
    return min(cycles, default=None)


def _check_variants(models: Sequence[Shift], last: int, path: KeyPath, problems: Problems) -> None:
    """A shift with a list of values needs one for every variant in use."""
    for model in models:
        known = getattr(model, "variants", None)
        if known is not None and last >= known:
            problems.add(
                (*path, "shift"),
                f"a shift with {known} values meets {last + 1} phases",
                f"`cycle = {known}` uses them in turn",
            )
