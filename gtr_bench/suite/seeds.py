"""Three independent seeds of a job, derived by hash from the one a suite names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gtr_bench.suite.identity import canonical_json

__all__ = ["Seeds", "continued", "derive_seeds", "share_randomness"]

APART_SINCE = 3
"""The learn version from which on a job's seeds depend on its sequence."""


class Seeds(NamedTuple):
    """Seeds of 63 bits: non-negative and storable as a signed 64-bit integer."""

    learner: int
    environment: int
    shift: int


def derive_seeds(definition: Mapping[str, Any]) -> Seeds:
    """The seeds of a job; all algorithms that train on one sequence meet the same worlds, so they are paired by seed.

    Every seed depends on the sequence, so jobs on two sequences share no random number and count as independent.
    The shifts' seed depends on the sequence through its shifts alone (and their values on the phase's environment,
    which `SequenceEnvironment` mixes in): a reference run on one phase meets the world of that phase. The learner's
    seed depends on the algorithm's name too.
    """
    seed, sequence = definition["seed"], definition["sequence"]
    name, whole, shifts = definition["algorithm"]["name"], canonical_json(sequence), canonical_json(sequence["shifts"])
    return Seeds(
        _seed(f"learner:{name}:{seed}:{whole}"), _seed(f"environment:{seed}:{whole}"), _seed(f"shift:{seed}:{shifts}")
    )


def share_randomness(worlds: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether jobs of one seed on different ones of these sequences may have a random number in common.

    They have where their seeds did not depend on the sequence yet, where two sequences are equal, and where two have
    the same shifts and an environment in common: those meet the same worlds, and their reference runs may be the same.

    Args:
        worlds: sequence id -> the definition of a job there.
    """
    if len(worlds) < 2:
        return False
    if any(definition.get("learn", 1) < APART_SINCE for definition in worlds.values()):
        return True
    met: dict[str, list[frozenset[str]]] = {}
    for definition in worlds.values():
        sequence = definition["sequence"]
        met.setdefault(canonical_json(sequence["shifts"]), []).append(
            frozenset(phase["environment"] for phase in sequence["phases"])
        )
    drawn = (each for shifts, each in met.items() if shifts != "[]")
    alike = any(len(frozenset.union(*each)) < sum(map(len, each)) for each in drawn)
    return alike or len({canonical_json(each["sequence"]) for each in worlds.values()}) < len(worlds)


def continued(seeds: Sequence[int], count: int) -> tuple[int, ...]:
    """The first `count` seeds; where there are fewer, the whole numbers after the largest follow."""
    after = max(seeds) + 1
    return (*seeds[:count], *range(after, after + count - len(seeds)))


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(f"gtr-bench:{text}".encode()).digest()[:8], "big") >> 1
