"""The setup of an experiment in sentences, as its authors would write them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from gtr_bench.environments.shift import worlds_of
from gtr_bench.report.curves import letter
from gtr_bench.report.setup import Setup, WorldSetup
from gtr_bench.report.text import joined, ranges
from gtr_bench.wording import counted

__all__ = ["by_sequence", "sentences", "value_text"]

MOST_NAMED = 12
"""Phases whose worlds are named one by one, and entries of a list that are shown."""

Fields: TypeAlias = Mapping[str, Any]


def _drawn(shift: Fields, listed: str) -> str:
    """`by 1, 0.5` of explicit values, or by what they are drawn from."""
    if shift.get(listed) is not None:
        return f"by {joined([value_text(each) for each in shift[listed]])} in turn"
    return f"by a factor drawn log-uniformly from {value_text(shift['low'])} to {value_text(shift['high'])}"


CHANGES: Mapping[str, Callable[[Fields], str]] = {
    "action_permutation": lambda shift: "the actions are permuted (continuous ones also change sign)",
    "observation_mask": lambda shift: (
        f"observations are hidden at coordinates {joined([str(each) for each in shift['coordinates']])}"
    ),
    "observation_noise": lambda shift: (
        f"normal noise of standard deviation {value_text(shift['std'])} is added to every observation"
    ),
    "observation_offset": lambda shift: (
        f"one normal vector of standard deviation {value_text(shift['std'])} is added to all observations"
    ),
    "observation_permutation": lambda shift: "the coordinates of observations, or the pixels of images, are permuted",
    "physics": lambda shift: f"`{shift['parameter']}` of the simulator is multiplied {_drawn(shift, 'values')}",
    "reward_flip": lambda shift: "the sign of all rewards is turned",
    "reward_scale": lambda shift: f"rewards are multiplied {_drawn(shift, 'factors')}",
}
"""What our kinds of shift do; another kind is told by its name and fields."""
COMMON_FIELDS = ("kind", "first_clean", "cycle", "mode")
ALIKE = frozenset({"observation_mask", "observation_noise", "reward_flip"})
"""Kinds whose shifted variants are all the same."""


def sentences(setup: Setup) -> Iterator[str]:
    """Worlds, evaluation, network, seeds and budget."""
    yield from (f"{line[:1].upper()}{line[1:]}." for line in setup.lacks)
    yield from _worlds(setup.worlds)
    yield from _normalised(setup.worlds)
    references = by_sequence({world.id: joined(world.references) for world in setup.worlds if world.references})
    if references:
        yield f"The world of every phase is also learned alone, from scratch, by {references}."
    yield _evaluation(setup.worlds)
    yield _network(setup.network)
    yield _seeds(setup)


def by_sequence(values: Mapping[str, str]) -> str:
    """One text where all sequences have the same, else each with its sequences: `128 (a), 256 (b, c)`."""
    groups: dict[str, list[str]] = {}
    for sequence, text in values.items():
        groups.setdefault(text, []).append(sequence)
    if len(groups) < 2:
        return next(iter(groups), "")
    return ", ".join(f"{text} ({', '.join(named)})" for text, named in groups.items())


def value_text(value: Any) -> str:
    """A parameter's value as a suite writes it, a text without quotes; `none` for none."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value)


def _worlds(worlds: Sequence[WorldSetup]) -> Iterator[str]:
    """A sentence per sequence; those that differ in the environment alone share one."""
    alike: dict[str, list[str]] = {}
    for world in worlds:
        environments = list(dict.fromkeys(phase["environment"] for phase in world.sequence["phases"]))
        # Tasks that follow each other are told where their order is.
        name = f"`{world.id}`" + (f" ({environments[0]})" if len(environments) == 1 else "")
        alike.setdefault(" ".join(_course(world)), []).append(name)
    for course, names in alike.items():
        yield f"{joined(names)}: {course}"


def _course(world: WorldSetup) -> Iterator[str]:
    """What happens in a sequence, in whole sentences but for the first."""
    phases, shifts = world.sequence["phases"], world.sequence.get("shifts", ())
    yield f"{_lengths(phases)}."
    environments = [phase["environment"] for phase in phases]
    if len(set(environments)) > 1:
        yield f"{_tasks(environments)}."
    if options := _options(phases):
        yield f"Options: {options}."
    if adapters := {tuple(phase.get("adapters", ())) for phase in phases} - {()}:
        yield f"Between simulator and learner: {'; '.join(', '.join(each) for each in sorted(adapters))}."
    acting = [shift for shift in shifts if len(phases) > 1 or not _clean(shift)]
    yield from (_shift(shift, len(phases)) for shift in acting)
    yield from _repetition(phases, acting, one_environment=len(set(environments)) == 1)
    if world.sequence.get("max_episode_steps") is not None:
        yield f"Episodes end after {world.sequence['max_episode_steps']:,} steps at the latest."
    if test := world.sequence.get("test"):
        yield f"Policies are also evaluated with {_fields(test)}."


def _lengths(phases: Sequence[Fields]) -> str:
    lengths = [phase["steps"] for phase in phases]
    if len(phases) == 1:
        return f"one phase of {lengths[0]:,} environment steps"
    each = f"{lengths[0]:,}" if len(set(lengths)) == 1 else joined([f"{length:,}" for length in lengths])
    return f"{len(phases):,} phases of {each} environment steps, {sum(lengths):,} in all"


