"""What algorithms say about themselves, asked by the names that results hold.

Results may name an algorithm that is not installed here: it says nothing, as if it had every attribute's default.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

from gtr_bench.algorithms.registry import algorithms
from gtr_bench.errors import UnknownNameError
from gtr_bench.store.reader import Warn

__all__ = ["Attribute", "oracle_of", "those_with", "warn_of_strangers"]

Attribute: TypeAlias = Literal["reconstruction", "starts_anew_at_shift", "needs_boundaries"]

ORACLE = "oracle"


def those_with(attribute: Attribute, names: Iterable[str]) -> frozenset[str]:
    """The registered names among `names` whose algorithm says so."""
    return frozenset(name for name in set(names) if getattr(_kind(name), attribute, False))


def oracle_of(labels: Iterable[tuple[str, str]]) -> str | None:
    """The label whose runs count as the oracle: an algorithm that starts anew at every shift.

    Of several it is the one labelled `oracle`, else the first.

    Args:
        labels: (label, registered name) of a suite's runs, in the suite's order.
    """
    found = dict(labels)
    anew = those_with("starts_anew_at_shift", found.values())
    candidates = [label for label, name in found.items() if name in anew]
    return ORACLE if ORACLE in candidates else next(iter(candidates), None)


def warn_of_strangers(names: Iterable[str], warn: Warn) -> None:
    """Warn once of each algorithm that is not installed here."""
    for name in sorted(set(names)):
        if _kind(name) is None:
            warn(f"algorithm `{name}` is not installed here: what it says about itself is unknown")


def _kind(name: str) -> Any:
    """The class, None where it is not installed, or what it needs is not."""
    try:
        return algorithms.get(name)
    except (UnknownNameError, ImportError):
        return None
