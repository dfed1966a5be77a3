"""Messages follow docs/style.md, as far as a machine can tell from the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gtr_bench.errors

PACKAGE = Path(gtr_bench.errors.__file__).parent
SENTENCES = {"GtrBenchError", "RequestError", "ResultsError", "JobError", "EnvironmentFault", "Problem", "Misfit"}
BARE_COMMAND = re.compile(r"pip install [^`]*")
LITERAL = re.compile(r"`[^`]*`")


def text_of(node: ast.expr) -> str | None:
    """A literal or formatted string as written, with `{}` for what is put in; None for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return (text_of(node.left) or "{}") + (text_of(node.right) or "{}")
    return None


def texts_of(node: ast.expr) -> Iterator[str]:
    """The texts an argument may be: both of a conditional expression."""
    for branch in (node.body, node.orelse) if isinstance(node, ast.IfExp) else (node,):
        found = text_of(branch)
        if found is not None:
            yield found


def messages() -> Iterator[tuple[str, str, str]]:
    """(kind, place, text) of every sentence, hint and help in the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            place = f"{path.relative_to(PACKAGE.parent)}:{node.lineno}"
            found: list[tuple[str, ast.expr]] = []
            if name in SENTENCES:
                found += [("sentence", argument) for argument in node.args]
            if name == "add" and "problems" in ast.unparse(node.func):
                found += list(zip(("sentence", "hint"), node.args[1:], strict=False))
            found += [(each.arg, each.value) for each in node.keywords if each.arg in {"hint", "help"}]
            for kind, argument in found:
                for text in texts_of(argument):
                    yield kind, place, text


def complaints(kind: str, text: str) -> list[str]:
    """What docs/style.md has against a text."""
    plain = LITERAL.sub("`", text)
    found = []
    if kind == "help":
        head = text.partition("  [")[0]
        if not (head[:1].isupper() and head.endswith(".")):
            found.append("help begins with a capital letter and ends with a full stop")
        return found
    if text.endswith((".", "!", ":")) and not text.endswith("..."):
        found.append("no full stop at the end")
    if text[:1].isupper() and not text.startswith("NVML"):
        found.append("begins in lower case")
    if kind == "hint" and BARE_COMMAND.fullmatch(text):
        return found
    if re.search(r"gtr-bench |(?<![\w-])--\w|=\s*\"", plain):
        found.append("what can be typed stands in backticks")
    if "'" in re.sub(r"\w'\w|s' ", "", plain) or "  " in plain:
        found.append("no quotes but backticks, no double spaces")
    return found


def test_messages_follow_the_style() -> None:
    found = list(messages())
    assert {kind for kind, _, _ in found} == {"sentence", "hint", "help"}
    assert len(found) > 150
    wrong = [f"{place}: {complaint}: {text}" for kind, place, text in found for complaint in complaints(kind, text)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("sentence", "there is no suite."),
        ("sentence", "There is no suite"),
        ("sentence", "the option --jobs is wrong"),
        ("sentence", "unknown suite 'x'"),
        ("hint", "try gtr-bench doctor"),
        ("help", "where to write"),
        ("help", "Where to write"),
    ],
)
def test_the_check_finds_what_is_wrong(kind: str, text: str) -> None:
    assert complaints(kind, text)


def test_exit_codes_of_the_page_are_those_of_the_program() -> None:
    page = (PACKAGE.parent / "docs" / "style.md").read_text(encoding="utf-8")
    listed = [int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)]
    explained = ast.get_docstring(ast.parse((PACKAGE / "cli" / "failures.py").read_text(encoding="utf-8"))) or ""
    assert listed == [0, 1, 2, 3, 130, 141]
    assert all(re.search(rf"\b{code}\b", explained) for code in listed)
