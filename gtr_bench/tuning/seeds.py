"""Seeds that a suite does not report: a tuning that used a reported one would have seen what it is judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gtr_bench.errors import RequestError
from gtr_bench.report.text import ranges
from gtr_bench.suite.model import ScaleTable, SequentialTable, SuiteTable
from gtr_bench.suite.seeds import continued

__all__ = ["DEFAULT_COUNT", "MOST_SEEDS", "reported_seeds", "tuning_seeds"]

FIRST = 9000
"""Where tuning seeds begin, far from those people report."""
DEFAULT_COUNT = 3
MOST_SEEDS = 1000
"""As a count: a larger number is rather meant as a seed."""


def reported_seeds(tree: Mapping[str, Any]) -> frozenset[int]:
    """All seeds of a checked suite, at any of its scales; where they come in waves, all that may be given."""
    suite = SuiteTable.model_validate(tree["suite"])
    rule = SequentialTable.model_validate(tree["sequential"]) if "sequential" in tree else None
    found: set[int] = set()
    for name, table in (tree.get("scale") or {"": {}}).items():
        seeds = ScaleTable.model_validate(table).seeds or suite.seeds or ()
        waves = rule is not None and rule.scale in (None, name)
        found.update(continued(seeds, max(len(seeds), rule.max_seeds)) if rule is not None and waves else seeds)
    return frozenset(found)


def tuning_seeds(text: str | None, reported: frozenset[int]) -> tuple[int, ...]:
    """The seeds to tune on.

    Args:
        text: a count, or seeds such as `9000,9001`; None for `DEFAULT_COUNT`.
        reported: the suite's own.

    Raises:
        RequestError: a text that cannot be read, or a seed that is reported.
    """
    seeds = _parsed(str(DEFAULT_COUNT) if text is None else text, reported)
    shared = sorted(reported.intersection(seeds))
    if shared:
        raise RequestError(
            f"`--seeds {text}`: the suite reports seed {ranges(tuple(shared))}, which tuning must not see",
            hint=f"take others, such as `--seeds {','.join(map(str, _block(len(seeds), reported)))}`",
        )
    return seeds


def _parsed(text: str, reported: frozenset[int]) -> tuple[int, ...]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        raise RequestError(f"`--seeds {text}` should be a count or a list such as `9000,9001`") from None
    if len(numbers) > 1:
        if min(numbers) < 0 or len(set(numbers)) < len(numbers):
            raise RequestError(f"`--seeds {text}` has a seed that is negative, or one twice")
        return tuple(numbers)
    if not 1 <= numbers[0] <= MOST_SEEDS:
        raise RequestError(f"`--seeds {text}` as a count should be between 1 and {MOST_SEEDS}")
    return _block(numbers[0], reported)


def _block(count: int, reported: Sequence[int] | frozenset[int]) -> tuple[int, ...]:
    """Seeds in a row from `FIRST` on; after the suite's largest where it reports some that far out."""
    first = max(FIRST, max(reported) + 1) if max(reported, default=0) >= FIRST else FIRST
    return tuple(range(first, first + count))
