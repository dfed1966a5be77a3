"""Figures: what they draw, that it is Vega-Lite, and that equal results give an equal file."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gtr_bench.cli.main import execute
from gtr_bench.errors import RequestError
from gtr_bench.report.build import build_report
from gtr_bench.report.figures.chart import Chart, scale_of, short
from gtr_bench.report.figures.embed import figure, scripts
from gtr_bench.report.figures.forest import forest_chart
from gtr_bench.report.figures.learning import learning_chart
from gtr_bench.report.figures.pdf import canonical
from gtr_bench.report.figures.profiles import profiles_chart
from gtr_bench.report.figures.save import save_chart
from gtr_bench.report.figures.suites import charts_of, suites_chart
from gtr_bench.report.model import LearningCurve, SeedLine, SuiteReport
from gtr_bench.suite.expand import Job

from .conftest import SUITE, write_job

Fill = Callable[..., Path]


def suite_of(results: Path) -> SuiteReport:
    (suite,) = build_report([results], curves=True).suites
    return suite


@pytest.fixture
def suite(fill: Fill, jobs: list[Job]) -> SuiteReport:
    return suite_of(fill(jobs))


def rows(chart: Chart, panel: int = 0) -> list[dict[str, Any]]:
    """The data of one panel."""
    found: list[dict[str, Any]] = chart.spec["concat"][panel]["data"]["values"]
    return found


def curve(environment: str, algorithm: str, points: int, seeds: int, shifts: int = 0) -> LearningCurve:
    """Of a made-up run with as many points in every phase, with a shift's step twice."""
    phases = shifts + 1
    steps = tuple(1000 * (phase * (points - 1) + at) for phase in range(phases) for at in range(points))
    mean = tuple(0.1234567 * step + 1 for step in steps)
    lines = tuple(SeedLine(seed, "", mean) for seed in range(seeds))
    ends = [1000 * phase * (points - 1) for phase in range(1, phases + 1)]
    worlds = tuple("AB"[phase % 2] for phase in range(phases))
    return LearningCurve(environment, algorithm, steps, mean, mean, mean, lines, tuple(ends[:-1]), worlds, ends[-1])


def test_a_file_names_sequences_algorithms_seeds_worlds_and_what_it_is(suite: SuiteReport, tmp_path: Path) -> None:
    save_chart(suites_chart([suite], "curves"), tmp_path / "curves.svg")
    text = (tmp_path / "curves.svg").read_text(encoding="utf-8")
    for words in ("cartpole_swap", "acrobot_swap", "ppo (n = 5)", "gtr † (n = 5)", "world B", "environment steps"):
        assert words in text
    assert "this project's reconstruction" in text
    assert "smoke scale: no claim" in text


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_equal_results_give_an_equal_file(fill: Fill, jobs: list[Job], tmp_path: Path, suffix: str) -> None:
    few = [job for job in jobs if job.sequence == "cartpole_swap" and job.seed < 2]
    results = fill(few)
    for name in ("one", "two"):
        save_chart(suites_chart([suite_of(results)], "curves"), tmp_path / f"{name}{suffix}")
    content = (tmp_path / f"one{suffix}").read_bytes()
    assert content == (tmp_path / f"two{suffix}").read_bytes()
    assert content.startswith({".png": b"\x89PNG", ".svg": b"<svg", ".pdf": b"%PDF"}[suffix])


def test_unfinished_jobs_alone_and_unknown_suffixes_are_refused(
    jobs: list[Job], suite: SuiteReport, tmp_path: Path
) -> None:
    write_job(tmp_path / "young", jobs[0], SUITE, finished=False, stop=2000)
    with pytest.raises(RequestError, match="no learning curve to draw"):
        suites_chart(build_report([tmp_path / "young"], curves=True).suites, "curves")
    with pytest.raises(RequestError, match="should end in"):
        save_chart(suites_chart([suite], "curves"), tmp_path / "curves.bmp")


