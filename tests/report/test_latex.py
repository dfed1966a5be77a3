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
    assert len(tables) == 11
    for columns, body in tables:
        rows = [line for line in body.splitlines() if line != r"\midrule"]
        assert all(len(re.findall(r"(?<!\\)&", line)) + 1 == len(columns) for line in rows)
        assert all(line.endswith(r" \\") for line in rows)


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"])))
def test_any_text_is_escaped(text: str) -> None:
    check_balance(_escape(text))


def test_an_empty_report_is_still_a_fragment() -> None:
    check_balance(render_latex(Report((), "mean", REPORT.provenance)))


def compile_page(fragment: str, folder: Path) -> tuple[list[str], str]:
    """The lines of an A4 page with 2 cm margins that holds the fragment, and TeX's log of it."""
    needed = re.findall(r"^% (\\usepackage\{\w+\})$", fragment, flags=re.MULTILINE)
    page = [
        r"\documentclass[a4paper]{article}",
        r"\usepackage[margin=2cm]{geometry}",
        *needed,
        r"\begin{document}",
        *fragment.splitlines(),
        r"\end{document}",
    ]
    (folder / "report.tex").write_text("\n".join(page), encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "report.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    return page, (folder / "report.log").read_text(encoding="latin-1")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize(
    "label", ["gtr[sigma=0.5]", "gtr[beta=0.25, learning_rate=0.00025, num_minibatches=32, sigma=0.5]"]
)
def test_the_report_compiles_and_its_tables_fit_on_the_page(tmp_path: Path, label: str) -> None:
    short = RENDERED["report.tex"]
    assert short.count(_escape("gtr[sigma=0.5]")) > 10
    page, log = compile_page(short.replace(_escape("gtr[sigma=0.5]"), _escape(label)), tmp_path)
    wide = re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\) .*?at lines (\d+)--(\d+)", log)
    inside = set()
    for number, line in enumerate(page, 1):
        if line.startswith(r"\begin{table}"):
            start = number
        elif line == r"\end{table}":
            inside |= set(range(start, number + 1))
    assert len(inside) > 50
    assert [each for each in wide if float(each[0]) > 1 and int(each[1]) in inside] == []


def test_a_table_is_only_shrunk_and_what_it_needs_is_named_first() -> None:
    text = RENDERED["report.tex"]
    assert text.startswith("% \\usepackage{booktabs}\n% \\usepackage{graphicx}\n")
    resized = text.count(r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{\begin{tabular}")
    assert resized == text.count(r"\begin{tabular}") > 0
