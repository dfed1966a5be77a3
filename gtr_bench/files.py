"""Replace a file or a folder so that a reader sees the old one or the new one, never a part, also after a power cut."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["remove_folder", "replace_file", "replace_folder", "whole_folder", "write_json", "write_numbered"]


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
    _sync(path.parent)


def write_numbered(folder: Path, number: int, suffix: str, write: Callable[[BinaryIO], object]) -> Path:
    """Write a new file `<number><suffix>`, four digits at least, under the first number from `number` on that is free.

    Whoever writes a number holds its partial file, which only one process can create, so no file is written twice, on
    whichever machine. A number whose writer was killed stays unused.

    Raises:
        OSError: the disk refused; nothing is left behind. So it is for whatever `write` raises.
    """
    while True:
        path = folder / f"{number:04d}{suffix}"
        partial = path.with_name(f".{path.name}.partial")
        number += 1
        try:
            file = open(partial, "xb")  # noqa: SIM115
        except FileExistsError:
            continue
        try:
            with file:
                # It may have been written between the look of whoever chose the number and now.
                if os.path.lexists(path):
                    partial.unlink()
                    continue
                write(file)
                file.flush()
                os.fsync(file.fileno())
            os.rename(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        _sync(folder)
        return path


def replace_folder(path: Path, fill: Callable[[Path], object]) -> None:
    """Replace the folder `path` by what `fill` puts into an empty one.

    Two folders cannot be exchanged in one step everywhere, so the new one is whole under `<name>.new` before the old
    one goes: at every instant `whole_folder` finds one of them. What a killed process left is removed first.

    Raises:
        OSError: the disk refused; the old folder is found as before. So it is for whatever `fill` raises.
    """
    _settle(path)
    partial = path.with_name(f"{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir()
        fill(partial)
        for each in (*sorted(partial.rglob("*")), partial):
            _sync(each)
        os.rename(partial, _new(path))
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _sync(path.parent)
    _settle(path)


def whole_folder(path: Path) -> Path | None:
    """Where the newest whole state of a folder that `replace_folder` writes is; None when there is none."""
    return next((each for each in (_new(path), path) if each.is_dir()), None)


def remove_folder(path: Path) -> None:
    """Remove a folder that `replace_folder` writes, at once, and what may have been left beside it."""
    _settle(path)
    if path.exists():
        os.rename(path, _old(path))
    for each in (_old(path), path.with_name(f"{path.name}.partial")):
        shutil.rmtree(each, ignore_errors=True)


def _settle(path: Path) -> None:
    """Let the newest whole folder have its name, alone."""
    shutil.rmtree(_old(path), ignore_errors=True)
    if _new(path).is_dir():
        if path.exists():
            os.rename(path, _old(path))
        os.rename(_new(path), path)
        _sync(path.parent)
        shutil.rmtree(_old(path), ignore_errors=True)


def _new(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _old(path: Path) -> Path:
    return path.with_name(f"{path.name}.old")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Replace `path` by `data`; raises ValueError for NaN and infinity, which JSON does not have."""
    text = json.dumps(data, allow_nan=False)
    replace_file(path, lambda file: file.write(text.encode()))
