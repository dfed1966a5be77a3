"""A checked file at one scale: sequences crossed with algorithms into cells, and everything that is wrong raised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gtr_bench.errors import RequestError, UnknownNameError, did_you_mean
from gtr_bench.learners.columns import columns_of
from gtr_bench.learners.registry import learner
from gtr_bench.metrics.power import fewest_pairs
from gtr_bench.metrics.registry import metrics
from gtr_bench.suite.bars import RULES, baseline_of, referred_to
from gtr_bench.suite.check import CheckedFile
from gtr_bench.suite.expand import Cell, Suite
from gtr_bench.suite.identity import IDENTITY_VERSION, canonical_json
from gtr_bench.suite.model import MAX_SEED, ScaleTable, SequentialTable
from gtr_bench.suite.plasticity import resolve_add_ons
from gtr_bench.suite.problems import Problems
from gtr_bench.suite.seeds import continued
from gtr_bench.suite.sequences import OPTION_TABLES, CheckedSequence, check_sequence
from gtr_bench.suite.settings import Parameters, Setting
from gtr_bench.suite.smoke import ScaleSize, is_smoke
from gtr_bench.suite.source import KeyPath
from gtr_bench.suite.worlds import ResolvedWorld, resolve_world

POINTS_PER_PHASE = 10
"""evaluation points of a phase where a suite does not say how many steps lie between them"""

__all__ = ["resolve_suite"]

ORACLE_HINT = 'add an `[[algorithm]]` with `id = "oracle"`'
UNSCALED = "default"
"""the scale's name of a suite that declares none"""


class _ResolvedScale(NamedTuple):
    """What a suite is at one scale; `seeds` is None where they are missing (and noted)."""

    seeds: tuple[int, ...] | None
    worlds: list[ResolvedWorld]
    settings: list[Setting]
    cells: tuple[Cell, ...]
    reference: str

    @property
    def size(self) -> ScaleSize:
        """How much is trained of what."""
        steps = {each.world.id: each.world.steps_per_phase * len(each.world.environments) for each in self.worlds}
        return ScaleSize(len(self.seeds or ()), steps)


def resolve_suite(file: CheckedFile, scale: str | None) -> Suite:
    """The suite at `scale`; raises UnknownNameError for a scale it lacks and SuiteError for all problems at any scale.

    Other scales than the one asked for are checked as far as no package of an extra is needed.
    """
    problems = file.problems
    known = file.scale_names or (UNSCALED,)
    name = scale if scale is not None else ("laptop" if "laptop" in known else known[0])
    if name not in known:
        problems.raise_any()
        raise UnknownNameError("scale", name, known)
    sequences, parameters = _sequences(file, name), Parameters(problems)
    resolved = _at_scale(file, name, sequences, parameters)
    sizes = {name: resolved.size}
    for other in file.scales:
        if other != name:
            with problems.at_scale(other):
                sizes[other] = _at_scale(file, other, sequences, parameters).size
    for setting in file.settings:
        if not parameters.met(setting):  # no scale trains it
            parameters(setting, [(file.training, ("training",))])
            resolve_add_ons(setting, file.networks[setting.kind.learner], problems)
    _check_directions(file)
    rule = _rule(file, name)
    _check_sequential(file, rule, len(resolved.worlds))
    problems.raise_any()
    assert file.suite is not None  # a suite without it has a problem
    assert resolved.seeds is not None
    return Suite(
        name=file.suite.name,
        path=problems.source.path,
        text=problems.source.text,
        question=file.suite.question,
        scale=name,
        scales=known,
        primary_metric=file.suite.primary_metric,
        metric_direction=file.suite.metric_direction,
        alpha=file.suite.alpha,
        estimand=file.suite.estimand,
        scope=file.suite.scope,
        failures=file.suite.failures,
        comparisons=file.suite.comparisons,
        claims=tuple(claim for claim, _ in file.claims),
        worlds=tuple(world.world for world in resolved.worlds),
        algorithms=tuple(setting.label for setting in resolved.settings),
        seeds=resolved.seeds,
        cells=resolved.cells,
        smoke=is_smoke(name, sizes),
        reference=resolved.reference,
        sequential=rule,
        tuned=file.tuned,
    )