@pytest.mark.parametrize("name", ["claims", "curves", "profiles"])
def test_a_report_draws_the_figure_that_is_asked_for_and_prints_the_same(
    fill: Fill, jobs: list[Job], tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    results, out = str(fill(jobs)), tmp_path / "figure.svg"
    assert execute(["report", results]) == 0
    plain = capsys.readouterr().out
    assert execute(["report", results, "--plot", str(out), "--figure", name]) == 0
    assert capsys.readouterr().out == plain
    words = {"claims": "gtr vs ppo", "curves": "learning curves", "profiles": "normalised score"}
    assert words[name] in out.read_text(encoding="utf-8")


def test_options_of_a_figure_that_mean_nothing_are_refused(
    fill: Fill, jobs: list[Job], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results, out = str(fill(jobs[:1])), str(tmp_path / "a.svg")
    for options, words in (
        (["--figure", "claims"], "goes with `--plot`"),
        (["--plot", str(tmp_path / "a.bmp")], "should end in"),
        (["--plot", out, "--explain", "x"], "does not go with `--explain`"),
        (["--plot", out, "--figure", "profiles"], "no performance profile to draw"),
    ):
        assert execute(["report", results, *options]) == 2
        assert words in capsys.readouterr().err
    assert not Path(out).exists()


@pytest.mark.slow
def test_every_figure_is_valid_vega_lite_without_a_warning(
    suite: SuiteReport, capfd: pytest.CaptureFixture[str]
) -> None:
    altair = pytest.importorskip("altair", reason="altair, which knows the schema, is not installed")
    import vl_convert

    for chart in charts_of(suite):
        altair.Chart.from_dict(chart.titled, validate=True)
        vl_convert.vegalite_to_vega(chart.titled, show_warnings=True)
    assert capfd.readouterr().err == ""


def test_what_a_user_named_stands_in_no_expression(suite: SuiteReport) -> None:
    evil = "x'] + alert(1) + datum['"
    named = tuple(replace(each, algorithm=evil, environment=evil) for each in suite.curves[:1])
    (claim, *_) = suite.claims
    changed = replace(suite, algorithms=(evil,), curves=named, sections={"claims": (replace(claim, id=evil),)})
    for chart in charts_of(changed):
        assert all(evil not in text for text in expressions(chart.spec)), chart.name
        assert evil in json.dumps(chart.spec)


def expressions(spec: Any) -> Iterator[str]:
    """The texts of a specification that Vega evaluates."""
    if isinstance(spec, dict):
        for key, value in spec.items():
            if key in ("expr", "calculate", "filter", "test", "labelExpr") and isinstance(value, str):
                yield value
            yield from expressions(value)
    elif isinstance(spec, list):
        for value in spec:
            yield from expressions(value)


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([20, 450], (0, 450)),  # near zero
        ([300, 500], (300, 500)),  # far from it
        ([150, 450], (0, 450)),  # as far as half of the span
        ([-500, -80], (-500, 0)),
        ([-500, -400], (-500, -400)),
        ([-3, 5], (-3, 5)),
        ([5, 5], (4.5, 5.5)),
        ([0, 0], (-0.5, 0.5)),
    ],
)
def test_zero_is_on_an_axis_whose_values_come_near_it(values: list[float], ends: tuple[float, float]) -> None:
    assert scale_of(values) == ends


def test_a_line_has_a_gap_at_every_shift_and_its_worlds_over_it(suite: SuiteReport) -> None:
    chart = learning_chart([replace(suite, curves=(curve("a", "ppo", 3, 2, shifts=2),))])
    assert chart is not None
    (row,) = rows(chart)
    assert row["x"] == [0, 1000, 2000, 2000, 2000, 3000, 4000, 4000, 4000, 5000, 6000]
    assert [at for at, value in enumerate(row["value"]) if value is None] == [3, 7]
    over = chart.spec["concat"][0]["layer"][-1]["data"]["values"]
    assert [each["label"] for each in over] == ["world A", "world B", "world A"]
    assert [each["x"] for each in over] == [1000, 3000, 5000]


