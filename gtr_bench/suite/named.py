"""Task sequences by name: what `use` of `[[sequence]]` stands for, from `named_sequences.toml` beside this file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from gtr_bench.errors import UnknownNameError
from gtr_bench.suite.problems import Problems

__all__ = ["named_sequences", "with_named"]


@cache
def named_sequences() -> dict[str, dict[str, Any]]:
    """Name -> keys of `[[sequence]]`, and `source`, where it comes from."""
    return tomllib.loads((Path(__file__).parent / "named_sequences.toml").read_text(encoding="utf-8"))


def with_named(tables: Sequence[Mapping[str, Any]], problems: Problems) -> list[dict[str, Any]]:
    """The tables of `[[sequence]]` with what their `use` stands for; their own keys win.

    Without an `id` the name is it. An unknown name is noted, and the table left as it is.
    """
    return [_with_named(table, index, problems) for index, table in enumerate(tables)]


def _with_named(table: Mapping[str, Any], index: int, problems: Problems) -> dict[str, Any]:
    name, known = table.get("use"), named_sequences()
    if not isinstance(name, str):
        return dict(table)
    if name not in known:
        problems.add_error(("sequence", index, "use"), UnknownNameError("named sequence", name, known))
        return dict(table)
    stands_for = {key: value for key, value in known[name].items() if key != "source"}
    return {"id": name, **stands_for, **table}
