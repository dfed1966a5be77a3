"""Replace a file so that a reader sees the old one or the new one, never a part, also after a power cut."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["replace_file", "write_json"]


def replace_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Replace `path` by what `write` puts into a binary file: written beside, fsynced, renamed, folder fsynced.

    Raises:
        OSError: the disk refused; nothing is left behind and the old file is untouched. So it is for whatever
            `write` raises.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with open(partial, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    # Without this a power cut may forget the rename although the data is on disk.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Replace `path` by `data`; raises ValueError for NaN and infinity, which JSON does not have."""
    text = json.dumps(data, allow_nan=False)
    replace_file(path, lambda file: file.write(text.encode()))
