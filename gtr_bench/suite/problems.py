"""Collect everything wrong in a suite file, each with its place, before raising once."""

from __future__ import annotations

import contextlib
import datetime
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gtr_bench.errors import GtrBenchError, Problem, SuiteError, did_you_mean
from gtr_bench.suite.source import KeyPath, Source

__all__ = ["Problems", "shown"]

PYDANTIC_TO_TOML = {
    "an object": "a table",
    "a valid array": "a list",
    "a valid string": "a string",
    "a valid integer": "an integer",
    "a valid number": "a number",
    "a valid boolean": "true or false",
}
"""pydantic names JSON's types; the reader of a suite knows TOML's"""

Model = TypeVar("Model", bound=BaseModel)


class Problems:
    """The problems found so far in one source; the same sentence at the same place counts once."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._found: dict[tuple[int, int, str], Problem] = {}
        self._paths: set[KeyPath] = set()
        self._scale: str | None = None

    def add(
        self, path: KeyPath, sentence: str, hint: str | None = None, *, at: Literal["key", "value"] = "value"
    ) -> None:
        """Note a problem at the key or the value of `path`, or at its nearest parent in the text."""
        self._paths.add(path)
        line, column = self.source.key_place(path) if at == "key" else self.source.value_place(path)
        elsewhere = self._scale is not None and path[:2] != ("scale", self._scale)
        told = f"{sentence} (at scale `{self._scale}`)" if elsewhere else sentence
        self._found.setdefault((line, column, sentence), Problem(line, column, told, hint))

    @contextlib.contextmanager
    def at_scale(self, name: str | None) -> Iterator[None]:
        """While this lasts, problems outside of the scale's own table name the scale, unless they are known already."""
        before, self._scale = self._scale, name
        try:
            yield
        finally:
            self._scale = before

    def add_error(self, path: KeyPath, error: GtrBenchError) -> None:
        """Note another part's error at the value of `path`."""
        self.add(path, error.sentence, error.hint)

    def add_unknown(self, path: KeyPath, known: Iterable[str]) -> None:
        """Note that the last part of `path` is none of the `known` keys of its table."""
        name = _name(path)
        self.add(path, f"unknown key `{name}`{_table(path[:-1])}", did_you_mean(name, known), at="key")

    def noted(self, path: KeyPath) -> bool:
        """Whether something at or below `path` is wrong already."""
        return any(found[: len(path)] == path for found in self._paths)

    def at(self, path: KeyPath) -> Any:
        """The value at `path` in the source as written; None when there is none."""
        value: Any = self.source.tree
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def raise_any(self) -> None:
        """Raise SuiteError when anything was found."""
        if self._found:
            raise SuiteError(self.source.path, self.source.text, list(self._found.values()))

    def check_values(self, value: Any, path: KeyPath = ()) -> None:
        """Note every NaN, infinity, date and time below `value`: none of them has a meaning in a suite."""
        if isinstance(value, dict):
            for key, inner in value.items():
                self.check_values(inner, (*path, key))
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                self.check_values(inner, (*path, index))
        elif isinstance(value, float) and not math.isfinite(value):
            self.add(path, f"`{_name(path)}` should be a finite number, not `{shown(value)}`")
        elif isinstance(value, (datetime.date, datetime.time)):
            self.add(path, f"`{_name(path)}` is a date or time, which means nothing in a suite")

    def validate(
        self, model: type[Model], data: Any, path: KeyPath, origins: Mapping[str, KeyPath] | None = None
    ) -> Model | None:
        """`data` as a `model`, or None when not enough of it is valid; every error is noted.

        Types are strict (as JSON: an integer is a valid float, nothing else is converted). Keys with errors are
        left out and the rest is tried again, so that later checks still see what is right.

        Args:
            model: the pydantic model.
            data: a table of the source.
            path: where the table stands.
            origins: for merged tables, where each top-level key was written; others are placed at `path`.
        """
        try:
            return model.model_validate_json(json.dumps(data, default=str), strict=True)
        except ValidationError as error:
            errors = error.errors(include_url=False)
        for details in errors:
            if details["type"] != "too_short" or not _wrong_below(details["loc"], errors):
                with self.at_scale(None):  # what is wrong by itself is wrong at every scale
                    self._add_details(model, details, path, origins or {})
        if not isinstance(data, dict):
            return None
        wrong = {details["loc"][0] for details in errors if details["loc"]}
        try:
            rest = {key: value for key, value in data.items() if key not in wrong}
            return model.model_validate_json(json.dumps(rest, default=str), strict=True)
        except ValidationError:
            return None

    def _add_details(
        self, model: type[BaseModel], details: ErrorDetails, path: KeyPath, origins: Mapping[str, KeyPath]
    ) -> None:
        loc, kind, message = details["loc"], details["type"], details["msg"]
        base = origins.get(str(loc[0])) if loc else None
        where = (*path, *loc) if base is None else (*base, *loc[1:])
        name = _name(where)
        if kind == "extra_forbidden":
            self.add_unknown(where, _fields(model, loc[:-1]))
        elif kind == "missing":
            self.add(where, f"`{name}` is missing{_table(where[:-1])}", at="key")
        elif kind == "value_error":
            self.add(where, str(details["ctx"]["error"]))
        elif kind == "too_short" and details["ctx"]["min_length"] == 1:
            self.add(where, f"`{name}` is empty")
        elif message.startswith("Input should be "):
            wanted = message.removeprefix("Input should be ")
            self.add(
                where, f"`{name}` should be {PYDANTIC_TO_TOML.get(wanted, wanted)}, not `{shown(details['input'])}`"
            )
        else:
            self.add(where, f"`{name}`: {message[:1].lower()}{message[1:]}")


def shown(value: Any) -> str:
    """A value as short text for a sentence, much as TOML writes it."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _name(path: KeyPath) -> str:
    """The last part of a path for a sentence: a key, or a key with the index of its element."""
    if not path:
        return "suite"
    last = path[-1]
    return last if isinstance(last, str) else f"{_name(path[:-1])}[{last}]"


def _table(path: KeyPath) -> str:
    parts = [part for part in path if isinstance(part, str)]
    return f" in `{'.'.join(parts)}`" if parts else ""


def _wrong_below(loc: tuple[int | str, ...], errors: Sequence[ErrorDetails]) -> bool:
    """Whether an element at `loc` is wrong: pydantic then counts it as missing and calls the list too short."""
    return any(len(error["loc"]) > len(loc) and error["loc"][: len(loc)] == loc for error in errors)


def _fields(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Names that may stand at `loc` inside `model`."""
    current: type[BaseModel] = model
    for part in loc:
        field = next((field for name, field in current.model_fields.items() if part in (name, field.alias)), None)
        inner = _model_in(field.annotation) if field else None
        current = inner or current
    return [field.alias or name for name, field in current.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = _model_in(argument)
        if found is not None:
            return found
    return None
