"""A suite's problems as plain text: each with its place, the line of the file under it, and a hint."""

from __future__ import annotations

from gtr_bench.errors import Problem, SuiteError

__all__ = ["render_suite_error"]

WIDTH = 120


def render_suite_error(error: SuiteError) -> str:
    """Every problem as `file:line:column: sentence`, the source line, a caret, and `hint: ...`; blank lines between."""
    lines = error.source.split("\n")
    return "\n\n".join(_render(problem, error.path, lines) for problem in error.problems)


def _render(problem: Problem, path: str, lines: list[str]) -> str:
    place = f"{path}:{problem.line}:{problem.column}" if problem.line else path
    rows = [f"{place}: {problem.sentence}"]
    if 0 < problem.line <= len(lines) and lines[problem.line - 1].strip():
        # Tabs become single spaces, so that the caret stands under its column in every terminal.
        text = lines[problem.line - 1].replace("\t", " ").rstrip()
        start = max(0, problem.column - WIDTH // 2) if len(text) > WIDTH else 0
        number = f"{problem.line:>5} | "
        rows.append(number + text[start : start + WIDTH])
        rows.append(" " * (len(number) - 2) + "| " + " " * (problem.column - 1 - start) + "^")
    if problem.hint:
        rows.append(f"hint: {problem.hint}")
    return "\n".join(rows)
