"""How a reader is told of a file that was left out. Imports nothing: a run needs no Parquet for it."""

from __future__ import annotations

import sys
from collections.abc import Callable

from gtr_bench.wording import one_line

__all__ = ["Warn", "warn_on_stderr"]

Warn = Callable[[str], None]


def warn_on_stderr(sentence: str) -> None:
    """Tell the user on stderr; stdout is data."""
    print(f"warning: {one_line(sentence)}", file=sys.stderr)
