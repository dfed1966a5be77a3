"""Rows a cohort has produced so far, kept as arrays so that a checkpoint carries them cheaply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Records"]

Array = NDArray[np.float64]


class Records:
    """A growing table per member: columns `[rows, columns, M]`, each value known or not.

    A column that was not computed is unknown (null in Parquet); a computed NaN stays NaN.
    """

    def __init__(self, columns: Sequence[str], members: int) -> None:
        self._columns, self._members = list(columns), members
        self._place = {name: index for index, name in enumerate(columns)}
        self._values: list[Array] = []
        self._known: list[NDArray[np.bool_]] = []

    def __len__(self) -> int:
        return len(self._values)

    def append(
        self, row: Mapping[str, float | NDArray[Any]], unknown: Mapping[str, NDArray[np.bool_]] | None = None
    ) -> None:
        """Add a row: floats count for all members, arrays are `[M]`; `unknown` marks members without a value."""
        values = np.zeros((len(self._columns), self._members))
        known = np.zeros((len(self._columns), self._members), np.bool_)
        for name, value in row.items():
            values[self._place[name]], known[self._place[name]] = value, True
        for name, mask in (unknown or {}).items():
            known[self._place[name]] &= ~mask
        self._values.append(values)
        self._known.append(known)

    def of_member(self, member: int, rows: int) -> dict[str, list[float | None]]:
        """The first `rows` rows of one member, by column; unknown values are None."""
        count = min(rows, len(self))
        if count == 0:
            return {name: [] for name in self._columns}
        values = np.stack(self._values[:count])[:, :, member]
        known = np.stack(self._known[:count])[:, :, member]
        return {
            name: [
                value if is_known else None
                for value, is_known in zip(values[:, index].tolist(), known[:, index].tolist(), strict=True)
            ]
            for index, name in enumerate(self._columns)
        }

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        shape = (0, len(self._columns), self._members)
        return {
            "columns": list(self._columns),
            "values": np.stack(self._values) if self._values else np.zeros(shape),
            "known": np.stack(self._known) if self._known else np.zeros(shape, np.bool_),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint; what a part of the learner has declared since is unknown until then."""
        stored = state["columns"]
        kept = [name for name in self._columns if name in stored]
        here, there = [self._place[name] for name in kept], [stored.index(name) for name in kept]
        shape = (len(state["values"]), len(self._columns), self._members)
        values, known = np.zeros(shape), np.zeros(shape, np.bool_)
        values[:, here], known[:, here] = state["values"][:, there], state["known"][:, there]
        self._values, self._known = list(values), list(known)
