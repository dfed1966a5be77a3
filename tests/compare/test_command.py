"""`gtr-bench compare` from the outside: streams, exit codes, formats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gtr_bench.cli.main import execute
from tests.helpers import execute_light

from .conftest import NEW, Fill, jobs_of
from .test_compare import lower

PPO = jobs_of(keep="ppo")
Capture = pytest.CaptureFixture[str]


def test_the_table_is_data_and_the_summary_is_not(fill: Fill, capsys: Capture) -> None:
    assert execute(["compare", fill("a", PPO), fill("b", PPO)]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("a -> b\n")
    assert captured.err == "compared 1 cell: 1 identical\n"


def test_a_regression_is_exit_1_in_every_format(fill: Fill, capsys: Capture) -> None:
    a, b = fill("a", PPO), fill("b", PPO, bend=lower)
    texts = {}
    for name in ("terminal", "markdown", "json"):
        assert execute(["compare", a, b, "--format", name]) == 1
        texts[name] = capsys.readouterr().out
    (cell,) = json.loads(texts["json"])["cells"]
    assert cell["verdict"] == "worse"
    for name in ("terminal", "markdown"):
        assert f"{cell['metrics'][0]['difference']:.2f}" in texts[name]
    assert execute(["compare", a, b, "--json"]) == 1
    assert capsys.readouterr().out == texts["json"]
    assert execute(["compare", b, a]) == 0
    assert execute(["compare", a, b, "--margin", "50"]) == 0
    assert execute(["compare", a, b, "--alpha", "0.001"]) == 3


@pytest.mark.parametrize("name", ["terminal", "markdown", "json"])
def test_equal_results_give_the_same_bytes(
    fill: Fill, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    texts = []
    for folder, jobs in (("one", jobs_of()), ("two", jobs_of()[::-1])):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        assert execute(["compare", fill("a", jobs), fill("b", jobs, bend=lower), "-f", name, "--out", "out"]) == 1
        texts.append(Path("out").read_bytes())
    assert texts[0] == texts[1]
    assert capsys.readouterr().out == ""


def test_two_commits_are_compared_in_several_folders(fill: Fill, capsys: Capture) -> None:
    fill("one", PPO)
    fill("two", PPO, sha=NEW, bend=lower)
    assert execute(["compare", "0123", "fedc", "--results", "one", "--results", "two"]) == 1
    assert capsys.readouterr().out.startswith("commit 0123456789ab -> commit fedcba987654\n")


@pytest.mark.parametrize(
    "options", [["--alpha", "0"], ["--alpha", "1"], ["--alpha", "nan"], ["--margin", "-1"], ["--margin", "nan"]]
)
def test_a_level_or_margin_that_is_none_is_refused(fill: Fill, capsys: Capture, options: list[str]) -> None:
    a = fill("a", PPO[:1])
    assert execute(["compare", a, a, *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"error: `{options[0]} {options[1]}` should")


def test_comparing_imports_neither_torch_nor_pandas_nor_a_simulator(fill: Fill) -> None:
    both = jobs_of()
    a, b = fill("a", both), fill("b", both, bend=lower)
    done = execute_light("compare", a, b, "--json")
    assert done.returncode == 1, done.stderr
    assert done.stderr == "compared 2 cells: 2 worse\n"
