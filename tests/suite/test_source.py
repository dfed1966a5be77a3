from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtr_bench.errors import SuiteError
from gtr_bench.suite.source import parse_source

TEXT = '''# a comment with [brackets] and = signs
[suite]
name = "x" # trailing
"quoted key" = 1
a.b . c = [1, # one
  { d = 2, e.f = """
multi "quoted" line
""" }, [3]]

[[algorithm]]
id = 'ppo'
[algorithm.grid]
sigma = [0.1, 0.2]

[[algorithm]]
id = "gtr"
sigma = 0.5
'''


def test_keys_and_values_of_every_syntax_have_their_places() -> None:
    source = parse_source(TEXT, "x.toml")
    assert source.keys[("suite",)] == (2, 2)
    assert source.values[("suite",)] == (2, 1)
    assert source.keys[("suite", "name")] == (3, 1)
    assert source.values[("suite", "name")] == (3, 8)
    assert source.keys[("suite", "quoted key")] == (4, 1)
    assert source.keys[("suite", "a", "b", "c")] == (5, 7)
    assert source.values[("suite", "a", "b", "c", 0)] == (5, 12)
    assert source.keys[("suite", "a", "b", "c", 1, "e", "f")] == (6, 14)
    assert source.values[("suite", "a", "b", "c", 2, 0)] == (8, 9)
    assert source.values[("algorithm", 0)] == (10, 1)
    assert source.keys[("algorithm", 0, "grid", "sigma")] == (13, 1)
    assert source.values[("algorithm", 1, "sigma")] == (17, 9)


def test_a_path_that_is_not_in_the_text_gets_the_place_of_its_nearest_parent() -> None:
    source = parse_source(TEXT, "x.toml")
    assert source.value_place(("algorithm", 1, "missing", 0)) == (15, 3)
    assert source.key_place(("nothing",)) == (0, 0)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("a = 1\nb = = 2\n", 2, 5), ("a = 1\na = 2\n", 2, 6), ("[a\n", 1, 3), ("a = [1,\n", 2, 1), ('a = "x', 1, 7)],
)
def test_a_syntax_error_is_a_problem_with_its_place(text: str, line: int, column: int) -> None:
    with pytest.raises(SuiteError) as caught:
        parse_source(text, "x.toml")
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (line, column)
    assert problem.sentence.startswith("not valid TOML: ")


def test_nesting_beyond_the_parser_is_a_problem_not_a_crash() -> None:
    with pytest.raises(SuiteError, match="1 problem"):
        parse_source("a = " + "[" * 20_000 + "]" * 20_000, "x.toml")


def test_windows_line_ends_do_not_move_places() -> None:
    assert parse_source("a = 1\r\nb = 2\r\n", "x.toml").values[("b",)] == (2, 5)


# --- property: every leaf of any generated tree has a place whose text is its key ---

_names = st.text(min_size=1, max_size=6)
_scalars = st.one_of(
    st.integers(-(2**40), 2**40), st.booleans(), st.text(max_size=12), st.floats(allow_nan=False, allow_infinity=False)
)
_values = st.recursive(_scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3))
_tables = st.dictionaries(_names, _values, max_size=4)


def _string(text: str, style: str) -> str:
    if style == "literal" and "'" not in text and text.isprintable():
        return f"'{text}'"
    escaped = "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in text)
    return f'"""\n{escaped}"""' if style == "multiline" else f'"{escaped}"'


def _render(value: Any, draw: Callable[[Any], Any]) -> str:
    gap: str = draw(st.sampled_from(["", " ", "\t"]))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        style: str = draw(st.sampled_from(["basic", "literal", "multiline"]))
        return _string(value, style)
    if isinstance(value, list):
        separator: str = draw(st.sampled_from([",", ", ", ",\n", ", # comment ]\n"]))
        return "[" + gap + separator.join(_render(item, draw) for item in value) + gap + "]"
    if isinstance(value, dict):
        return "{" + gap + ", ".join(f"{_key(k, draw)}{gap}={gap}{_render(v, draw)}" for k, v in value.items()) + "}"
    return repr(value)


def _key(name: str, draw: Callable[[Any], Any]) -> str:
    bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if bare and draw(st.booleans()) else _string(name, draw(st.sampled_from(["basic", "literal"])))


@st.composite
def documents(draw: Any) -> str:
    lines: list[str] = []
    for header, array in draw(st.lists(st.tuples(_names, st.booleans()), max_size=4, unique_by=lambda item: item[0])):
        for _ in range(draw(st.integers(1, 3)) if array else 1):
            name = _key(header, draw)
            lines.append(f"[[{name}]]" if array else f"[ {name} ] # note")
            for key, value in draw(_tables).items():
                lines.append(f"{_key(key, draw)} = {_render(value, draw)}")
            lines.extend(draw(st.sampled_from([[], [""], ["# x = 1"]])))
    return "\n".join(lines)


def _leaves(tree: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return ([path] if path else []) + [leaf for key, value in items for leaf in _leaves(value, (*path, key))]


@settings(max_examples=40, deadline=None)
@given(documents())
def test_every_key_and_value_of_any_document_is_found_where_it_stands(text: str) -> None:
    source = parse_source(text, "x.toml")
    assert source.tree == tomllib.loads(text)
    lines = source.text.split("\n")
    paths = _leaves(source.tree)
    assert set(paths) == set(source.keys) == set(source.values)
    for path in paths:
        line, column = source.keys[path]
        rest = lines[line - 1][column - 1 :]
        if isinstance(path[-1], str):
            opening = rest[0]
            if opening in "\"'":
                closing = next(i for i in range(1, len(rest)) if rest[i] == opening)
                assert tomllib.loads(f"key = {rest[: closing + 1]}")["key"] == path[-1]
            else:
                assert rest.startswith(path[-1])
        value: Any = source.tree
        for part in path:
            value = value[part]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            line, column = source.values[path]
            assert lines[line - 1][column - 1 :].startswith(repr(value))
