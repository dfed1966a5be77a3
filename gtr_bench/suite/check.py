"""The tables of a suite file, checked for everything that does not depend on a scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gtr_bench.errors import did_you_mean
from gtr_bench.learners.base import LearnerKind
from gtr_bench.learners.registry import learner, learners
from gtr_bench.metrics.registry import metrics
from gtr_bench.suite.bars import RULES
from gtr_bench.suite.model import (
    ClaimTable,
    EvaluationTable,
    ScaleTable,
    SequenceTable,
    SequentialTable,
    SuiteTable,
    TunedTable,
)
from gtr_bench.suite.named import with_named
from gtr_bench.suite.problems import Problems
from gtr_bench.suite.settings import Setting, settings_of
from gtr_bench.suite.source import KeyPath, Source
from gtr_bench.wording import counted

__all__ = ["CheckedFile", "check_file"]

TABLES = ("suite", "training", "network", "evaluation", "scale", "sequential", "tuned")
ARRAYS = ("claim", "sequence", "algorithm")
MOST_NAMED = 6
"""settings of a grid that a hint names"""


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A suite file's tables; what is missing here was wrong and stands in `problems`.

    `networks` are the parts of job definitions, by learner kind; `scale_names` are all that are declared, right or
    wrong.
    """

    problems: Problems
    suite: SuiteTable | None
    claims: tuple[tuple[ClaimTable, KeyPath], ...]
    evaluation: EvaluationTable
    training: Mapping[str, Any]
    networks: Mapping[str, dict[str, Any]]
    scales: Mapping[str, ScaleTable]
    scale_names: tuple[str, ...]
    sequences: tuple[tuple[SequenceTable, KeyPath], ...]
    settings: tuple[Setting, ...]
    sequential: SequentialTable | None
    tuned: TunedTable | None


def check_file(source: Source) -> CheckedFile:
    """Check the tables of a source; raises nothing, notes everything."""
    problems = Problems(source)
    problems.check_values(source.tree)
    tree = _known_tables(source.tree, problems)
    tree["sequence"] = with_named(tree.get("sequence", []), problems)
    suite = problems.validate(SuiteTable, tree["suite"], ("suite",)) if "suite" in tree else None
    evaluation = problems.validate(EvaluationTable, tree.get("evaluation", {}), ("evaluation",)) or EvaluationTable()
    scales = {
        name: found
        for name, table in tree.get("scale", {}).items()
        if (found := problems.validate(ScaleTable, table, ("scale", name))) is not None
    }
    sequences = _validated(SequenceTable, "sequence", tree, problems)
    claims = _validated(ClaimTable, "claim", tree, problems)
    settings = tuple(
        setting
        for index, table in enumerate(tree.get("algorithm", []))
        for setting in settings_of(table, ("algorithm", index), problems)
    )
    for kind in ARRAYS:
        _check_ids(kind, tree.get(kind, []), problems)
    training = tree.get("training", {})
    kinds = _kinds(settings)
    _check_training(training, ("training",), kinds, problems)
    for table, path in sequences:
        _check_training(table.training, (*path, "training"), kinds, problems)
    _check_scales(scales, tree, kinds, problems)
    _check_names(settings, tree, problems)
    return CheckedFile(
        problems,
        suite,
        claims,
        evaluation,
        training,
        _networks(tree, kinds, problems),
        scales,
        tuple(tree.get("scale", {})),
        sequences,
        settings,
        problems.validate(SequentialTable, tree["sequential"], ("sequential",)) if "sequential" in tree else None,
        problems.validate(TunedTable, tree["tuned"], ("tuned",)) if "tuned" in tree else None,
    )


