"""Where output may go: whether it may have colours, and how wide it is."""

from __future__ import annotations

import os
import shutil
from typing import TextIO

__all__ = ["PIPE_COLUMNS", "columns", "is_live", "wants_colour"]

PIPE_COLUMNS = 160


def wants_colour(stream: TextIO) -> bool:
    """NO_COLOR says no, else FORCE_COLOR says yes (either when not empty), else a terminal that is not dumb does."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or is_live(stream)


def is_live(stream: TextIO) -> bool:
    """Whether somebody looks at a terminal that understands escape codes."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def columns(stream: TextIO) -> int:
    """The terminal's width (or COLUMNS); 160 for files and pipes, so that equal results give equal bytes there."""
    return shutil.get_terminal_size().columns if stream.isatty() else PIPE_COLUMNS
