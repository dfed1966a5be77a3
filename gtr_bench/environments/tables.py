"""The tables of facts that lie beside the environment families, in `data/`."""

from __future__ import annotations

import csv
from importlib.resources import files

__all__ = ["rows_of"]


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of a table of `data/`; lines that begin with `#` say where it is from."""
    text = files("gtr_bench.environments").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