def _sequences(file: CheckedFile, scale: str) -> list[CheckedSequence]:
    """All sequences of the file, checked once for all scales; `scale` is the one asked for."""
    asked = file.scales.get(scale, ScaleTable()).sequences
    return [
        check_sequence(table, path, asked=asked is None or table.id in asked, problems=file.problems)
        for table, path in file.sequences
    ]


def _at_scale(file: CheckedFile, name: str, sequences: list[CheckedSequence], parameters: Parameters) -> _ResolvedScale:
    """What takes part at one scale; everything wrong with it is noted. Seeds are not expanded."""
    problems = file.problems
    table, path = file.scales.get(name, ScaleTable()), ("scale", name)
    seeds = table.seeds or (file.suite.seeds if file.suite else None)
    if seeds is None and problems.at((*path, "seeds")) is None and problems.at(("suite", "seeds")) is None:
        problems.add(path if file.scales else ("suite",), "`seeds` is missing: a count or a list", at="key")
    rule = _rule(file, name)
    if rule is not None and seeds is not None:
        seeds = continued(seeds, rule.max_seeds)
        if seeds[-1] > MAX_SEED:
            problems.add(("sequential", "max_seeds"), "there are not so many seeds after the largest of the suite")
    worlds = [
        world
        for sequence in sequences
        if table.sequences is None or sequence.table.id in table.sequences
        if (world := _world(file, sequence, table, path)) is not None
    ]
    settings = [s for s in file.settings if table.algorithms is None or s.algorithm in table.algorithms]
    labels = [setting.label for setting in settings]
    reference = (file.suite.reference if file.suite else None) or baseline_of(labels)
    referred = referred_to(reference, labels)
    needed = any(world.world.references for world in worlds)
    if needed and labels and not referred and not problems.noted(("suite", "reference")):
        sentence = f"`reference` is `{reference}`, which is not part of scale `{name}`"
        problems.add(("suite", "reference"), sentence, did_you_mean(reference, [*labels, *RULES]))
    cells = tuple(_cells(worlds, settings, referred, file.networks, parameters, problems))
    _check_needs(file, worlds, settings)
    return _ResolvedScale(seeds, worlds, settings, cells, reference)


def _world(file: CheckedFile, sequence: CheckedSequence, scale: ScaleTable, path: KeyPath) -> ResolvedWorld | None:
    return resolve_world(
        sequence,
        scale=scale,
        scale_path=path,
        evaluation=file.evaluation,
        training=(file.training, ("training",)),
        problems=file.problems,
    )


