"""Published rows beside a report: with their sources, set apart, and read by nothing else."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from gtr_bench import api
from gtr_bench.cli.main import execute
from gtr_bench.errors import UnknownNameError
from gtr_bench.report.build import build_report
from gtr_bench.report.formats import FORMATS, render
from gtr_bench.report.model import Report
from gtr_bench.report.sections.published import DIFFERENT, NONE, SAME, TITLE, WARNING
from gtr_bench.suite.expand import Job
from gtr_bench.suite.load import parse_suite

from ..conftest import SUITE

SOURCE = "C-CHAIN (Tang et al., ICML 2025), tables shown in bluecontra/C-CHAIN assets"
OFFSETS = """use = "cartpole_offset"
references = true"""

Fill = Callable[..., Path]


def text_of(steps: int) -> str:
    """The suite of these tests with the named sequence in place of its first, at so many steps per phase."""
    first = SUITE[SUITE.index("[[sequence]]") : SUITE.index("[[sequence]]", SUITE.index("[[sequence]]") + 1)]
    text = SUITE.replace(first, f'[[sequence]]\nid = "cartpole_swap"\n{OFFSETS}\n\n').replace("10_000", f"{steps:_}")
    return text.replace("every = 1000", f"every = {steps // 10}")


def reported(fill: Fill, steps: int, **asked: Any) -> Report:
    text = text_of(steps)
    jobs = parse_suite(text, path="swap.toml", scale="laptop").jobs()
    return build_report([fill(jobs, text=text, name=f"results_{steps}")], also=["published"], **asked)


@pytest.fixture
def shown(fill: Fill) -> Report:
    """A report on the published worlds at another budget."""
    return reported(fill, 10_000)


def pairs_of(report: Report) -> dict[str, list[str]]:
    """Sequence -> the marks of its rows in JSON."""
    (suite,) = json.loads(render(report, "json"))["suites"]
    return {each["environment"]: [row["pair"] for row in each["rows"]] for each in suite["published"]}


def test_rows_of_another_budget_are_of_a_different_protocol(shown: Report) -> None:
    assert pairs_of(shown) == {"cartpole_swap": [DIFFERENT] * 6}
    (beside,) = shown.suites[0].published
    assert beside.budget_steps == 100_000
    assert {each.differences for each in beside.rows} == {("budget",)}


def test_rows_of_the_same_worlds_metric_and_budget_are_not_marked(fill: Fill) -> None:
    report = reported(fill, 160_000)
    assert pairs_of(report) == {"cartpole_swap": [SAME] * 6}
    (beside,) = report.suites[0].published
    assert {each.row.algorithm: each.row.value for each in beside.rows}["PPO"] == 61.766
    assert DIFFERENT not in render(report, "terminal")


def test_rows_whose_metric_is_not_shown_are_of_a_different_protocol(fill: Fill) -> None:
    report = reported(fill, 160_000, metric_names=["phase_final"])
    (beside,) = report.suites[0].published
    assert {each.differences for each in beside.rows} == {("metric not shown here",)}


@pytest.mark.parametrize("format", ["terminal", "markdown", "html", "latex"])
def test_every_format_for_people_sets_them_apart_with_source_seeds_budget_and_metric(
    shown: Report, format: str
) -> None:
    text = " ".join(re.sub(r"[\\{}]", "", render(shown, format)).split())
    assert text.index("jobs:") < text.index(TITLE) < text.index("finished job")
    part = text[text.index(TITLE) :]
    for said in (
        WARNING,
        SOURCE,
        "1,600,000",
        "C-CartPole perturbed",
        "different",
        "seeds",
        "formula could not be read",
    ):
        assert said in part, said


def test_latex_has_the_sign_of_a_spread_as_a_command(shown: Report) -> None:
    assert r"61.766 \textpm{} 6.927 (standard error)" in render(shown, "latex")


def test_in_csv_they_stand_in_columns_of_their_own(shown: Report) -> None:
    rows = list(csv.DictReader(StringIO(render(shown, "csv"))))
    own = [row for row in rows if row["published_value"]]
    assert len(own) == 6
    assert {row["published_source"] for row in own} == {SOURCE}
    assert {row["published_pair"] for row in own} == {f"{DIFFERENT}: budget"}
    assert not any(row["value"] or row["metric"] or row["algorithm"] for row in own)


def test_in_json_a_row_has_all_that_its_file_says(shown: Report) -> None:
    (suite,) = json.loads(render(shown, "json"))["suites"]
    row = next(each for each in suite["published"][0]["rows"] if each["row"]["algorithm"] == "TRAC")
    assert row["metric"] == "lifetime_return"
    assert row["row"] == {
        "source": SOURCE,
        "year": 2025,
        "domain": "gym-control",
        "environment": "C-CartPole perturbed",
        "algorithm": "TRAC",
        "metric": "lifetime average episode return",
        "value": 217.376,
        "decimals": 3,
        "spread": "26.307",
        "spread_kind": "standard error",
        "seeds": 6,
        "budget_steps": 1_600_000,
        "note": "10 perturbations x 200 iterations x 800 steps (released script); episodes cut at 400 steps",
    }


def test_nothing_else_of_a_report_changes_with_them(fill: Fill) -> None:
    text = text_of(10_000)
    results = fill(parse_suite(text, path="swap.toml", scale="laptop").jobs(), text=text)
    without, beside = (build_report([results], also=also) for also in ([], ["published"]))
    assert "published" not in without.suites[0].sections
    for format in FORMATS:
        assert "ublished" not in render(without, format).replace("published method", "")
    for name, data in without.suites[0].sections.items():
        assert beside.suites[0].sections[name] == data
    plain = [json.loads(render(each, "json")) for each in (without, beside)]
    del plain[1]["suites"][0]["published"]
    assert plain[0] == plain[1]


def test_environments_that_are_left_out_have_none(fill: Fill) -> None:
    assert reported(fill, 10_000, environments=["acrobot_swap"]).suites[0].published == ()


def test_a_suite_on_worlds_nobody_published_says_so(fill: Fill, jobs: list[Job]) -> None:
    report = build_report([fill(jobs)], also=["published"])
    assert NONE in render(report, "terminal")
    assert json.loads(render(report, "json"))["suites"][0]["published"] == []


def test_an_unknown_section_is_refused(fill: Fill, jobs: list[Job]) -> None:
    with pytest.raises(UnknownNameError, match="unknown report section `publised`"):
        build_report([fill(jobs[:1])], also=["publised"])


def test_python_and_the_command_line_ask_for_them(
    fill: Fill, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = text_of(10_000)
    results = fill(parse_suite(text, path="swap.toml", scale="laptop").jobs()[:2], text=text)
    report = api.report(results, published=True)
    assert [beside.environment for beside in report.suites[0].published] == ["cartpole_swap"]
    monkeypatch.setenv("COLUMNS", "200")
    assert execute(["report", str(results), "--published", "--format", "markdown"]) == 0
    assert capsys.readouterr().out == render(report, "markdown")
