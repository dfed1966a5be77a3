"""The same numbers of a study in every format, to the byte; names are never markup."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from gtr_bench.ablation.analysis import analyse
from gtr_bench.ablation.model import Axis, StudyRecords, StudyReport
from gtr_bench.ablation.render import FORMAT, StudyFormat, draw_response, render_study
from gtr_bench.errors import RequestError
from gtr_bench.report.figures.embed import scripts

GOLDEN = Path(__file__).parent / "golden"
FORMATS: dict[StudyFormat, str] = {"terminal": "study.txt", "markdown": "study.md", "json": "study.json"}


@pytest.fixture(scope="module")
def plane_report(plane: StudyRecords) -> StudyReport:
    return analyse(plane)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_golden_text(ragged: StudyRecords, form: StudyFormat) -> None:
    text, golden = render_study(analyse(ragged), form), (GOLDEN / FORMATS[form]).read_text(encoding="utf-8")
    assert text == golden if form != "json" else same_but_for_rounding(json.loads(text), json.loads(golden))


def same_but_for_rounding(one: Any, other: Any) -> bool:
    """Equal, numbers to twelve digits: JSON does not round them, and processors differ in the last one of a sum."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same_but_for_rounding(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same_but_for_rounding, one, other))
    return math.isclose(one, other, rel_tol=1e-12) if isinstance(one, float) else bool(one == other)


@pytest.mark.parametrize("form", [*FORMATS, "html"])
def test_every_format_says_what_a_reader_must_know(ragged: StudyRecords, form: StudyFormat) -> None:
    shown = " ".join(render_study(analyse(replace(ragged, smoke=True)), form, width=1000).split())
    for words in (
        "smoke scale: no claim",
        "this project's reconstruction" if form != "html" else "this project&#x27;s reconstruction",
        "diverged, counted as the worst: gtr[0] (1 job)",
        "3 failed jobs without a value",
        "tuned on the first 0.1 of the phases",
        "is undecided here",
        "n = 2 to 3 seeds",
    ):
        assert words in shown


@pytest.mark.parametrize("form", ["terminal", "markdown", "html"])
@pytest.mark.parametrize("number", ["0.7575 [0.7517, 0.7633]", "0.3189", "-0.3198 [-1.402, 1.893]", "1.00 decades"])
def test_readable_formats_show_the_same_numbers(ragged: StudyRecords, form: StudyFormat, number: str) -> None:
    assert number in render_study(analyse(ragged), form, width=1000)


@pytest.mark.parametrize("form", ["terminal", "markdown"])
def test_the_label_does_not_decide_who_is_called_a_reconstruction(study: StudyRecords, form: StudyFormat) -> None:
    wide = replace(study, algorithm="wide")
    assert "this project's reconstruction" in render_study(analyse(wide), form)
    other = replace(study, algorithm="notgtr", reconstruction=False)
    assert "reconstruction" not in render_study(analyse(other), form)


def test_the_text_curve_shows_place_and_interval_without_colour(study: StudyRecords) -> None:
    lines = render_study(analyse(study), "terminal").splitlines()
    rows = [line.split()[-1] for line in lines[lines.index("sigma: lifetime_return over all environments") + 2 :][:9]]
    assert {len(row) for row in rows} == {30}
    assert [row.index("o") for row in rows] == [0, 0, 29, 29, 29, 29, 29, 0, 0]


def test_json_is_unrounded_versioned_and_has_every_setting(ragged: StudyRecords) -> None:
    report = analyse(ragged)
    content = json.loads(render_study(report, "json"))
    assert content["format"] == FORMAT
    assert content["sentence"] in content["statements"]
    assert content["curves"][0]["points"][1]["estimate"]["value"] == report.curves[0].points[1].estimate.value
    assert [trial["setting"]["sigma"] for trial in content["records"]["trials"]] == [
        trial.setting["sigma"] for trial in ragged.trials
    ]
    assert content["records"]["trials"][0]["diverged"] == 1
    assert content["region"] == "better on both"


def test_importances_name_evaluator_and_seeds(plane_report: StudyReport) -> None:
    shown = render_study(plane_report, "terminal", width=300)
    assert re.search(r"fANOVA, random forest of 64 trees; seeds 0-4 +\d\.\d{3} ± \d\.\d{3}", shown)
    assert re.search(r"PED-ANOVA, best tenth against all +\d\.\d{3} ", shown)
    assert "0 parameters must be tuned" not in shown
    assert "with one environment T and X are the same number" in shown


def test_names_are_text_in_markdown_and_html(plane_report: StudyReport) -> None:
    page, document = render_study(plane_report, "html"), render_study(plane_report, "markdown")
    page = page.replace(scripts()[0], "")
    assert "<i>" not in page
    assert "a &lt;b&gt; $x_1$" in page
    assert r"\<i\>\|x" in document
    assert "<i>" not in document


def test_the_page_loads_nothing_and_draws_every_ordered_parameter(plane_report: StudyReport) -> None:
    page = render_study(plane_report, "html")
    assert page.count("<figure") == 1
    (content,) = re.findall(r'<script type="application/json">(.*?)</script>', page)
    assert [panel["title"]["text"] for panel in json.loads(content)["spec"]["concat"]] == ["sigma", "beta", "anchor"]
    assert "Response curves" in page
    assert "Learning curves" not in page
    own = page.replace(scripts()[0], "")
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", own)
    assert "default-src 'none'" in page


