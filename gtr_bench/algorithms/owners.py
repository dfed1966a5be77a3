"""Which algorithms have a parameter: what is said where it was asked of one that has not."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gtr_bench.algorithms.registry import algorithms
from gtr_bench.errors import GtrBenchError, nearest

__all__ = ["owners_hint"]


def owners_hint(parameter: str, known: Sequence[str]) -> str | None:
    """The algorithms that have it, and the nearest name of `known`; None where no algorithm has it."""
    having = [f"`{each}`" for each in algorithms.names() if parameter in _fields_of(each)]
    if not having:
        return None
    near = nearest(parameter, known)
    also = f"; did you mean `{near}`?" if near else ""
    return f"{', '.join(having)} {'has' if len(having) == 1 else 'have'} it{also}"


def _fields_of(algorithm: str) -> Collection[str]:
    try:
        return tuple(algorithms.get(algorithm).Parameters.model_fields)
    except (GtrBenchError, ImportError):
        return ()  # somebody's that is broken, which this request does not need
