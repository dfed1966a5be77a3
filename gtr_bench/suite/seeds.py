"""Three independent seeds of a job, derived by hash from the one a suite names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Seeds", "continued", "derive_seeds"]


class Seeds(NamedTuple):
    """Seeds of 63 bits: non-negative and storable as a signed 64-bit integer."""

    learner: int
    environment: int
    shift: int


def derive_seeds(definition: Mapping[str, Any]) -> Seeds:
    """The learner's seed depends on the algorithm's name too; the other two on the job's seed alone.

    So all algorithms of a suite meet the same worlds and the same shifts, and comparisons are paired by seed.
    """
    seed = definition["seed"]
    name = definition["algorithm"]["name"]
    return Seeds(_seed(f"learner:{name}:{seed}"), _seed(f"environment:{seed}"), _seed(f"shift:{seed}"))


def continued(seeds: Sequence[int], count: int) -> tuple[int, ...]:
    """The first `count` seeds; where there are fewer, the whole numbers after the largest follow."""
    after = max(seeds) + 1
    return (*seeds[:count], *range(after, after + count - len(seeds)))


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(f"gtr-bench:{text}".encode()).digest()[:8], "big") >> 1
