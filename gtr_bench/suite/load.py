"""Read a suite file, check all of it at once, and resolve it at one scale."""

from __future__ import annotations

from codecs import BOM_UTF8
from pathlib import Path

from gtr_bench.errors import Problem, RequestError, SuiteError, did_you_mean
from gtr_bench.suite.expand import Suite
from gtr_bench.suite.source import parse_source

__all__ = ["find_suite", "load_suite", "parse_suite", "shipped_suites"]

SHIPPED = Path(__file__).resolve().parents[1] / "suites"


def load_suite(path: Path | str, *, scale: str | None = None) -> Suite:
    """The suite in a file, or the shipped suite of that name.

    Args:
        path: a file, or a name such as `quickstart`.
        scale: one of the suite's scales; None means `laptop` where there is one, else the first.

    Raises:
        RequestError: there is no such file, or it cannot be read.
        UnknownNameError: the suite has no such scale.
        SuiteError: everything that is wrong in the file.
    """
    found = find_suite(path)
    try:
        raw = found.read_bytes()
    except OSError as error:
        raise RequestError(f"`{found}` cannot be read: {error.strerror}") from None
    # Some editors begin UTF-8 text with a byte order mark, which no TOML parser takes.
    raw = raw.removeprefix(BOM_UTF8)
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode()
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        problem = Problem(line, column, "not valid TOML: the file is not UTF-8 text")
        raise SuiteError(str(found), raw.decode(errors="replace"), [problem]) from None
    return parse_suite(text, path=str(found), scale=scale)


def parse_suite(text: str, *, path: str, scale: str | None = None) -> Suite:
    """As `load_suite`, from the text of a file; `path` is what errors call it."""
    # The checks import environment families and so numpy: a command that only looks at jobs need not pay for it.
    from gtr_bench.suite.check import check_file
    from gtr_bench.suite.resolve import resolve_suite

    file = check_file(parse_source(text, path))
    return resolve_suite(file, scale)


def shipped_suites() -> dict[str, Path]:
    """Name -> file of the suites that come with the program."""
    return {file.stem: file for file in sorted(SHIPPED.glob("*.toml"))}


def find_suite(path: Path | str) -> Path:
    """The file that is meant; raises RequestError with a suggestion when there is none."""
    given = Path(path)
    if given.is_file():
        return given
    shipped = shipped_suites()
    if str(path) in shipped:
        return shipped[str(path)]
    if given.is_dir():
        raise RequestError(f"`{path}` is a folder, not a suite file")
    beside = [str(file) for file in sorted(given.parent.glob("*.toml"))] if given.parent.is_dir() else []
    known = beside if given.suffix or given.parent != Path() else [*shipped, *beside]
    raise RequestError(f"there is no suite `{path}`", hint=did_you_mean(str(path), known or list(shipped)))
