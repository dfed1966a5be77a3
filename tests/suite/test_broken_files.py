"""Whatever stands in a suite file, the answer is a suite or a list of problems."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gtr_bench.errors import Problem, SuiteError
from gtr_bench.suite import group, parse_suite, render_suite_error, shipped_suites

TREES = [tomllib.loads(file.read_text()) for file in shipped_suites().values()]
WRONG: list[Any] = [
    0, -1, 3, 1.5, float("nan"), float("inf"), 10**30, True, "", "x", "gym:CartPole-v1", "é\u2028",
    [], [1], ["a"], [[]], [["gtr"]], {}, {"a": 1}, [{}], [{"a": 1}],
]  # fmt: skip


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    return repr(value)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return ([path] if path else []) + [place for key, item in items for place in _places(item, (*path, key))]


@st.composite
def broken(draw: Callable[[Any], Any]) -> str:
    """A shipped suite with one to three values replaced, taken away or added."""
    tree: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(TREES)))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(_places(tree) or [("suite",)]))
        table: Any = tree
        for key in place[:-1]:
            table = table[key]
        change = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
        if change == "remove" and (isinstance(table, list) or place[-1] in table):
            del table[place[-1]]
        elif change == "add" and isinstance(table, dict):
            table["added"] = copy.deepcopy(draw(st.sampled_from(WRONG)))
        else:
            table[place[-1]] = copy.deepcopy(draw(st.sampled_from(WRONG)))
    return "\n".join(f"{json.dumps(key)} = {_toml(value)}" for key, value in tree.items())


def _problems(text: str) -> list[Problem]:
    """What is wrong with a suite; nothing when it loads, and then its jobs form cohorts."""
    try:
        suite = parse_suite(text, path="broken.toml")
    except SuiteError as error:
        return error.problems
    assert group(suite.jobs()[:50], slots=2)
    return []


@settings(max_examples=40, deadline=None)
@given(broken())
def test_a_broken_suite_is_refused_with_places_or_loads(text: str) -> None:
    problems = _problems(text)
    for problem in problems:
        assert 0 <= problem.line <= len(text.split("\n"))
        assert problem.sentence
        assert not problem.sentence.endswith(".")
    rendered = render_suite_error(SuiteError("broken.toml", text, problems))
    assert rendered.count("broken.toml") >= len(problems)
