"""One thing that a suite can name, as plain data; and what a docstring says about it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from gtr_bench.catalogue.parameters import Parameter

__all__ = ["Entry", "first_sentence", "meaning_and_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known of a name.

    Attributes:
        name: as a suite has it.
        meaning: one line.
        text: the rest of the docstring; may be empty.
        package: the distribution it comes with; empty for a file.
        version: part of a job's identity; None where the kind has none.
        facts: what else there is to say, by a key that is equal for all entries of a kind.
        parameters: what may be set.
        tables: title -> rows with equal keys.
    """

    name: str
    meaning: str
    text: str = ""
    package: str = ""
    version: int | None = None
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    parameters: Sequence[Parameter] = ()
    tables: Mapping[str, Sequence[Mapping[str, JsonValue]]] = field(default_factory=dict)


def meaning_and_text(thing: type) -> tuple[str, str]:
    """The first sentence of a class's own docstring, and what follows it up to the list of its attributes."""
    documented = inspect.cleandoc(thing.__dict__.get("__doc__") or "").split("\n\nAttributes:")[0]
    first, _, rest = documented.partition("\n\n")
    meaning = first_sentence(first)
    following = " ".join(first.split())[len(meaning) :].lstrip(". ")
    return meaning, "\n\n".join(part for part in (following, rest) if part)


def first_sentence(text: str) -> str:
    """Up to the first full stop that ends a sentence, without it, on one line."""
    line = " ".join(text.split())
    depth = 0
    for place, character in enumerate(line):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if character == "." and depth <= 0 and line[place + 1 : place + 2] in ("", " "):
            return line[:place]
    return line
