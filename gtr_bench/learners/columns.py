"""Which columns the iterations of a job have: those of its learner kind, then what its parts declare in `columns`.

A column is declared once, as name -> meaning; schema, documentation and reports follow the declaration.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeVar

from gtr_bench.algorithms.registry import algorithms
from gtr_bench.errors import JobError, RequestError
from gtr_bench.learners.base import Definition
from gtr_bench.learners.registry import kind_of, learner, learners
from gtr_bench.networks.registry import networks
from gtr_bench.plasticity.registry import add_ons

__all__ = ["FRAME", "columns_of", "declarations", "logged"]

FRAME = {
    "iteration": "number of the iteration, from 0, over the whole sequence",
    "step": "environment steps after the iteration",
    "phase": "the phase, from 0",
    "episodes": "training episodes that ended in the iteration",
}
"""Integers that the iterations of every kind begin with."""

LABELS = ("job", "suite", "scale", "algorithm", "algorithm_name", "sequence", "role", "seed", "status")
"""What an exported row carries beside its columns."""

Value = TypeVar("Value")


def columns_of(definition: Definition) -> dict[str, str]:
    """Name -> meaning of the columns of a job's iterations after `FRAME`, in their order.

    Raises:
        UnknownNameError: its algorithm, or a part of it, is not installed.
        RequestError: two of them declare the same column, or one a name that cannot be a column.
    """
    kind, algorithm = kind_of(definition), algorithms.get(definition["algorithm"]["name"])
    owners: dict[str, str] = {}
    found: dict[str, str] = {}
    for owner, columns in (
        (f"the learner kind `{algorithm.learner}`", kind.columns),
        (f"the algorithm `{algorithm.name}`", algorithm.columns),
        *kind.columns_of(definition),
    ):
        for name, meaning in columns.items():
            if not name.isidentifier() or name in FRAME or name in LABELS:
                why = "which every row has" if name in FRAME or name in LABELS else "which is no name of a column"
                raise RequestError(f"{owner} declares the column `{name}`, {why}", hint="rename it in `columns`")
            if name in owners:
                raise RequestError(
                    f"{owner} declares the column `{name}`, which {owners[name]} has already",
                    hint="rename it in `columns`",
                )
            owners[name] = owner
            found[name] = meaning
    return found


def logged(what: str, owner: Any, found: Mapping[str, Value], shared: Collection[str] = ()) -> Mapping[str, Value]:
    """What a part of a learner logs, if it has declared all of it.

    Args:
        what: what the owner is ("algorithm").
        owner: with a `name` and the `columns` it declares.
        found: column -> values.
        shared: columns of the learner kind that it may fill.

    Raises:
        JobError: a column is not declared.
    """
    for name in found:
        if name not in owner.columns and name not in shared:
            raise JobError(
                f"the {what} `{owner.name}` logs `{name}`, which it does not declare",
                hint=f"add `{name}` and its meaning to the `columns` of its class",
            )
    return found


def declarations() -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """What everything installed declares: (registry, name, columns)."""
    for registry in (learners, algorithms, networks, add_ons):
        for name in registry.names():
            try:
                owner = learner(name) if registry is learners else registry.get(name)
            except Exception:
                continue  # another's broken package; who asks for it by name is told
            yield registry.kind, name, getattr(owner, "columns", {})
