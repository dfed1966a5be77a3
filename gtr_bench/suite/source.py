"""A TOML text as a tree plus the place of every key and value in it, so that errors can point at them.

`tomllib` decides what the text means; the scanner here runs over text `tomllib` has accepted and finds places only.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import Any

from gtr_bench.errors import Problem, SuiteError

__all__ = ["KeyPath", "Position", "Source", "parse_source"]

KeyPath = tuple[str | int, ...]
Position = tuple[int, int]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"[ \t]*")
_BLANK_AND_COMMENTS = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SCALAR = re.compile(r"[^,\]}#\n]*")
# A closing run of three to five quotes ends a multi-line string: up to two of them belong to its content.
_STRINGS = (
    ('"""', re.compile(r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}', re.DOTALL)),
    ("'''", re.compile(r"'''(?:[^']|'{1,2}(?!'))*'{3,5}", re.DOTALL)),
    ('"', re.compile(r'"(?:[^"\\\n]|\\.)*"')),
    ("'", re.compile(r"'[^'\n]*'")),
)
_ERROR_PLACE = re.compile(r"^(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$", re.S)


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed TOML text: `tree` as `tomllib` gives it; `keys` and `values` map a key path to (line, column) from 1."""

    path: str
    text: str
    tree: dict[str, Any]
    keys: dict[KeyPath, Position] = field(default_factory=dict)
    values: dict[KeyPath, Position] = field(default_factory=dict)

    def key_place(self, path: KeyPath) -> Position:
        """Where the key at `path` stands, or its nearest parent that stands anywhere; (0, 0) for the whole file."""
        return _nearest(self.keys, path)

    def value_place(self, path: KeyPath) -> Position:
        """Where the value at `path` starts, or its nearest parent's key; (0, 0) for the whole file."""
        return self.values[path] if path in self.values else _nearest(self.keys, path)


def parse_source(text: str, path: str) -> Source:
    """Parse `text`; raises SuiteError with the place of the first syntax error. `path` only names the file."""
    text = text.replace("\r\n", "\n")
    try:
        source = Source(path, text, tomllib.loads(text))
        _Scanner(source).run()
    except tomllib.TOMLDecodeError as error:
        raise SuiteError(path, text, [_syntax_problem(text, str(error))]) from None
    except RecursionError:
        raise SuiteError(path, text, [Problem(0, 0, "arrays or tables are nested too deeply to be read")]) from None
    return source


def _nearest(places: dict[KeyPath, Position], path: KeyPath) -> Position:
    for length in range(len(path), 0, -1):
        if path[:length] in places:
            return places[path[:length]]
    return (0, 0)


def _syntax_problem(text: str, message: str) -> Problem:
    found = _ERROR_PLACE.match(message)
    if found is None:
        return Problem(0, 0, f"not valid TOML: {message}")
    what = found["what"][:1].lower() + found["what"][1:]
    if found["line"] is not None:
        return Problem(int(found["line"]), int(found["column"]), f"not valid TOML: {what}")
    lines = text.split("\n")
    return Problem(len(lines), len(lines[-1]) + 1, f"not valid TOML: {what} at the end of the file")


class _Scanner:
    """Walk over valid TOML once, recording places in a Source."""

    def __init__(self, source: Source) -> None:
        self.text = source.text
        self.keys = source.keys
        self.values = source.values
        self.position = 0
        self.table: KeyPath = ()
        self.lengths: dict[KeyPath, int] = {}
        """number of tables so far in each array of tables"""
        self._line = 1
        self._line_start = 0
        self._counted = 0

    def run(self) -> None:
        while True:
            self._skip(_BLANK_AND_COMMENTS)
            if self.position >= len(self.text):
                return
            if self.text[self.position] == "[":
                self._header()
            else:
                self._pair(self.table)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.position)
        assert found is not None  # every pattern used here matches the empty string
        self.position = found.end()

    def _place(self) -> Position:
        """The current position; counts lines forward only, so the whole scan stays linear."""
        newlines = self.text.count("\n", self._counted, self.position)
        if newlines:
            self._line += newlines
            self._line_start = self.text.rfind("\n", self._counted, self.position) + 1
        self._counted = self.position
        return (self._line, self.position - self._line_start + 1)

    def _header(self) -> None:
        start = self._place()
        array = self.text.startswith("[[", self.position)
        self.position += 2 if array else 1
        parts = self._key()
        self.position += 2 if array else 1
        path: KeyPath = ()
        for index, (name, place) in enumerate(parts):
            path = (*path, name)
            self.keys.setdefault(path, place)
            self.values.setdefault(path, start)
            last = index == len(parts) - 1
            if last and array:
                self.lengths[path] = self.lengths.get(path, 0) + 1
            elif last:
                self.keys[path], self.values[path] = place, start
            if path in self.lengths:
                path = (*path, self.lengths[path] - 1)
                self.keys.setdefault(path, place)
                self.values.setdefault(path, start)
        self.table = path

    def _pair(self, table: KeyPath) -> None:
        path = table
        for name, place in self._key():
            path = (*path, name)
            self.keys.setdefault(path, place)
            self.values.setdefault(path, place)
        self.position += 1  # the equals sign
        self._skip(_BLANK)
        self._value(path)

    def _key(self) -> list[tuple[str, Position]]:
        """A possibly dotted key up to, not including, what follows it."""
        parts = []
        while True:
            self._skip(_BLANK)
            place = self._place()
            bare = _BARE_KEY.match(self.text, self.position)
            if bare:
                self.position = bare.end()
                parts.append((bare[0], place))
            else:
                parts.append((tomllib.loads(f"key = {self._string()}")["key"], place))
            self._skip(_BLANK)
            if not self.text.startswith(".", self.position):
                return parts
            self.position += 1

    def _string(self) -> str | None:
        """The quoted string at the current position, quotes included; None when there is none."""
        for quotes, pattern in _STRINGS:
            if self.text.startswith(quotes, self.position):
                found = pattern.match(self.text, self.position)
                if found:
                    self.position = found.end()
                    return found[0]
        return None

    def _value(self, path: KeyPath) -> None:
        self.values[path] = self._place()
        opening = self.text[self.position]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        elif self._string() is None:
            self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self.position += 1
        index = 0
        while True:
            self._skip(_BLANK_AND_COMMENTS)
            if self.text[self.position] == "]":
                break
            element = (*path, index)
            self.keys[element] = self._place()
            self._value(element)
            self._skip(_BLANK_AND_COMMENTS)
            if self.text[self.position] == ",":
                self.position += 1
            index += 1
        self.position += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.position += 1
        while True:
            self._skip(_BLANK_AND_COMMENTS)
            if self.text[self.position] == "}":
                break
            self._pair(path)
            self._skip(_BLANK_AND_COMMENTS)
            if self.text[self.position] == ",":
                self.position += 1
        self.position += 1
