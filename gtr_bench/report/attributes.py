"""What algorithms and add-ons say about themselves, asked by the names that results hold.

Results may name one that is not installed here: it says nothing, as if it had every attribute's default.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

from gtr_bench.algorithms.registry import algorithms
from gtr_bench.environments.shifts import shifts
from gtr_bench.errors import UnknownNameError
from gtr_bench.plasticity.registry import add_ons
from gtr_bench.registry import Registry
from gtr_bench.store.reader import Warn

__all__ = ["Attribute", "oracle_of", "those_with", "told_boundaries", "warn_of_strangers"]

Attribute: TypeAlias = Literal["reconstruction", "starts_anew_at_shift"]

ORACLE = "oracle"


def those_with(attribute: Attribute, names: Iterable[str]) -> frozenset[str]:
    """The registered names among `names` whose algorithm says so."""
    return frozenset(name for name in set(names) if getattr(_kind(algorithms, name), attribute, False))


def told_boundaries(definition: Mapping[str, Any]) -> bool:
    """Whether a job's algorithm is told where phases begin: by what it is, an add-on, or a shift of its sequence."""
    parts: list[tuple[Registry, str]] = [(algorithms, definition["algorithm"]["name"])]
    parts += [(add_ons, each["name"]) for each in definition.get("plasticity", [])]
    parts += [(shifts, each["kind"]) for each in definition.get("sequence", {}).get("shifts", [])]
    return any(getattr(_kind(kinds, name), "needs_boundaries", False) for kinds, name in parts)


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
        if _kind(algorithms, name) is None:
            warn(f"algorithm `{name}` is not installed here: what it says about itself is unknown")


def _kind(kinds: Registry, name: str) -> Any:
    """The class, None where it is not installed, or what it needs is not."""
    try:
        return kinds.get(name)
    except (UnknownNameError, ImportError):
        return None
