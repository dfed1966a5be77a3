"""Find algorithms, networks and environment families by name: our own by module, others by entry point.

Names are resolved lazily, so listing them imports nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from gtr_bench.errors import UnknownNameError

__all__ = ["Registry"]


class Registry:
    """A named group of `module:attribute` references plus the entry points of the same group.

    Args:
        kind: what an entry is, for error sentences ("algorithm").
        group: the entry-point group third parties register in ("gtr_bench.algorithms").
        own: our entries, name -> "module:attribute". Ours win over an entry point of the same name.
    """

    def __init__(self, kind: str, group: str, own: dict[str, str]) -> None:
        self.kind = kind
        self.group = group
        self._own = own
        self._loaded: dict[str, Any] = {}

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted({*self._own, *(point.name for point in entry_points(group=self.group))})

    def own_names(self) -> list[str]:
        """The names that come with the program, in its order."""
        return list(self._own)

    def package(self, name: str) -> str:
        """The distribution that registers a name; raises UnknownNameError with a suggestion."""
        if name in self._own:
            return "gtr-bench"
        for point in entry_points(group=self.group):
            if point.name == name:
                return point.dist.name if point.dist is not None else point.module
        raise UnknownNameError(self.kind, name, self.names())

    def get(self, name: str) -> Any:
        """The object registered under `name`; raises UnknownNameError with a suggestion."""
        if name not in self._loaded:
            if name in self._own:
                module, _, attribute = self._own[name].partition(":")
                self._loaded[name] = getattr(import_module(module), attribute)
            else:
                found = [point for point in entry_points(group=self.group) if point.name == name]
                if not found:
                    raise UnknownNameError(self.kind, name, self.names())
                self._loaded[name] = found[0].load()
        return self._loaded[name]