def test_long_lines_are_thinned_but_keep_their_ends_and_shifts(suite: SuiteReport) -> None:
    chart = learning_chart([replace(suite, curves=(curve("a", "ppo", 1001, 3, shifts=1),))])
    assert chart is not None
    (row,) = rows(chart)
    assert len(row["x"]) < 410
    assert (row["x"][0], row["x"][-1]) == (0, 2_000_000)
    assert row["x"].count(1_000_000) == 3
    assert all(len(seed["x"]) < 410 for seed in row["seeds"])


def test_a_page_of_13_algorithms_10_environments_and_10_seeds_stays_below_2_mb(suite: SuiteReport) -> None:
    names = tuple(f"algorithm_{index}" for index in range(13))
    curves = tuple(curve(f"world_{at}", name, 20, 10, shifts=2) for at in range(10) for name in names)
    chart = learning_chart([replace(suite, algorithms=names, curves=curves)])
    assert chart is not None
    assert "seeds" in rows(chart)[0]
    assert len(figure(chart)) + sum(map(len, scripts())) < 1_900_000
    many = tuple(curve(f"world_{at}", name, 20, 100) for at in range(10) for name in names)
    fewer = learning_chart([replace(suite, algorithms=names, curves=many)])
    assert fewer is not None
    assert "seeds" not in rows(fewer)[0]
    assert "too many jobs to draw single seeds" in fewer.notes


def test_profiles_are_the_shares_of_runs_above_each_score(suite: SuiteReport) -> None:
    chart = profiles_chart([suite])
    assert chart is not None
    panel = next(at for at, each in enumerate(chart.spec["concat"]) if each["title"]["text"] == "lifetime_return")
    table = next(each for each in suite.tables if each.metric == "lifetime_return")
    bounds = {"cartpole_swap": (0.0, 500.0), "acrobot_swap": (-500.0, -60.0)}
    for row, algorithm in zip(rows(chart, panel), ("ppo", "gtr"), strict=True):
        scores = [
            [
                (value - bounds[cell.sequence][0]) / (bounds[cell.sequence][1] - bounds[cell.sequence][0])
                for value in cell.values
            ]
            for cell in table.cells
            if cell.algorithm == algorithm
        ]
        for at, threshold in enumerate(row["x"]):
            by_hand = sum(sum(score > threshold for score in own) / len(own) for own in scores) / len(scores)
            assert row["value"][at] == pytest.approx(by_hand)
            assert row["low"][at] <= row["value"][at] <= row["high"][at]
        assert 0 < sum(row["value"]) < len(row["value"])


def test_a_forest_plot_has_arrows_margins_and_names_what_is_undefined(suite: SuiteReport) -> None:
    (claim, *_) = suite.claims
    assert claim.direction == "lower"
    claims = (
        replace(claim, id="open", low=-math.inf, high=3.0, effect=1.0),
        replace(claim, id="margin", margin=2.0, low=-4.0, high=-3.0, effect=-3.5, verdict="supported"),
        replace(claim, id="no worse", margin=2.0, kind="non_inferiority", low=-1.0, high=1.0, effect=0.0),
        replace(claim, id="nothing", effect=None, low=None, high=None, reason="`gtr` has no value"),
        replace(claim, id="other", metric="lifetime_return", unit="return", direction="higher", low=1.0, high=2.0),
    )
    chart = forest_chart([replace(suite, sections={"claims": claims})])
    assert chart is not None
    arrow, margin, worse, nothing = rows(chart)
    assert (arrow["low_open"], arrow["high_open"], arrow["high"]) == (True, False, 3)
    assert arrow["low"] == short(chart.spec["concat"][0]["layer"][2]["encoding"]["x"]["scale"]["domain"][0])
    # Fewer steps are better: to be better by more than 2, the difference must lie below -2.
    assert (margin["bar"], worse["bar"]) == (-2, 2)
    assert "value" not in nothing
    assert nothing["missing"] == "gtr has no value"
    assert [row["claim"] for row in rows(chart, 1)] == ["other"]
    assert "an arrow: the interval has no end on that side" in chart.notes
    json.dumps(chart.spec, allow_nan=False)