def _tasks(environments: Sequence[str]) -> str:
    """The tasks in their order; a round that is played again is told once."""
    count = len(environments)
    size = next(n for n in range(1, count + 1) if list(environments) == list(environments[:n]) * (count // n))
    again = f", and this {count // size} times in a row" if size < count else ""
    return f"One phase each, in this order: {', '.join(environments[:size])}{again}"


def _options(phases: Sequence[Fields]) -> str:
    """Those of all phases, and those that change, phase by phase."""
    names = list(dict.fromkeys(name for phase in phases for name in phase.get("options", {})))
    parts = []
    for name in names:
        values = [value_text(phase.get("options", {}).get(name)) for phase in phases]
        if len(set(values)) == 1:
            parts.append(f"{name} = {values[0]}")
        else:
            left = ", ..." if len(values) > MOST_NAMED else ""
            parts.append(f"{name} = {', '.join(values[:MOST_NAMED])}{left} by phase")
    return "; ".join(parts)


def _clean(shift: Fields) -> bool:
    """Whether the first variant of a shift is the unshifted world."""
    listed = any(shift.get(name) is not None for name in ("values", "factors"))
    return bool(shift.get("first_clean")) and not listed and shift["kind"] != "task_id"


def _shift(shift: Fields, phases: int) -> str:
    """When one shift acts, and what it does."""
    kind = shift["kind"]
    if kind == "task_id":
        return "The observation tells which task it is."
    own = {key: value for key, value in shift.items() if key not in COMMON_FIELDS and value is not None}
    described = f"the shift `{kind}` changes the world" + (f" ({_fields(own)})" if own else "")
    change = CHANGES[kind](shift) if kind in CHANGES else described
    if phases == 1:
        return f"In it {change}."
    if shift.get("mode") == "drift":
        return f"Through every phase, moving linearly from where the last one ended, {change}."
    return f"At each phase boundary, abruptly, {change}."


def _repetition(phases: Sequence[Fields], shifts: Sequence[Fields], *, one_environment: bool) -> Iterator[str]:
    """Which phases are the same world, and whether the first is the unshifted one."""
    if len(phases) == 1:
        return
    worlds = worlds_of(phases)
    if len(set(worlds)) < len(worlds):
        cycles = sorted({shift["cycle"] for shift in shifts if shift.get("cycle")})
        again = f" (they start again after {joined([str(each) for each in cycles])} phases)" if cycles else ""
        if len(worlds) <= MOST_NAMED:
            yield f"The worlds of the phases: {', '.join(letter(each) for each in worlds)}{again}."
        else:
            yield f"The phases have {counted(len(set(worlds)), 'distinct world')}{again}."
    elif one_environment and shifts and not any(shift["kind"] in ALIKE for shift in shifts):
        yield "No two phases are the same world."
    changing = [shift for shift in shifts if shift["kind"] != "task_id"]
    if changing and all(map(_clean, changing)) and phases[0]["variant"] == 0:
        yield "The first is the unshifted one."


def _normalised(worlds: Sequence[WorldSetup]) -> Iterator[str]:
    """Which returns count as 0 and as 1."""
    named = {world.id: f"`{world.normalised_by}`" for world in worlds if world.normalised_by}
    given = {}
    for world in worlds:
        bounds = {f"{low:g} and {high:g}" for low, high in world.normalise.values()}
        if bounds and not world.normalised_by:
            given[world.id] = next(iter(bounds)) if len(bounds) == 1 else "bounds of each environment"
    if given:
        everywhere = len(given) == len(worlds)
        where = "" if everywhere else f" in {joined(list(given))}"
        yield f"Where returns are normalised, these count as 0 and 1{where}: {by_sequence(given)}."
    if named:
        yield f"Returns are normalised by the bounds {by_sequence(named)} of their environments."


def _evaluation(worlds: Sequence[WorldSetup]) -> str:
    found = by_sequence({world.id: _evaluated(world.evaluation) for world in worlds})
    return f"Policies are evaluated {found}." if found else "How policies are evaluated is not known."


def _evaluated(evaluation: Fields) -> str:
    if not evaluation.get("episodes"):
        return "by no episodes of their own"
    every = evaluation.get("every")
    when = "at both ends of every phase" + (f" and every {every:,} steps within" if every else "")
    actions = "the most likely action" if evaluation.get("deterministic") else "sampled actions"
    where = ", in the worlds of all phases" if evaluation.get("all_phases") else ""
    return f"{when}, over {counted(evaluation['episodes'], 'episode')} with {actions}{where}"


def _network(network: Fields | None) -> str:
    if network is None:
        return "Networks differ: they are among the parameters."
    if not network:
        return "What networks there are is not known."
    shared = "policy and values share it" if network.get("shared") else "one for the policy, one for its values"
    rest = {key: value for key, value in network.items() if key not in ("torso", "version", "shared")}
    return f"Network: `{network['torso']}`" + (f", {_fields(rest)}" if rest else "") + f"; {shared}."


def _seeds(setup: Setup) -> str:
    per = "for every algorithm on every sequence" if setup.expanded else "among the jobs"
    waves = f", in waves of {setup.wave}, after the first only where undecided" if setup.wave else ""
    at_most = "at most " if setup.wave else ""
    return (
        f"{counted(len(setup.seeds), 'seed')} ({ranges(setup.seeds)}) {per}{waves}: {at_most}"
        f"{counted(setup.runs, 'run')}, {setup.steps:,} environment steps. Equal seeds meet equal worlds, whatever the "
        "algorithm."
    )


def _fields(values: Fields) -> str:
    return ", ".join(f"{key} {value_text(value)}" for key, value in values.items())
