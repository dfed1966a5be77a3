"""The package's own modules import each other in no circle, and at the top of a file unless that puts something off."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

Graph = Mapping[str, frozenset[str]]


def modules() -> dict[str, Path]:
    """Dotted name -> file."""
    found = {}
    for path in (ROOT / "gtr_bench").rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(tree: ast.AST, known: frozenset[str], *, inside: bool = False) -> Iterator[tuple[str, bool]]:
    """(module, whether a function imports it); what is there for the type checker alone is left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = [f"{node.module}.{each.name}" for each in node.names]
            names = [name if name in known else node.module for name in whole]
        yield from ((name, inside) for name in names if name in known)
        yield from imports(node, known, inside=inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@cache
def graphs() -> tuple[Graph, Graph]:
    """What each module imports at its top, and what its functions do."""
    files = modules()
    known = frozenset(files)
    found = {name: list(imports(ast.parse(path.read_text("utf-8")), known)) for name, path in files.items()}
    top, inner = (
        {name: frozenset(module for module, inside in edges if inside is deep) for name, edges in found.items()}
        for deep in (False, True)
    )
    return top, inner


def reached(graph: Graph, start: str) -> frozenset[str]:
    """Every module that importing `start` imports; `start` itself only in a circle."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for name in graph[waiting.pop()] - seen:
            seen.add(name)
            waiting.append(name)
    return frozenset(seen)


def circles(graph: Graph) -> set[str]:
    """The modules that import themselves by way of others."""
    return {name for name in graph if name in reached(graph, name)}


def test_a_circle_is_found_when_there_is_one() -> None:
    graph = {"a": frozenset({"b"}), "b": frozenset({"c"}), "c": frozenset({"b"}), "d": frozenset({"a"})}
    assert circles(graph) == {"b", "c"}


def test_imports_in_functions_are_told_from_those_at_the_top() -> None:
    code = "import a.b\nfrom a import c, d\nif TYPE_CHECKING:\n    import a.e\ndef f():\n    from a.e import g\n"
    known = frozenset({"a", "a.b", "a.c", "a.e"})
    assert list(imports(ast.parse(code), known)) == [("a.b", False), ("a.c", False), ("a", False), ("a.e", True)]


def test_no_module_imports_itself_by_way_of_others_not_even_inside_functions() -> None:
    top, inner = graphs()
    assert circles(top) == set()
    assert circles({name: top[name] | inner[name] for name in top}) == set()


@pytest.mark.parametrize("name", sorted(modules()))
def test_an_import_inside_a_function_puts_something_off(name: str) -> None:
    top, inner = graphs()
    assert sorted(inner[name] & reached(top, name)) == []