def _known_tables(tree: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """The top-level tables that have a meaning and the right form."""
    known: dict[str, Any] = {}
    for name, value in tree.items():
        if name in TABLES:
            if isinstance(value, dict):
                known[name] = value
            else:
                problems.add((name,), f"`{name}` should be a table, written `[{name}]`", at="key")
        elif name in ARRAYS:
            if isinstance(value, list) and all(isinstance(item, dict) for item in value):
                known[name] = value
            else:
                problems.add((name,), f"`{name}` should be a list of tables, each written `[[{name}]]`", at="key")
        else:
            problems.add((name,), f"unknown key `{name}`", did_you_mean(name, (*TABLES, *ARRAYS)), at="key")
    for name in ("suite", "sequence", "algorithm"):
        if not tree.get(name):
            problems.add((), f"the suite has no `{f'[{name}]' if name in TABLES else f'[[{name}]]'}`")
    return known


def _validated(model: Any, name: str, tree: Mapping[str, Any], problems: Problems) -> tuple[tuple[Any, KeyPath], ...]:
    """The tables of an array that could be read, each with its path."""
    paths: list[tuple[str, int]] = [(name, index) for index in range(len(tree.get(name, [])))]
    # What an unknown name in `use` stands for is missing, which is no problem of its own.
    known = [path for path in paths if not problems.noted((*path, "use"))]
    found = ((problems.validate(model, tree[name][path[1]], path), path) for path in known)
    return tuple((table, path) for table, path in found if table is not None)


def _check_ids(kind: str, tables: Sequence[Mapping[str, Any]], problems: Problems) -> None:
    seen: set[str] = set()
    for index, table in enumerate(tables):
        identifier = table.get("id")
        if isinstance(identifier, str):
            if identifier in seen:
                problems.add((kind, index, "id"), f"the {kind} id `{identifier}` is used twice")
            seen.add(identifier)


def _kinds(settings: Sequence[Setting]) -> dict[str, LearnerKind]:
    """The learner kinds in use by name; where nothing is known of the algorithms, all there are."""
    names = dict.fromkeys(setting.kind.learner for setting in settings) or learners.names()
    return {name: learner(name) for name in names}


def _check_training(
    table: Mapping[str, Any], path: KeyPath, kinds: Mapping[str, LearnerKind], problems: Problems
) -> None:
    """Settings for all algorithms are those that all algorithms of a learner kind in use share."""
    known: dict[str, None] = {}
    for kind in kinds.values():
        names = kind.Shared.model_fields.keys()
        problems.validate(kind.Shared, {key: value for key, value in table.items() if key in names}, path)
        known |= dict.fromkeys(names)
    for key in table:
        if key not in known:
            problems.add_unknown((*path, key), known)


def _networks(
    tree: Mapping[str, Any], kinds: Mapping[str, LearnerKind], problems: Problems
) -> dict[str, dict[str, Any]]:
    """The networks of job definitions by learner kind; a table that no kind in use reads is noted."""
    found = {name: kind.network(tree.get("network", {}), problems) for name, kind in kinds.items()}
    if "network" in tree and not any(found.values()) and not problems.noted(("network",)):
        problems.add(("network",), "no algorithm of this suite has a network", at="key")
    return found


def _check_scales(
    scales: Mapping[str, ScaleTable], tree: Mapping[str, Any], kinds: Mapping[str, LearnerKind], problems: Problems
) -> None:
    sequences, algorithms = _ids("sequence", tree), _ids("algorithm", tree)
    for name, scale in scales.items():
        path = ("scale", name)
        _check_training(scale.training, (*path, "training"), kinds, problems)
        for index, sequence in enumerate(scale.sequences or ()):
            _check_name("sequence", sequence, sequences, (*path, "sequences", index), problems)
        for index, algorithm in enumerate(scale.algorithms or ()):
            _check_name("algorithm", algorithm, algorithms, (*path, "algorithms", index), problems)
        for sequence, override in scale.sequence.items():
            _check_name("sequence", sequence, sequences, (*path, "sequence", sequence), problems)
            _check_training(override.training, (*path, "sequence", sequence, "training"), kinds, problems)


def _check_names(settings: Iterable[Setting], tree: Mapping[str, Any], problems: Problems) -> None:
    """Metrics, algorithms and sequences that the question and the claims name must exist.

    Reads the tables as written, so that a name is checked even where another key of its table is wrong.
    """
    children: dict[str, list[str]] = {name: [] for name in _ids("algorithm", tree)}
    for setting in settings:
        children.setdefault(setting.algorithm, []).append(setting.label)
    labels = [label for own in children.values() for label in own]
    algorithms = list(dict.fromkeys([*children, *labels]))
    sequences, known = _ids("sequence", tree), metrics.names()
    suite = tree.get("suite", {})
    _check_name("metric", suite.get("primary_metric"), known, ("suite", "primary_metric"), problems)
    _check_name("algorithm", suite.get("reference"), [*algorithms, *RULES], ("suite", "reference"), problems)
    for index, pair in enumerate(_listed(suite.get("comparisons"))):
        names = _listed(pair)
        for side, name in enumerate(names):
            place = ("suite", "comparisons", index, side)
            _check_name("algorithm", name, algorithms, place, problems)
            _check_single(name, children, "comparison", place, problems)
        if len(names) == 2 and names[0] == names[1]:
            problems.add(("suite", "comparisons", index), f"`{names[0]}` is compared with itself")
    for number, claim in enumerate(tree.get("claim", [])):
        path = ("claim", number)
        _check_name("metric", claim.get("metric"), known, (*path, "metric"), problems)
        for key in ("better", "than"):
            _check_name("algorithm", claim.get(key), algorithms, (*path, key), problems)
            _check_single(claim.get(key), children, "claim", (*path, key), problems)
        for index, sequence in enumerate(_listed(claim.get("sequences"))):
            _check_name("sequence", sequence, sequences, (*path, "sequences", index), problems)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _check_name(kind: str, name: object, known: Sequence[str], path: KeyPath, problems: Problems) -> None:
    # Where nothing is known the whole kind is missing, which is a problem of its own.
    if isinstance(name, str) and known and name not in known:
        problems.add(path, f"unknown {kind} `{name}`", did_you_mean(name, known))


def _check_single(
    name: object, children: Mapping[str, Sequence[str]], what: str, path: KeyPath, problems: Problems
) -> None:
    """A test compares two settings: an id that stands for those of a grid names none of them."""
    labels = children.get(name, ()) if isinstance(name, str) else ()
    # None at all: the algorithm's table has a problem of its own.
    if labels and name not in labels:
        more = f", ... ({len(labels)} in all)" if len(labels) > MOST_NAMED else ""
        listed = ", ".join(f"`{label}`" for label in labels[:MOST_NAMED])
        problems.add(
            path,
            f"`{name}` stands for {counted(len(labels), 'setting')}, a {what} is about one",
            f"name one of them: {listed}{more}",
        )


def _ids(kind: str, tree: Mapping[str, Any]) -> list[str]:
    return [table["id"] for table in tree.get(kind, []) if isinstance(table.get("id"), str)]
