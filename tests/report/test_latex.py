"""LaTeX that compiles: balanced, escaped, in booktabs style."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtr_bench.report.latex import _escape, render_latex
from gtr_bench.report.model import Report

from .test_render import RENDERED, REPORT


def check_balance(text: str) -> None:
    """Environments close in the order they were opened, braces balance, and every table row has its columns."""
    plain = re.sub(r"\\[\\{}$&#%_]", "", re.sub(r"^%.*", "", text, flags=re.MULTILINE))
    assert not re.search(r"[$#%^~_]", plain)
    depth = 0
    for sign in re.findall(r"[{}]", plain):
        depth += 1 if sign == "{" else -1
        assert depth >= 0
    assert depth == 0
    opened: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if kind == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert opened == []


def test_the_report_is_balanced_and_every_row_has_the_columns_of_its_table() -> None:
    text = RENDERED["report.tex"]
    check_balance(text)
    tables = re.findall(r"\\begin\{tabular\}\{(\w+)\}\n\\toprule\n(.*?)\\bottomrule", text, flags=re.DOTALL)
    assert len(tables) == 8
    for columns, body in tables:
        rows = [line for line in body.splitlines() if line != r"\midrule"]
        assert all(len(re.findall(r"(?<!\\)&", line)) + 1 == len(columns) for line in rows)
        assert all(line.endswith(r" \\") for line in rows)


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"])))
def test_any_text_is_escaped(text: str) -> None:
    check_balance(_escape(text))


def test_an_empty_report_is_still_a_fragment() -> None:
    check_balance(render_latex(Report((), "mean", REPORT.provenance)))


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_the_report_compiles(tmp_path: Path) -> None:
    document = (
        "\\documentclass{article}\\usepackage{booktabs}\\begin{document}" + RENDERED["report.tex"] + "\\end{document}"
    )
    (tmp_path / "report.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "report.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