def _cells(
    worlds: list[ResolvedWorld],
    settings: list[Setting],
    referred: tuple[str, ...],
    networks: Mapping[str, dict[str, Any]],
    parameters_of: Parameters,
    problems: Problems,
) -> Iterator[Cell]:
    """Every algorithm on every sequence, then the references; a reference that several sequences share comes once.

    `referred` are the labels of the algorithms whose references are read.
    """
    seen: dict[str, str] = {}
    references: list[Cell] = []
    checked: set[tuple[str, str]] = set()
    added = {id(setting): resolve_add_ons(setting, networks[setting.kind.learner], problems) for setting in settings}
    for world in worlds:
        found = [(setting, parameters_of(setting, world.layers)) for setting in settings]
        resolved = [(setting, parameters) for setting, parameters in found if parameters is not None]
        evaluation = _evaluation_grid(world, resolved, problems)
        for setting, parameters in resolved:
            kind = learner(setting.kind.learner)
            plasticity, network = added[id(setting)]
            for objection in kind.refusals(parameters, network, world.world.steps_per_phase):
                where = world.steps_path if objection.parameter is None else setting.path
                problems.add(where, objection.sentence, objection.hint)
            _check_spaces(world, setting, network, parameters, problems)
            shared = {
                "identity_version": IDENTITY_VERSION,
                "algorithm": {"name": setting.kind.name, "version": setting.kind.version, "parameters": parameters},
                "packages": world.packages,
                "network": network,
                **({"plasticity": plasticity} if plasticity else {}),
                **({"learn": kind.version} if kind.version > 1 else {}),
            }
            definition = shared | {"sequence": world.sequence, "evaluation": evaluation}
            parts = setting.kind.name, repr(definition.get("plasticity"))
            if parts not in checked:
                checked.add(parts)
                _check_columns(setting, definition, problems)
            if any(problems.noted((*world.path, key)) for key in OPTION_TABLES):
                continue  # they may hold what no definition can, such as NaN
            what = f"`{setting.label}` on `{world.world.id}`"
            first = seen.setdefault(canonical_json(definition), what)
            if first != what and not problems.noted(setting.path) and not problems.noted(world.path):
                problems.add(setting.path, f"{what} is the same job as {first}, under another name", at="key")
            yield Cell(setting.label, world.world.id, "run", definition)
            for sequence in world.references() if setting.label in referred else ():
                own_phase_only = evaluation | {"all_phases": False}
                reference = shared | {"sequence": sequence, "evaluation": own_phase_only}
                references.append(Cell(setting.label, world.world.id, "reference", reference))
    for cell in references:
        text = canonical_json(cell.definition)
        if text not in seen:
            seen[text] = cell.sequence
            yield cell


def _check_spaces(
    world: ResolvedWorld,
    setting: Setting,
    network: Mapping[str, Any],
    parameters: Mapping[str, Any],
    problems: Problems,
) -> None:
    """A learner must be able to use what the sequence shows."""
    if world.spaces is None:
        return
    for objection in learner(setting.kind.learner).refuse_spaces(network, parameters, world.spaces):
        name = objection.parameter
        where: KeyPath = (*world.path, "env" if problems.at((*world.path, "tasks")) is None else "tasks")
        if name is not None:
            stated = [(*path, name) for table, path in world.layers if name in table]
            where = setting.origins.get(name, stated[-1] if stated else setting.path)
        problems.add(where, f"sequence `{world.world.id}` shows {objection.sentence}", objection.hint)


def _check_columns(setting: Setting, definition: Mapping[str, Any], problems: Problems) -> None:
    """No two parts of a learner may log into the same column."""
    if not definition["network"] and problems.noted(("network",)):
        return
    try:
        columns_of(definition)
    except RequestError as error:
        problems.add_error(setting.path, error)


def _check_needs(file: CheckedFile, worlds: list[ResolvedWorld], settings: list[Setting]) -> None:
    """What a suite is decided on must be computable from what it runs."""
    named: list[tuple[str, KeyPath, tuple[str, ...]]] = [
        (claim.metric, (*path, "metric"), claim.sequences) for claim, path in file.claims
    ]
    if file.suite is not None:
        named.append((file.suite.primary_metric, ("suite", "primary_metric"), ()))
    for name, path, sequences in named:
        if name not in metrics.names():
            continue  # noted by check_file
        needs = metrics.get(name).needs
        if "oracle" in needs and not any(setting.kind.starts_anew_at_shift for setting in settings):
            file.problems.add(path, f"`{name}` needs an algorithm that is re-initialised at shifts", ORACLE_HINT)
        for world in worlds:
            if sequences and world.world.id not in sequences:
                continue
            if not world.evaluation["episodes"]:
                sentence = f"`{name}` needs evaluations, but sequence `{world.world.id}` has `episodes = 0`"
                file.problems.add(path, sentence)
            phases_noted = file.problems.noted((*world.path, "phases"))
            if "shift" in needs and len(world.world.environments) < 2 and not phases_noted:
                sentence = f"`{name}` needs a second phase, but sequence `{world.world.id}` has only one"
                file.problems.add(path, sentence)
            if "test" in needs and "test" not in world.sequence:
                sentence = f"`{name}` needs `test` options in sequence `{world.world.id}`"
                file.problems.add(
                    path, sentence, "`test = { num_levels = 0 }`, for example, evaluates on all levels, too"
                )
            if "achievements" in needs and world.spaces is not None and not world.spaces.achievements:
                sentence = f"`{name}` needs achievements, but sequence `{world.world.id}` has none"
                file.problems.add(path, sentence, "`crafter:` and `craftax:` tasks have some")
            if "references" in needs and not world.world.references:
                sentence = f"`{name}` needs `references = true` in sequence `{world.world.id}`"
                file.problems.add(path, sentence)
            if "all_phases" in needs and not world.evaluation["all_phases"]:
                sentence = f"`{name}` needs `all_phases = true` in the evaluation of sequence `{world.world.id}`"
                file.problems.add(path, sentence)


