"""A suite of one algorithm in one world, from a few words instead of a file."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gtr_bench.errors import RequestError
from gtr_bench.files import replace_file
from gtr_bench.names import file_name
from gtr_bench.suite.expand import Suite
from gtr_bench.suite.load import parse_suite

__all__ = ["single_suite", "stated_values"]

_POINTS = 10
"""evaluations of a run, so that there is a curve"""
_LEAST = 2048
"""steps between two evaluations at least: rollouts of the usual sizes fit between"""


def stated_values(texts: Sequence[str], option: str) -> dict[str, Any]:
    """Values of `NAME=VALUE`, each a TOML value or, where it is none, a string.

    Raises:
        RequestError: a text without a name or a value, or a name given twice.
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, sign, value = (part.strip() for part in text.partition("="))
        if not (name and sign and value):
            raise RequestError(
                f"`{option} {text}` should be `NAME=VALUE`", hint=f"such as `{option} learning_rate=1e-3`"
            )
        if name in found:
            raise RequestError(f"`{option}` names `{name}` twice", hint="name every parameter once")
        found[name] = _value(value)
    return found


def _value(text: str) -> Any:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return parsed["value"] if set(parsed) == {"value"} else text


def single_suite(
    algorithm: str,
    environment: str,
    steps: int,
    seeds: Sequence[int],
    results: Path,
    *,
    parameters: Mapping[str, Any],
    torso: str | None = None,
) -> Suite:
    """The suite, written to `<results>/studies/train-.../suite.toml` for `run`, `plan` and `report`.

    Its name holds a digest of the request, so that two requests never share a file.

    Raises:
        SuiteError: what is wrong with the request, at its line of the suite it would become.
    """
    every = min(steps, max(steps // _POINTS, _LEAST))
    body: list[tuple[str, Mapping[str, Any]]] = [
        ("evaluation", {"every": every, "episodes": 10}),
        ("network", {} if torso is None else {"torso": torso}),
        ("scale.laptop", {"seeds": list(seeds), "steps_per_phase": steps}),
        ("[sequence]", {"id": _plain(environment), "env": environment, "phases": 1}),
        ("[algorithm]", {"id": algorithm, **parameters}),
    ]
    digest = hashlib.sha256(_text(body).encode()).hexdigest()[:8]
    name = file_name(f"train-{_plain(algorithm)}-{_plain(environment)}-{digest}")
    question = f"What does {algorithm} learn in {environment}?"
    text = _text([("suite", {"name": name, "question": question, "primary_metric": "lifetime_return"}), *body])
    parse_suite(text, path="request")  # where it is wrong there is no file to point to
    path = results / "studies" / name / "suite.toml"
    suite = parse_suite(text, path=str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, lambda file: file.write(text.encode()))
    return suite


def _text(tables: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """TOML of tables by their headings, a line per key: it is there to be read and changed."""
    import tomli_w

    lines = []
    for heading, table in tables:
        if not table:
            continue
        rows = (
            # tomli_w puts every element of a list on a line of its own
            f"{key} = {json.dumps(value)}\n" if key == "seeds" else tomli_w.dumps({key: value})
            for key, value in table.items()
        )
        lines.append(f"[{heading}]\n{''.join(rows)}")
    return "\n".join(lines)


def _plain(name: str) -> str:
    """A name as a file's or a sequence's: what these may not hold becomes a dash."""
    return file_name(re.sub(r"[^A-Za-z0-9_.+-]+", "-", name))
