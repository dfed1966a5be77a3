"""Which published environment a sequence of ours is, and how the two differ: `published/pairs.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from gtr_bench.environments.shifts import shifts
from gtr_bench.published.rows import FOLDER
from gtr_bench.suite.identity import defining
from gtr_bench.suite.model import SequenceTable
from gtr_bench.suite.named import named_sequences

__all__ = ["Measure", "Pair", "differences", "measures", "pairs", "pairs_of"]


@dataclass(frozen=True, slots=True)
class Measure:
    """The metric of ours that measures what a published one does; `caution`: what is not known about that."""

    ours: str
    caution: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """A published environment and a world of ours.

    Attributes:
        published: the environment of the rows.
        sequence: a named sequence; None for one phase without a shift.
        environment: the task of that phase, or in place of the named sequence's own; None for its own.
        options: of the single phase.
        differs: how the published world is known to be another one; empty where nothing is known.
    """

    published: str
    sequence: str | None = None
    environment: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    differs: str = ""

    def table(self) -> SequenceTable:
        """What plays the published environment, as `[[sequence]]` has it."""
        if self.sequence is None:
            return SequenceTable(id="published", env=self.environment, options=dict(self.options))
        keys = {key: value for key, value in named_sequences()[self.sequence].items() if key != "source"}
        if self.environment is not None:
            keys["env"] = self.environment
        # as a file is read: arrays become the tuples and numbers that the model keeps
        return SequenceTable.model_validate({"id": "published", **keys})


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "pairs.toml").read_text(encoding="utf-8"))


def measures() -> dict[str, Measure]:
    """Published metric -> ours."""
    return {str(each["published"]): Measure(each["ours"], each.get("caution", "")) for each in _file()["metrics"]}


def pairs() -> tuple[Pair, ...]:
    """All of them, in the order of the file."""
    return tuple(Pair(**each) for each in _file()["pairs"])


def pairs_of(sequence: Mapping[str, Any]) -> list[Pair]:
    """The pairs of a sequence as a job's definition has it.

    Its phases must be the first ones of the pair's, at least two where that has several, with the same environments,
    options and shifts; how long they are and how many is left to `differences`. Where all of a pair's phases are
    played, pairs of which they are only a part are left out.
    """
    played = [(phase["environment"], phase["options"]) for phase in sequence["phases"]]
    found = []
    for pair in pairs():
        # most pairs end here: a table costs more than a look at the first environment
        if pair.environment is not None and pair.environment != played[0][0]:
            continue
        table = pair.table()
        expected = [(world, table.options_of(phase)) for phase, world in enumerate(table.environments())]
        enough = len(played) > 1 or len(expected) == 1
        if enough and expected[: len(played)] == played and sequence["shifts"] == _shifts_of(table):
            found.append((len(expected), pair))
    whole = [pair for length, pair in found if length == len(played)]
    return whole or [pair for _, pair in found]


def _shifts_of(table: SequenceTable) -> list[dict[str, Any]]:
    """The shifts as a definition has them, defaults included."""
    kinds = [(shifts.get(str(shift["kind"])), shift) for shift in table.shift]
    return [defining(kind.model_validate(shift), by_alias=True) for kind, shift in kinds]


def differences(pair: Pair, sequence: Mapping[str, Any]) -> list[str]:
    """How a sequence that `pairs_of` gave the pair for differs from it, besides its budget; empty for not at all."""
    table = pair.table()
    here, there = len(sequence["phases"]), len(table.environments())
    found = [pair.differs] if pair.differs else []
    if here != there:
        found.append(f"{here} of {there} phases")
    if sequence["max_episode_steps"] != table.max_episode_steps:
        found.append("episode limit")
    return found
