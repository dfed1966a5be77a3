"""Files that others may have put there or may read at any time.

Reading: ordinary files alone, no link followed, no pipe waited for. Writing: a file or a folder is replaced so that a
reader sees the old one or the new one, never a part, also after a power cut; what lies in the way is never written
through.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from gtr_bench.errors import ResultsError

__all__ = [
    "clear",
    "is_folder",
    "kind_of_entry",
    "open_regular",
    "read_json",
    "read_regular",
    "remove_folder",
    "replace_file",
    "replace_folder",
    "set_aside",
    "whole_folder",
    "write_json",
    "write_numbered",
]

_MOST_SET_ASIDE = 1000
_MOST_JSON_BYTES = 64_000_000
"""cohort.json of a suite of 1 MB and 16 members has 1 MB."""


def open_regular(path: str | Path, flags: int = os.O_RDONLY, mode: int = 0o644) -> int:
    """A descriptor of an ordinary file; nothing else is ever waited for, and a link at the end is not followed.

    Args:
        path: the file.
        flags: of `os.open`.
        mode: of a file that `flags` let be created.

    Raises:
        OSError: as of `open`; ELOOP for a link, EINVAL for a folder, pipe, socket or device.
    """
    # Without O_NONBLOCK opening a pipe waits for its writer.
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, mode)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "no ordinary file", str(path))
    return descriptor


def read_regular(path: str | Path, most_bytes: int | None = None) -> bytes:
    """The content of an ordinary file.

    Args:
        path: the file.
        most_bytes: a larger one is refused.

    Raises:
        OSError: as of `open_regular`; EFBIG where it is larger.
    """
    descriptor = open_regular(path)
    try:
        size = os.fstat(descriptor).st_size
        if most_bytes is not None and size > most_bytes:
            raise OSError(errno.EFBIG, f"larger than {most_bytes:,} bytes", str(path))
        # A single read gives 2 GB at most. What is appended meanwhile is left for another time.
        pieces, left = [], size
        while left and (piece := os.read(descriptor, left)):
            pieces.append(piece)
            left -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
    finally:
        os.close(descriptor)


def is_folder(path: str | Path) -> bool:
    """Whether a folder lies there itself; a link to one is none."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def kind_of_entry(path: str | Path) -> str:
    """What lies there, for a reader: `a link`, `a file`, `a folder`, `a pipe`, ..."""
    try:
        mode = os.lstat(path).st_mode
    except OSError as error:
        return error.strerror or "nothing"
    kinds = ((stat.S_ISLNK, "a link"), (stat.S_ISREG, "a file"), (stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"))
    return next((name for test, name in kinds if test(mode)), "a device or socket")


def set_aside(path: Path) -> Path:
    """Rename what lies there to the first of `<name>.damaged`, `<name>.damaged-2`, ... that is free; returns where.

    A link is renamed itself, whatever it leads to.

    Raises:
        OSError: the disk refused, nothing lies there, or a thousand lie there already.
    """
    for number in range(1, _MOST_SET_ASIDE):
        aside = path.with_name(f"{path.name}.damaged" + (f"-{number}" if number > 1 else ""))
        if not os.path.lexists(aside):
            os.rename(path, aside)
            return aside
    raise OSError(errno.EEXIST, f"{_MOST_SET_ASIDE} damaged ones lie beside it", str(path))


def replace_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Replace `path` by what `write` puts into a binary file: written beside, fsynced, renamed, folder fsynced.

    Raises:
        OSError: the disk refused; nothing is left behind and the old file is untouched. So it is for whatever
            `write` raises.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        # Created anew: what lies there under this name, a link perhaps, is not written through.
        partial.unlink(missing_ok=True)
        with open(partial, "xb") as file:
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
    clear(partial)
    try:
        partial.mkdir()
        fill(partial)
        for each in (*sorted(partial.rglob("*")), partial):
            _sync(each)
        os.rename(partial, _new(path))
    except BaseException:
        clear(partial)
        raise
    _sync(path.parent)
    _settle(path)


def whole_folder(path: Path) -> Path | None:
    """Where the newest whole state of a folder that `replace_folder` writes is; None when there is none."""
    return next((each for each in (_new(path), path) if is_folder(each)), None)


def remove_folder(path: Path) -> None:
    """Remove a folder that `replace_folder` writes, at once, and what may have been left beside it."""
    _settle(path)
    if path.exists():
        os.rename(path, _old(path))
    for each in (_old(path), path.with_name(f"{path.name}.partial")):
        clear(each)


def _settle(path: Path) -> None:
    """Let the newest whole folder have its name, alone."""
    clear(_old(path))
    for each in (_new(path), path):
        if not is_folder(each):
            clear(each)
    if is_folder(_new(path)):
        if path.exists():
            os.rename(path, _old(path))
        os.rename(_new(path), path)
        _sync(path.parent)
        clear(_old(path))


def clear(path: Path) -> None:
    """Let nothing lie there: a folder goes with all that is in it, of a link the link alone."""
    if is_folder(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


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


def read_json(path: str | Path) -> dict[str, Any]:
    """A JSON object from an ordinary file; raises ResultsError when it is missing, unreadable or something else."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no JSON")

    try:
        data = json.loads(read_regular(path, _MOST_JSON_BYTES).decode(), parse_constant=refuse)
    except (OSError, ValueError, RecursionError) as error:
        raise ResultsError(f"`{path}` cannot be read as JSON") from error
    if not isinstance(data, dict):
        raise ResultsError(f"`{path}` is not a JSON object")
    return data
