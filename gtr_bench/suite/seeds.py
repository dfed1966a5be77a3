"""Three independent seeds of a job, derived by hash from the one a suite names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gtr_bench.suite.identity import canonical_json

__all__ = ["Seeds", "continued", "derive_seeds"]


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


def continued(seeds: Sequence[int], count: int) -> tuple[int, ...]:
    """The first `count` seeds; where there are fewer, the whole numbers after the largest follow."""
    after = max(seeds) + 1
    return (*seeds[:count], *range(after, after + count - len(seeds)))


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(f"gtr-bench:{text}".encode()).digest()[:8], "big") >> 1
