"""The public Python interface: exactly these names, light to import, the numbers of the command line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import gtr_bench
from gtr_bench.cli.main import execute
from gtr_bench.errors import RequestError, UnknownNameError
from gtr_bench.report import layout
from gtr_bench.report.blocks import Grid
from gtr_bench.report.build import build_report
from gtr_bench.report.figures.suites import suites_chart
from gtr_bench.suite.expand import Job

Fill = Callable[..., Path]
GUIDE = Path(__file__).parents[2] / "docs" / "python.md"


def test_the_public_names_are_exactly_these_and_all_exist() -> None:
    assert gtr_bench.__all__ == [
        "Policy",
        "Report",
        "Results",
        "__version__",
        "load",
        "load_policy",
        "render",
        "report",
    ]
    assert all(getattr(gtr_bench, name) is not None for name in gtr_bench.__all__)
    assert set(gtr_bench.__all__) <= set(dir(gtr_bench))
    with pytest.raises(AttributeError, match="no attribute `lod`"):
        gtr_bench.lod  # noqa: B018


def test_the_guide_names_every_public_name() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert all(f"gtr_bench.{name}" in text for name in gtr_bench.__all__)


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, gtr_bench; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pandas", "torch", "numpy", "pyarrow", "pydantic", "typer"} & set(done.stdout.split())


def test_frames_hold_the_rows_of_all_jobs_with_their_labels(fill: Fill, jobs: list[Job]) -> None:
    results = gtr_bench.load(fill(jobs[:4]))
    assert set(results.jobs["job"]) == {job.id for job in jobs[:4]}
    assert results.evaluations.groupby("job").size().nunique() >= 1
    assert {"sequence", "algorithm", "seed", "return_mean", "parameter.gamma"} <= set(results.evaluations.columns)
    assert results.iterations["exact_kl"].tolist() == pytest.approx([0.01] * 20)
    assert results.jobs is results.jobs


def test_a_folder_without_results_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no jobs"):
        gtr_bench.load(tmp_path)


def test_the_report_is_the_command_lines_whether_or_not_its_modules_were_imported(
    fill: Fill,
    jobs: list[Job],
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = fill(jobs)
    assert execute(["report", str(results), "--json"]) == 0
    expected = capsys.readouterr().out
    assert gtr_bench.render(gtr_bench.report(str(results)), "json") == expected
    code = f"import gtr_bench; print(gtr_bench.render(gtr_bench.report({str(results)!r}), 'json'), end='')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads(expected)
    assert isinstance(gtr_bench.report(results), gtr_bench.Report)


def test_an_unknown_format_is_refused_with_a_suggestion(fill: Fill, jobs: list[Job]) -> None:
    with pytest.raises(UnknownNameError) as caught:
        gtr_bench.render(gtr_bench.report(fill(jobs[:2])), "markdwn")
    assert caught.value.hint == "did you mean `markdown`?"


@pytest.mark.parametrize(
    ("asked", "sentence", "hint"),
    [
        ({"metrics": ["lifetime_retrun"]}, "unknown metric `lifetime_retrun`", "did you mean `lifetime_return`?"),
        ({"metrics": "lifetime_retrun"}, "unknown metric `lifetime_retrun`", "did you mean `lifetime_return`?"),
        ({"baseline": "pppo"}, "unknown algorithm `pppo`", "did you mean `ppo`?"),
        ({"environments": ["acrobot_swop"]}, "unknown environment `acrobot_swop`", "did you mean `acrobot_swap`?"),
        ({"suite": "swop"}, "unknown suite `swop`", "did you mean `swap`?"),
    ],
)
def test_a_wrong_name_is_answered_by_the_nearest_one(
    fill: Fill, jobs: list[Job], asked: dict[str, Any], sentence: str, hint: str
) -> None:
    with pytest.raises(UnknownNameError) as caught:
        gtr_bench.report(fill(jobs[:4]), **asked)
    assert (caught.value.sentence, caught.value.hint) == (sentence, hint)


def test_one_metric_may_be_given_by_its_name_alone(fill: Fill, jobs: list[Job]) -> None:
    folder = fill(jobs[:4])
    assert gtr_bench.report(folder, metrics="phase_auc") == gtr_bench.report(folder, metrics=["phase_auc"])


class _Tags(HTMLParser):
    """Which tags a fragment has, each closed where it should be, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.open.append(tag)
        assert not [name for name, _ in attributes if name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_a_notebook_shows_all_tables_and_claims_of_a_report_without_scripts(fill: Fill, jobs: list[Job]) -> None:
    report = gtr_bench.report(fill(jobs))
    shown = _Tags(report._repr_html_())
    assert not {"script", "style", "html", "head", "body", "svg", "button"} & set(shown.seen)
    blocks = list(layout.blocks(report))
    assert shown.seen.count("table") == sum(isinstance(block, Grid) for block in blocks) > 3
    assert shown.seen.count("details") == sum(block.detail for block in blocks if isinstance(block, Grid))
    for block in blocks:
        for entry in (each for row in block.rows for each in row) if isinstance(block, Grid) else ():
            assert entry.text in shown.words
    (suite,) = report.suites
    assert all(claim.id in shown.words for claim in suite.claims)


def test_a_notebook_takes_no_text_of_a_report_for_markup(fill: Fill, jobs: list[Job]) -> None:
    report = gtr_bench.report(fill(jobs[:4]))
    evil = replace(report.suites[0], question="<script>alert(1)</script> & <b>")
    shown = replace(report, suites=(evil,))._repr_html_()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;" in shown
    assert "<script" not in shown


def test_a_report_draws_for_a_notebook_what_the_page_and_plot_draw(fill: Fill, jobs: list[Job], tmp_path: Path) -> None:
    folder = fill(jobs[:4])
    figure = gtr_bench.report(folder).plot()
    content, size = figure._repr_mimebundle_()
    (built,) = build_report([folder], curves=True).suites
    assert content["application/vnd.vegalite.v6+json"] == suites_chart([built], "curves").titled
    png = b64decode(content["image/png"])
    assert size["image/png"]["width"] * 2 == int.from_bytes(png[16:20])
    for suffix, begin in ((".png", png), (".svg", b"<svg"), (".pdf", b"%PDF"), (".html", b"<!doctype html>")):
        figure.save(tmp_path / f"figure{suffix}")
        assert (tmp_path / f"figure{suffix}").read_bytes().startswith(begin)
    page = (tmp_path / "figure.html").read_text(encoding="utf-8")
    assert page.count("<figure ") == page.count("<h1 ") == 1
    assert execute(["report", str(folder), "--out", str(tmp_path / "r"), "--plot", str(tmp_path / "other.svg")]) == 0
    assert (tmp_path / "other.svg").read_bytes() == (tmp_path / "figure.svg").read_bytes()


def test_a_report_without_curves_says_how_to_get_them(fill: Fill, jobs: list[Job]) -> None:
    report = gtr_bench.report(fill(jobs[:4]), curves=False)
    with pytest.raises(RequestError, match="no learning curve to draw") as raised:
        report.plot()
    assert "`curves=False`" in str(raised.value.hint)
    with pytest.raises(UnknownNameError, match="unknown figure `curve`"):
        report.plot("curve")  # type: ignore[arg-type]


def test_a_notebook_shows_the_finished_jobs_of_results(fill: Fill, jobs: list[Job]) -> None:
    folder = fill(jobs[:4])
    shown = _Tags(gtr_bench.load(folder)._repr_html_())
    assert str(folder) in shown.words
    rows = shown.seen.count("tr") - 1
    assert rows == len({(job.suite, job.scale, job.algorithm) for job in jobs[:4]})
    assert {"suite", "scale", "algorithm", "sequences", "seeds", "jobs", "diverged"} <= set(shown.words.split())


@pytest.mark.parametrize("number", range(4))
def test_the_snippets_of_the_guide_about_results_run(
    fill: Fill,
    jobs: list[Job],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: int,
) -> None:
    snippets = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(snippets) == 5  # the last is of tests/test_policies.py
    monkeypatch.chdir(fill(jobs).parent)
    exec(compile(snippets[number], str(GUIDE), "exec"), {})
    assert "gtr" in capsys.readouterr().out
