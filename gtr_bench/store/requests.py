"""The ledger of requests: every text a suite was run with and when, `<results>/requests/<suite>-<scale>/<number>.toml`.

It is only appended to. A request is the suite's file below a first line, a comment, that says when and how it was run:

    # gtr-bench request {"time": "2026-01-31T12:00:00.000+00:00", "command": ["gtr-bench", ...], "git_sha": ..., ...}

Nothing that lies there is trusted: files are limited in size, links are not followed, no name becomes a path.
"""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from gtr_bench.files import read_regular, write_numbered
from gtr_bench.names import file_name
from gtr_bench.suite.expand import Suite
from gtr_bench.wording import size

if TYPE_CHECKING:
    from gtr_bench.store.warn import Warn

__all__ = ["Ledger", "Request", "append_request", "ledger_name", "ledger_names", "read_ledger", "stamp", "time_of"]

MOST_BYTES = 8_000_000
"""Larger files are left out: the suite of a study with 10,000 settings has about 1 MB."""

CLOCK_SLACK = timedelta(minutes=1)
"""Clocks of machines that share a folder differ by less."""

_HEAD = "# gtr-bench request "
_NUMBERED = re.compile(r"(\d{1,9})\.toml")
_EARLIER = ("suites", "sequential")
"""Folders in which versions without a ledger kept a suite's text as `<suite>-<scale>.toml`."""


@dataclass(frozen=True)
class Request:
    """A text a suite was run with.

    Attributes:
        number: its number in its folder; `file` is where it lies.
        time: when it was written, as it says itself.
        since: since when it counts: its time, or an earlier request's where that is later.
        suite_path: where the suite lay, as its user called it; a label.
        text: the suite's text, without the first line.
    """

    number: int
    file: Path
    time: datetime
    since: datetime
    suite_path: str
    text: str


@dataclass(frozen=True)
class Ledger:
    """The requests of a suite at one scale, in the order they were made.

    `earlier` are texts kept by versions without a ledger, with where they lie; `notes` say what is odd about times.
    """

    requests: tuple[Request, ...] = ()
    earlier: tuple[tuple[Path, str], ...] = ()
    notes: tuple[str, ...] = ()


def append_request(results: Path, suite: Suite, provenance: Mapping[str, Any]) -> Path | None:
    """Append the suite's text where it differs from the newest one; returns the new file, None where there is none.

    Args:
        results: the results folder.
        suite: what is run.
        provenance: `command`, `suite_path`, `git_sha` and `git_dirty` of cohort.json.

    Raises:
        OSError: the disk refused.
    """
    folder = results / "requests" / ledger_name(suite.name, suite.scale)
    if _linked(folder):
        raise OSError(errno.ELOOP, "the ledger's folder is a link", str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    files = _numbered(folder)
    if files:
        newest = _read(files[-1][1])
        if not isinstance(newest, str) and newest.text == suite.text:
            return None
    how = {name: provenance[name] for name in ("command", "suite_path", "git_sha", "git_dirty")}

    def write(file: BinaryIO) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        file.write(f"{_HEAD}{json.dumps({'time': now, **how}, allow_nan=False)}\n{suite.text}".encode())

    return write_numbered(folder, files[-1][0] + 1 if files else 1, ".toml", write)


def read_ledger(results: Sequence[Path], name: str, warn: Warn) -> Ledger:
    """The ledger of that name over all results folders; a file that cannot be read is left out with a warning.

    Args:
        results: results folders.
        name: as of `ledger_name` or `ledger_names`.
        warn: called with a sentence for each file that was left out, and each that is younger than the clock.
    """
    found: list[tuple[datetime, int, int, Request]] = []
    notes: list[str] = []
    for place, folder in enumerate(results):
        own = list(_requests(folder / "requests" / name, warn))
        for before, after in pairwise(own):
            if before.time - after.time > CLOCK_SLACK:
                notes.append(
                    f"request {before.number} says {stamp(before.time)}, later than request {after.number} after it: "
                    "a clock was wrong, and the later time counts for both"
                )
        found += [(each.since, place, each.number, each) for each in own]
    requests = tuple(each for *_, each in sorted(found, key=lambda entry: entry[:3]))
    earlier = [
        (path, text)
        for folder in results
        for kind in _EARLIER
        if (text := _text(path := folder / kind / f"{name}.toml", warn)) is not None
    ]
    return Ledger(requests, tuple(earlier), tuple(notes))


def ledger_name(suite: str, scale: str) -> str:
    """The name of a suite's ledger at one scale."""
    return file_name(f"{suite}-{scale}")


def ledger_names(results: Sequence[Path]) -> list[str]:
    """The names of all ledgers in the results folders, and of the texts that versions without one kept; sorted."""
    ledgers = {
        path.name
        for folder in results
        for path in (folder / "requests").glob("*")
        if not path.is_symlink() and path.is_dir()
    }
    return sorted(ledgers | {path.stem for folder in results for path in (folder / "suites").glob("*.toml")})


def time_of(text: str) -> datetime:
    """A time as files state it, in UTC; raises ValueError for anything else, and for one without a zone."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"`{text}` has no time zone")
    return found.astimezone(UTC)


def stamp(time: datetime) -> str:
    """A time of a file for a reader, to the second."""
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def _requests(folder: Path, warn: Warn) -> Iterator[Request]:
    """Those of one folder by number."""
    since = datetime.min.replace(tzinfo=UTC)
    soon = datetime.now(UTC) + CLOCK_SLACK
    for _, path in _numbered(folder):
        request = _read(path)
        if isinstance(request, str):
            warn(f"left out `{path}`: {request}")
            continue
        if request.time > soon:
            warn(f"`{path}` says that it was written at {stamp(request.time)}, which is still to come")
        since = max(since, request.time)
        yield replace(request, since=since)


def _numbered(folder: Path) -> list[tuple[int, Path]]:
    """The files of a ledger by number; none of one that lies behind a link."""
    if _linked(folder) or not folder.is_dir():
        return []
    found = ((_NUMBERED.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted((int(match[1]), path) for match, path in found if match)


def _linked(folder: Path) -> bool:
    return folder.is_symlink() or folder.parent.is_symlink()


def _read(path: Path) -> Request | str:
    """The request in a file, or why there is none."""
    try:
        text = _limited(path)
    except OSError as error:
        return error.strerror or "it cannot be read"
    except ValueError as error:
        return str(error)
    head, _, rest = text.partition("\n")
    try:
        how = json.loads(head.removeprefix(_HEAD))
        time = time_of(how["time"])
        return Request(int(path.stem), path, time, time, str(how["suite_path"]), rest)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return "its first line does not say when the suite was run"


def _text(path: Path, warn: Warn) -> str | None:
    """A text kept by an earlier version; None where there is none."""
    try:
        return _limited(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        warn(f"left out `{path}`: {error.strerror}")
    except ValueError as error:
        warn(f"left out `{path}`: {error}")
    return None


def _limited(path: Path) -> str:
    """The text of an ordinary file of ordinary size; raises OSError, or ValueError with what is wrong."""
    try:
        content = read_regular(path, MOST_BYTES)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.EINVAL, errno.ENXIO}:
            raise ValueError("a link, or no file") from None
        if error.errno == errno.EFBIG:
            raise ValueError(f"larger than {size(MOST_BYTES)}") from None
        raise
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None
