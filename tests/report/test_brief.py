"""The short report on a terminal: what somebody wants to know first, and no more."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gtr_bench.cli.main import execute
from gtr_bench.report.blocks import grid
from gtr_bench.report.build import build_report
from gtr_bench.report.fit import column_widths
from gtr_bench.report.model import Report
from gtr_bench.report.next import CommandLine
from gtr_bench.report.sections.tables import MOST_ROWS
from gtr_bench.report.terminal import render_brief, render_terminal, terminal_text
from gtr_bench.suite.expand import Job
from gtr_bench.suite.load import parse_suite

from .conftest import SUITE
from .made_up import Point, made_up

Fill = Callable[..., Path]

LEVEL = {"ppo": 0.5, "ppo_kl": 0.52, "spo": 0.3, "gtr": 0.8}
CLAIM = """
[[claim]]
id = "{id}"
better = "gtr"
than = "{than}"
metric = "{metric}"
direction = "higher"
"""
DEFAULT = CommandLine()
FOUR = (
    SUITE.replace("references = true\n", "").replace('"recovery_steps"', '"lifetime_return"')
    + '\n[[algorithm]]\nid = "ppo_kl"\n\n[[algorithm]]\nid = "spo"\n'
    + CLAIM.format(id="gtr_beats_ppo", than="ppo", metric="phase_auc")
    + CLAIM.format(id="gtr_beats_spo_everywhere", than="spo", metric="phase_auc")
    + CLAIM.format(id="gtr_adapts_better_than_the_plain_penalty", than="ppo_kl", metric="phase_final")
)


def formula(point: Point) -> tuple[float, float | None]:
    """Some algorithms are better, seeds differ, later points are higher."""
    level = LEVEL[point.job.algorithm] + 0.05 * ((7 * point.job.seed + len(point.job.algorithm)) % 5 - 2)
    return 400 * level * point.share, None


@pytest.fixture
def four(tmp_path: Path) -> Path:
    """Two environments and four algorithms, with a job that failed and three missing."""
    results = made_up(tmp_path / "results", FOUR, formula)
    jobs = [job for job in parse_suite(FOUR, path="swap.toml", scale="laptop").jobs() if job.algorithm == "spo"]
    for job in jobs[1:4]:
        shutil.rmtree(results / "jobs" / job.id)
    fail(results, jobs[0])
    return results


def fail(results: Path, job: Job) -> None:
    """Turn a finished job into one that failed."""
    (results / "jobs" / job.id / "job.parquet").unlink()
    failure = {"reason": "oom", "message": "the worker was killed, probably because the memory was full"}
    (results / "jobs" / job.id / "failure.json").write_text(json.dumps(failure))


def of(results: Path, **options: object) -> Report:
    return build_report([results], **options)  # type: ignore[arg-type]


def test_two_environments_and_four_algorithms_take_forty_lines_at_a_hundred_columns(four: Path) -> None:
    text = render_brief(of(four), DEFAULT, width=100)
    assert len(text.splitlines()) <= 40, text
    for said in ("gtr_beats_spo_everywhere", "lifetime_return (primary metric", "cartpole_swap", "acrobot_swap"):
        assert said in text
    assert all(text.count(f"{name} ") >= 2 for name in LEVEL)
    assert re.search("acrobot_swap +spo +run +missing|cartpole_swap +spo +run +missing", text)
    assert "next: gtr-bench run swap.toml" in text


@pytest.mark.parametrize("metric_names", [[], ["phase_auc", "drop"]])
def test_what_it_does_not_show_is_not_computed_and_changes_no_byte(four: Path, metric_names: list[str]) -> None:
    short = of(four, brief=True, metric_names=metric_names)
    whole = of(four, metric_names=metric_names)
    assert render_brief(short, DEFAULT) == render_brief(whole, DEFAULT)
    for few, all_of_it in zip(
        short.suites[0].tables, whole.suites[0].tables[: len(short.suites[0].tables)], strict=True
    ):
        assert [(each.algorithm, each.mean, each.iqm) for each in few.aggregates] == [
            (each.algorithm, each.mean, None) for each in all_of_it.aggregates
        ]
        assert few.aggregates
        assert not few.profiles
    assert {"mechanism", "relaxation"} <= set(whole.suites[0].sections)
    assert not {"mechanism", "relaxation"} & set(short.suites[0].sections)


def test_the_rest_is_in_full_and_in_every_other_format(
    fill: Fill, jobs: list[Job], capsys: pytest.CaptureFixture[str]
) -> None:
    results = str(fill(jobs))
    texts = {}
    for name in ("", "--full", "--format=markdown", "--format=latex"):
        assert execute(["report", results, *[name] * bool(name)]) == 0
        texts[name] = capsys.readouterr().out
    short = texts.pop("")
    for words in ("exact paired sign-flip permutation", "finished jobs", "over all environments"):
        assert words not in short
        assert all(words in text for text in texts.values())
    assert len(short.splitlines()) < len(texts["--full"].splitlines())


def test_numbers_have_three_digits_and_the_full_report_four(fill: Fill, jobs: list[Job]) -> None:
    report = of(fill(jobs))
    (suite,) = report.suites
    cell = suite.tables[0].cells[0]
    assert f"{cell.value:,.0f} [" in render_brief(report, DEFAULT)
    digits = re.compile(r"-?\d[\d,]*\.\d+|-?\d[\d,]*")
    row = next(line for line in render_brief(report, DEFAULT).splitlines() if line.startswith("gtr vs ppo"))
    shown = [each.replace(",", "").replace("-", "").lstrip("0.").replace(".", "") for each in digits.findall(row)[:3]]
    assert all(len(each.rstrip("0")) <= 3 for each in shown), row


@pytest.mark.parametrize("full", [True, False])
def test_each_footnote_stands_once(fill: Fill, jobs: list[Job], *, full: bool) -> None:
    report = of(fill(jobs), metric_names=["lifetime_return", "phase_auc", "drop"])
    text = render_terminal(report) if full else render_brief(report, DEFAULT)
    for words in ("better than every other algorithm of its environment", "not separated from the best", "†  *gtr is"):
        assert len(re.findall(words, text)) <= 1, words
    assert "phase_auc: mean over the phases" in text
    twice = replace(report, suites=report.suites * 2)
    text = render_terminal(twice) if full else render_brief(twice, DEFAULT)
    assert text.count("phase_auc: mean over the phases") == 1


def test_only_the_primary_metric_is_shown_or_those_asked_for(fill: Fill, jobs: list[Job]) -> None:
    results = fill(jobs)
    assert re.findall(r"(\w+) \((?:primary )?metric", render_brief(of(results), DEFAULT)) == ["recovery_steps"]
    asked = of(results, metric_names=["lifetime_return", "drop"])
    assert re.findall(r"(\w+) \(metric", render_brief(asked, DEFAULT)) == ["lifetime_return", "drop"]


def test_of_many_cells_the_means_are_shown_by_environment(fill: Fill, jobs: list[Job]) -> None:
    report = of(fill(jobs))
    (suite,) = report.suites
    table = suite.tables[0]
    many = tuple(
        replace(cell, sequence=f"{cell.sequence}_{number}") for number in range(MOST_ROWS) for cell in table.cells
    )
    sections = {**suite.sections, "tables": (replace(table, cells=many),)}
    text = render_brief(replace(report, suites=(replace(suite, sections=sections),)), DEFAULT, width=100)
    (first,) = [line for line in text.splitlines() if line.startswith("environment, mean")]
    assert first.split() == ["environment,", "mean", "ppo", "gtr", "†"]
    assert len([line for line in text.splitlines() if line.startswith("acrobot_swap_")]) == MOST_ROWS


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_no_width_cuts_a_word_or_a_number_and_only_commands_are_longer(four: Path, width: int) -> None:
    report = of(four)
    text, whole = (render_brief(report, DEFAULT, width=each) for each in (width, 400))
    told = set(re.findall(r"\S+", " ".join(re.findall("^too narrow for: .*$", text, flags=re.MULTILINE))))
    assert set(text.split()) - set(whole.split()) <= told
    assert bool(told) == (width < 100)
    assert told or set(text.split()) == set(whole.split())
    long = [line for line in text.splitlines() if len(line) > width]
    assert all("gtr-bench" in line for line in long), long


def test_commands_are_never_broken_so_that_they_can_be_copied(four: Path) -> None:
    text = render_brief(of(four), CommandLine((Path("a folder"), Path("b")), "my suite.toml"), width=40)
    lines = [line for line in text.splitlines() if ": gtr-bench" in line]
    assert shlex.split(lines[0])[1:] == ["gtr-bench", "run", "swap.toml", "--results", "a folder"]
    full = shlex.split(lines[1].partition(": ")[2])
    assert full == ["gtr-bench", "report", "a folder", "b", "--suite", "my suite.toml", "--full"]


def command(report: Report, asked: CommandLine = DEFAULT) -> str:
    """What the report says to type next."""
    (found,) = re.findall("^next: (.*)$", render_brief(report, asked), flags=re.MULTILINE)
    return str(found)


def test_the_next_command_follows_from_what_is_missing_failed_small_or_undecided(fill: Fill, jobs: list[Job]) -> None:
    report = of(fill(jobs))
    (suite,) = report.suites

    def changed(**changes: object) -> Report:
        return replace(report, suites=(replace(suite, **{"smoke": False, **changes}),))  # type: ignore[arg-type]

    (claim,) = suite.claims
    undecided = {**suite.sections, "claims": (replace(claim, verdict="undecided"),)}
    decided = {**suite.sections, "claims": (replace(claim, verdict="supported"),)}
    assert command(changed(sections=decided)) == "gtr-bench report --suite swap --format html --out report.html"
    assert command(changed(sections=undecided)) == "gtr-bench report --suite swap --explain 'gtr vs ppo'"
    assert command(changed(sections=undecided, smoke=True)) == "gtr-bench plan swap.toml --scale full"
    assert command(changed(jobs={"missing": 2}, smoke=True)) == "gtr-bench run swap.toml"
    assert command(changed(jobs={"missing": 2}, scale="full")) == "gtr-bench run swap.toml --scale full"


def test_a_failed_job_is_looked_into_in_its_folder(fill: Fill, jobs: list[Job]) -> None:
    results = fill(jobs)
    fail(results, jobs[0])
    assert command(of(results), CommandLine((results,))) == f"gtr-bench logs {jobs[0].id} --results {results}"


def test_columns_take_the_room_where_it_saves_lines() -> None:
    table = grid("", ("name", "a long heading", "n"), [("one two three", "1.00 [0.50, 1.50]", "8")] * 3)
    assert column_widths(table, 80) == [13, 17, 1]
    assert column_widths(table, 16) is None
    for width in range(17, 35):
        widths = column_widths(table, width)
        assert widths is not None
        text = terminal_text([table], width=width, colour=False)
        assert max(map(len, text.splitlines())) <= width
        assert set(text.split()) == {"name", "a", "long", "heading", "n", "one", "two", "three", "1.00", "[0.50,",
                                     "1.50]", "8"}  # fmt: skip


def test_a_column_without_room_is_left_out_and_named() -> None:
    table = grid("", ("name", "number", "remark"), [("x" * 20, "1", "y" * 20)], optional=("remark", "number"))
    shown = {width: terminal_text([table], width=width, colour=False).splitlines() for width in (60, 30, 22, 10)}
    assert shown[60] == [f"{'name':20}  number  remark", f"{'x' * 20}  1       {'y' * 20}"]
    assert shown[30] == [f"{'name':20}  number", f"{'x' * 20}  1", "too narrow for: remark"]
    assert " ".join(shown[22][-2:]) == "too narrow for: remark, number"
    assert "y" * 20 not in shown[22]
    assert "y" * 10 in shown[10]


def test_results_are_named_by_an_argument_or_an_option(
    fill: Fill, jobs: list[Job], capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = str(fill(jobs[:10], name="one")), str(fill(jobs[10:], name="two"))
    for command in (["report", "--json"], ["export", "--what", "jobs", "--out"]):
        texts = []
        for number, given in enumerate(([one, two], ["--results", one, "--results", two], [one, "--results", two])):
            out = [f"{one}{number}.csv"] * (command[0] == "export")
            assert execute([*command, *out, *given]) == 0
            texts.append(Path(out[0]).read_text() if out else capsys.readouterr().out)
        assert texts[0] == texts[1] == texts[2]
        assert len(texts[0]) > 1000