def test_no_name_leaves_the_data_of_a_page(suite: SuiteReport) -> None:
    evil = "</script><script>alert(1)</script><!-- \u2028 ]]> & <b>"
    chart = Chart(evil, evil, (evil,), evil, {"params": [], "data": evil})
    markup = figure(chart)
    assert markup.count("</script>") == 1
    assert "<!--" not in markup
    assert "\u2028" not in re.sub(r"<figcaption>.*</figcaption>|aria-label=\"[^\"]*\"|data-name=\"[^\"]*\"", "", markup)
    data = re.search(r'<script type="application/json">(.*)</script>', markup, re.S)
    assert data is not None
    assert json.loads(data[1])["spec"]["data"] == evil


def test_the_order_in_which_a_pdf_was_numbered_and_written_does_not_matter() -> None:
    one = document("1 0 R", ("<</Type /Page /Font <</f0 2 0 R /f1 3 0 R>> /S (a\\)b)>>", "<</N 0>>", "<</N 1>>"))
    other = document("2 0 R", ("<</N 1>>", "<</S (a\\)b) /Font <</f1 1 0 R /f0 3 0 R>> /Type /Page>>", "<</N 0>>"))
    assert canonical(one) == canonical(other)
    assert canonical(canonical(one)) == canonical(one)
    different = document("1 0 R", ("<</Type /Page /Font <</f0 2 0 R /f1 3 0 R>> /S (a\\)b)>>", "<</N 1>>", "<</N 0>>"))
    assert canonical(one) != canonical(different)
    with pytest.raises(ValueError, match=r"not found|no end|no token"):
        canonical(b"%PDF-1.7\n%\n1 0 obj\n<</N 0>>\n2 0 obj\n")


def document(root: str, objects: tuple[str, ...]) -> bytes:
    """A PDF as far as `canonical` reads it."""
    body = "".join(f"{number} 0 obj\n{each}\nendobj\n\n" for number, each in enumerate(objects, 1))
    return f"%PDF-1.7\n%\n{body}xref\ntrailer\n<</Root {root} /Size 9>>\nstartxref\n0\n%%EOF".encode()


def test_a_margin_is_drawn_as_a_line_across_its_claim(suite: SuiteReport, tmp_path: Path) -> None:
    claim = replace(suite.claims[0], kind="non_inferiority", margin=123.0)
    drawn = forest_chart([replace(suite, sections={**suite.sections, "claims": (claim,)})])
    assert drawn is not None
    save_chart(drawn, tmp_path / "claims.svg")
    lines = re.findall(r'<line[^>]* y2="([-\d.]+)"[^>]*stroke-dasharray="1,3"', (tmp_path / "claims.svg").read_text())
    assert len(lines) == 1
    assert abs(float(lines[0])) > 20


def test_an_algorithm_keeps_its_colour_while_others_have_no_results_yet(suite: SuiteReport) -> None:
    def colours(chart: Chart | None) -> dict[str, str]:
        assert chart is not None
        scale = chart.spec["concat"][0]["layer"][1]["encoding"]["color"]["scale"]
        return dict(zip(scale["domain"], scale["range"], strict=True))

    last = suite.algorithms[-1]
    early = replace(suite, curves=tuple(curve for curve in suite.curves if curve.algorithm == last))
    ((name, colour),) = colours(learning_chart([early])).items()
    assert colours(learning_chart([suite]))[name] == colour
    assert len(set(colours(learning_chart([suite])).values())) == len(suite.algorithms)