def _check_directions(file: CheckedFile) -> None:
    """A claim must not call worse better; where a metric has no better side, the claim says which it means."""
    for claim, path in file.claims:
        if claim.metric not in metrics.names():
            continue  # noted by check_file
        better = metrics.get(claim.metric).direction
        if better not in (claim.direction, "neutral"):
            sentence = (
                f"claim `{claim.id}` counts a {claim.direction} `{claim.metric}` as better, but {better} is better"
            )
            file.problems.add((*path, "direction"), sentence, f'write `direction = "{better}"`')


def _rule(file: CheckedFile, scale: str) -> SequentialTable | None:
    """`[sequential]` where it holds at the scale."""
    rule = file.sequential
    return None if rule is None or rule.scale not in (None, scale) else rule


def _check_sequential(file: CheckedFile, rule: SequentialTable | None, worlds: int) -> None:
    """Waves of seeds need a scale that exists, something to decide, and enough seeds to decide it."""
    if file.sequential is None or file.suite is None:
        return
    known = file.scale_names or (UNSCALED,)
    if file.sequential.scale not in (None, *known):
        sentence = f"unknown scale `{file.sequential.scale}`"
        file.problems.add(("sequential", "scale"), sentence, did_you_mean(str(file.sequential.scale), known))
    if not file.claims and not file.suite.comparisons:
        sentence = "`sequential` has nothing to decide: the suite has neither a `[[claim]]` nor `comparisons`"
        file.problems.add(("sequential",), sentence, at="key")
    # A one-sided test reaches its level with a pair less, as a two-sided one of twice the level.
    levels = [
        (claim.alpha or file.suite.alpha) * (2 if claim.kind == "non_inferiority" else 1) for claim, _ in file.claims
    ]
    needed = -(-fewest_pairs(max([*levels, file.suite.alpha])) // max(1, worlds))
    if rule is not None and rule.max_seeds < needed:
        sentence = f"{rule.max_seeds} seeds can never decide anything here"
        file.problems.add(("sequential", "max_seeds"), sentence, f"`max_seeds` should be at least {needed}")


def _evaluation_grid(
    world: ResolvedWorld, resolved: list[tuple[Setting, dict[str, Any]]], problems: Problems
) -> dict[str, Any]:
    """The evaluation settings with a grid all algorithms share: a tenth of a phase unless the suite says otherwise.

    Points cannot lie closer than one iteration: policies change only between iterations.
    """
    steps = world.world.steps_per_phase
    iterations = [(setting, learner(setting.kind.learner).iteration(p, steps)) for setting, p in resolved]
    every = world.evaluation["every"]
    if every is None:
        longest = max((iteration.steps for _, iteration in iterations), default=1)
        return world.evaluation | {"every": max(1, steps // POINTS_PER_PHASE, longest)}
    for setting, iteration in iterations:
        if every < iteration.steps and not problems.noted(world.path):
            sentence = f"sequence `{world.world.id}` is evaluated every {every} steps, but a {iteration.name} of "
            sentence += f"`{setting.label}` has {iteration.steps}"
            problems.add(world.every_path, sentence, f"raise `evaluation.every`, or {iteration.shorter}")
            break
    return world.evaluation