def test_the_page_begins_with_the_answer_and_what_it_rests_on(study: StudyRecords) -> None:
    page = render_study(analyse(study), "html")
    glance = page[page.index("At a glance") : page.index("</table>")]
    assert page.index("</h1>") < page.index('<p class="headline">') < page.index("At a glance") < page.index("<h2")
    assert all(words in glance for words in ("best setting<", "plateau of sigma", f"best setting of {study.reference}"))


@pytest.mark.parametrize("form", ["terminal", "markdown", "html", "json"])
def test_a_study_without_any_score_can_be_shown(study: StudyRecords, form: StudyFormat) -> None:
    empty = replace(study, trials=tuple(replace(t, scores={}, missing=6) for t in study.trials), reference_trials=())
    shown = render_study(analyse(empty), form, width=200)
    assert "no setting of `sigma` has a score" in shown.replace("<code>", "`").replace("</code>", "`")


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_equal_reports_give_equal_figures(study: StudyRecords, tmp_path: Path, suffix: str) -> None:
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    draw_response(analyse(study), first)
    draw_response(analyse(study), second)
    assert first.read_bytes() == second.read_bytes()
    start = {".png": b"\x89PNG", ".svg": b"<svg"}[suffix]
    assert first.read_bytes().startswith(start)


def drawn_text(report: StudyReport, out: Path) -> list[str]:
    """The texts of the figure."""
    draw_response(report, out)
    return [unescape(each) for each in re.findall(r">([^<>]+)</(?:text|tspan)>", out.read_text(encoding="utf-8"))]


def test_the_figure_names_what_it_marks(study: StudyRecords, tmp_path: Path) -> None:
    texts = drawn_text(analyse(study), tmp_path / "a.svg")
    for words in (
        "all environments",
        "a",
        "b",
        "plateau (5 %)",
        "the suite's value",
        "best setting",
        "best of ppo (clip_range = 0.05)",
        "0.05",
        "5",
    ):
        assert words in texts


def test_a_plateau_of_unknown_width_is_called_so_in_page_text_and_figure(study: StudyRecords, tmp_path: Path) -> None:
    even = tuple(replace(trial, scores=dict.fromkeys("ab", dict.fromkeys((0, 1, 2), 0.5))) for trial in study.trials)
    report = analyse(replace(study, trials=even))
    assert "plateau (width unknown)" in drawn_text(report, tmp_path / "a.svg")
    assert "plateau 0.05 to 5 (shaded; width unknown)" in render_study(report, "html")
    assert "plateau 0.05 to 5: 2.00 decades; no value can be told from another (p = 1)" in render_study(
        report, "terminal"
    )


def test_the_figure_of_a_smoke_scale_makes_no_claim_and_reads_names_as_text(
    plane_report: StudyReport, tmp_path: Path
) -> None:
    texts = drawn_text(plane_report, tmp_path / "a.svg")
    assert "smoke scale: no claim" in texts
    assert "gtr is this project's reconstruction of the published method" in texts
    assert any("$x_1$" in each for each in texts)


def test_zero_and_listed_values_are_drawn_and_shown(study: StudyRecords, tmp_path: Path) -> None:
    """Zero has no place on a logarithmic axis, and a list with zero is no logarithmic axis."""
    zero = replace(study.trials[0], number=99, setting={"sigma": 0.0})
    stated = replace(study.axes[0], stated=0.0)
    draw_response(analyse(replace(study, axes=(stated,), trials=(zero, *study.trials))), tmp_path / "a.png")
    assert "<figure" in render_study(analyse(replace(study, axes=(stated,), trials=(zero, *study.trials))), "html")
    listed = Axis("sigma", "choice", 0.5, choices=(0.0, 0.5))
    trials = (zero, next(trial for trial in study.trials if trial.setting["sigma"] == 0.5))
    report = analyse(replace(study, axes=(listed,), trials=trials))
    draw_response(report, tmp_path / "b.png")
    assert "in units of sigma" in render_study(report, "terminal")
    assert "decades" not in report.sentence


def test_a_study_without_any_score_has_no_figure(study: StudyRecords, tmp_path: Path) -> None:
    empty = replace(study, trials=tuple(replace(t, scores={}, missing=6) for t in study.trials), reference_trials=())
    with pytest.raises(RequestError, match="no setting has a score to draw"):
        draw_response(analyse(empty), tmp_path / "a.png")


def test_a_figure_in_another_format_is_refused(study: StudyRecords, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="should end in"):
        draw_response(analyse(study), tmp_path / "a.gif")


def test_a_downloaded_chart_is_named_by_its_study_and_its_caption_says_what_is_marked(study: StudyRecords) -> None:
    page = render_study(analyse(study), "html")
    assert '<figure data-name="gtr-sigma-response">' in page
    marks = "best setting 0.158 (dashed), the suite&#x27;s value 0.5 (dotted), plateau 0.158 to 1.581 (shaded)"
    assert f"<br>sigma: {marks}" in page
