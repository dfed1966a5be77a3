"""The achievements of Crafter and Craftax, by name."""

from __future__ import annotations

from functools import cache

from gtr_bench.environments.tables import rows_of

__all__ = ["achievements"]


@cache
def achievements(*, classic: bool) -> tuple[str, ...]:
    """The 67 of Craftax in its order, or the first 22 of them: those of Crafter and of Craftax-Classic."""
    return tuple(row["name"] for row in rows_of("achievements.csv") if row["in_classic"] == "1" or not classic)
