"""The same numbers in every format, to the byte."""

from __future__ import annotations

import csv
import json
import math
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from gtr_bench.metrics.heterogeneity import Heterogeneity
from gtr_bench.report.absences import Absence
from gtr_bench.report.aggregates import Aggregate, Profile
from gtr_bench.report.claims import ClaimResult
from gtr_bench.report.csv import render_csv
from gtr_bench.report.details import EnvironmentDifference, Side
from gtr_bench.report.json import render_json
from gtr_bench.report.latex import render_latex
from gtr_bench.report.markdown import render_markdown
from gtr_bench.report.mechanism import Mechanism, MechanismRow
from gtr_bench.report.model import Difference, Interval, LearningCurve, Provenance, Report, SeedLine, SuiteReport
from gtr_bench.report.relaxation import Relaxation, RelaxationRow
from gtr_bench.report.setup import AlgorithmSetup, Parameter, Setup, WorldSetup
from gtr_bench.report.tables import MetricTable, TableCell
from gtr_bench.report.terminal import render_terminal
from gtr_bench.report.text import number

GOLDEN = Path(__file__).parent / "golden"

PPO = TableCell(
    *("cartpole_swap", "ppo", 295.918, 290.04, 301.61, 5, 0, 0, 0, 0, 0, None, ("aaaa", "bbbb")),
    id="swap/laptop/lifetime_return/cartpole_swap/ppo",
)
GTR = TableCell(
    *("cartpole_swap", "gtr[sigma=0.5]", 355.9, 351.5, 360.7, 4, 1, 0, 0, 1, 2),
    Difference("ppo", 60.03, 55.38, 65.67, 4),
    ("cccc",),
    id="swap/laptop/lifetime_return/cartpole_swap/gtr[sigma=0.5]",
    best=True,
)
ONE_SEED = TableCell("a|b <i>", "ppo", -0.0123456, None, None, 1, 0, 0, 0, 4, 0, None, ("dddd",), tied=True)
NONE = TableCell("a|b <i>", "gtr[sigma=0.5]", None, None, None, 0, 0, 1, 1, 3, 0, None, ())
CLAIM = ClaimResult(
    id="recovers_sooner",
    declared="claim",
    text="gtr has a higher lifetime_return than ppo over 4 environments",
    better="gtr[sigma=0.5]",
    than="ppo",
    metric="lifetime_return",
    direction="higher",
    kind="superiority",
    margin=0.0,
    alpha=0.05,
    environments=("cartpole_swap", "a|b <i>", "c", "d"),
    unit="return mapped to [0, 1]",
    verdict="supported",
    effect=0.0712,
    low=0.03,
    high=0.1101,
    level=0.95,
    interval_method="percentile bootstrap",
    standardised=1.3,
    test="sampled paired sign-flip permutation, two-sided",
    p=0.0123,
    p_adjusted=0.0246,
    n=10,
    seeds_needed=None,
    reason="the test decides in favour: p = 0.025 after Holm over 2 comparisons, at most 0.05",
    jobs=("aaaa", "cccc"),
    interim=True,
    smoke=True,
    by_environment=(
        EnvironmentDifference("cartpole_swap", 0.2, 10, opposite=False),
        EnvironmentDifference("a|b <i>", -0.0576, 10, opposite=True),
    ),
    heterogeneity=Heterogeneity("Welch's F over environments", 9.3, 0.0062),
    sides=(
        Side("cartpole_swap", "gtr[sigma=0.5]", 10, 0.8, 0.89, 0.9, 0.4, 1, 10, 0.394, 2),
        Side("cartpole_swap", "ppo", 10, 0.6, 0.6, 0.61, 0.55, 0, 10, 0.259, None),
    ),
    warnings=("a|b <i> points the other way",),
)
UNTESTED = replace(
    CLAIM,
    id="ppo vs gtr",
    declared="comparison",
    verdict="undecided",
    test="",
    interval_method="",
    reason="`ppo` is not part of this scale",
    seeds_needed=None,
    n=0,
    jobs=(),
    by_environment=(),
    heterogeneity=None,
    sides=(),
    warnings=(),
    **dict.fromkeys(("effect", "low", "high", "standardised", "p", "p_adjusted")),
)
MECHANISM = Mechanism(
    16,
    (
        MechanismRow(
            *("cartpole_swap", "ppo", "path_efficiency"),
            Interval(0.57, 0.49, 0.63, 5),
            Interval(0.88, 0.84, 0.93, 5),
            *(None, ("aaaa",)),
        ),
        MechanismRow(
            *("cartpole_swap", "gtr[sigma=0.5]", "path_efficiency", None),
            Interval(0.93, None, None, 1),
            Difference("ppo", 0.05, None, None, 1),
            ("cccc",),
        ),
        MechanismRow(
            *("cartpole_swap", "gtr[sigma=0.5]", "exact_kl", Interval(0.004, 0.003, 0.005, 4)),
            *(Interval(0.009, 0.008, 0.01, 4), None, ("cccc",)),
        ),
    ),
    ("gtr[sigma=0.5]: the return is higher, but path_efficiency is not shown to be higher",),
    ("2 jobs left out",),
)
RELAXATION = Relaxation(
    (RelaxationRow("cartpole_swap", "gtr[sigma=0.5]", Interval(0.21, 0.12, 0.3, 4), ("cccc",)),),
    ("gtr[sigma=0.5]: relaxation is followed by improvement, beyond what the iteration explains",),
)
SETUP = Setup(
    worlds=(
        WorldSetup(
            "a|b <i>",
            {
                "phases": [
                    {"environment": "gym:CartPole-v1", "options": {}, "steps": 5000, "variant": each} for each in (0, 1)
                ],
                "shifts": [{"kind": "reward_flip", "first_clean": True, "cycle": None, "mode": "abrupt"}],
                "max_episode_steps": 400,
            },
            {"every": 1000, "episodes": 4, "deterministic": False, "all_phases": False},
            {"gym:CartPole-v1": (0.0, 500.0)},
            None,
            ("ppo",),
        ),
    ),
    algorithms=(AlgorithmSetup("ppo", "ppo", ()), AlgorithmSetup("gtr[sigma=0.5]", "gtr", ("redo",))),
    seeds=(0, 1, 2, 3, 4),
    wave=None,
    network={"torso": "mlp", "version": 1, "hidden": [64, 64], "activation": "tanh"},
    parameters=(
        Parameter("epochs", {each: {"a|b <i>": 4} for each in ("ppo", "gtr[sigma=0.5]")}, {"ppo": 4}, common=True),
        Parameter("sigma", {"gtr[sigma=0.5]": {"a|b <i>": 0.2}}, {"gtr[sigma=0.5]": 0.5}, common=False),
    ),
    runs=10,
    steps=100_000,
    expanded=True,
    lacks=(),
)
REPORT = Report(
    suites=(
        SuiteReport(
            suite="swap",
            scale="laptop",
            question="Does *GTR* cross sooner, 100% & $5_{i} more?",
            smoke=True,
            baseline="ppo",
            algorithms=("ppo", "gtr[sigma=0.5]"),
            reconstructions=("gtr[sigma=0.5]",),
            jobs={"complete": 9, "diverged": 1, "failed": 1, "missing": 8},
            notes=("1 job of an earlier version of the suite left out",),
            sections={
                "setup": SETUP,
                "claims": (CLAIM, UNTESTED),
                "tables": (
                    MetricTable(
                        "lifetime_return",
                        True,
                        "higher",
                        "mean return over all evaluation points of the run",
                        (PPO, GTR, ONE_SEED, NONE),
                        (
                            Aggregate(
                                "ppo",
                                Interval(0.5947, 0.5752, 0.6158, 1),
                                Interval(0.5947, 0.5752, 0.6158, 1),
                                Interval(0.588, 0.572, 0.6166, 1),
                                Interval(0.4053, 0.3842, 0.4248, 1),
                                *(None, 2, 1),
                            ),
                            Aggregate("gtr[sigma=0.5]", None, None, None, None, Interval(0.75, 0.5, 1.0, 1), 2, 0),
                        ),
                        ("aggregates: as they are",),
                        (Profile("ppo", (0.0, 0.5), (1.0, 0.6), (1.0, 0.4), (1.0, 0.8)),),
                    ),
                ),
                "mechanism": MECHANISM,
                "relaxation": RELAXATION,
                "missing": (
                    Absence(
                        "cartpole_swap", "gtr[sigma=0.5]", "run", "missing", "never started", (1, 2, 3, 7), ("e",) * 4
                    ),
                    Absence("a|b <i>", "ppo", "run", "failed", "oom: 12 GB \\ wanted", (4,), ("ffff",)),
                ),
            },
            curves=(
                LearningCurve(
                    *("cartpole_swap", "ppo", (0, 10), (1.5, 2.5), (1.0, 2.0), (2.0, 3.0)),
                    (SeedLine(0, "aaaa", (1.5, None)),),
                    *((), ("A",), 10),
                ),
            ),
            reconstructed=("gtr",),
            told_boundaries=("gtr[sigma=0.5]",),
        ),
    ),
    method="mean over seeds",
    provenance=Provenance(
        10, "0123456789ab", ("0.1.0",), ("0123456789ab (dirty)",), ("fedcba987654",), ("cpu",), "0.1.0"
    ),
)
RENDERED = {
    "report.txt": render_terminal(REPORT),
    "report.md": render_markdown(REPORT),
    "report.json": render_json(REPORT),
    "report.tex": render_latex(REPORT),
    "report.csv": render_csv(REPORT),
}


@pytest.mark.parametrize("name", RENDERED)
def test_every_format_gives_the_golden_text(name: str) -> None:
    assert RENDERED[name] == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["report.txt", "report.md", "report.json", "report.tex"])
def test_every_format_says_what_a_reader_must_know(name: str) -> None:
    assert "smoke scale: no claim" in RENDERED[name]
    assert "this project's reconstruction" in RENDERED[name]
    assert "gtr[sigma=0.5] is told where phases begin" in RENDERED[name].replace("{[}", "[").replace("{]}", "]")
    assert "0123456789ab (dirty)" in RENDERED[name]


@pytest.mark.parametrize("name", ["report.txt", "report.md", "report.tex"])
@pytest.mark.parametrize("number", ["0.07120", "0.03000, 0.1101", "0.025", "351.5, 360.7", "0.4053", "0.5000, 1.000"])
def test_readable_formats_show_the_same_numbers(name: str, number: str) -> None:
    assert number in RENDERED[name].replace("{[}", "[").replace("{]}", "]")


def test_a_value_is_bold_only_where_the_test_says_it_is_the_best() -> None:
    assert [line for line in RENDERED["report.tex"].splitlines() if "textbf{355.9" in line]
    # The others are the answer, the warning and a parameter that is not the default.
    assert RENDERED["report.tex"].count(r"\textbf") == 4
    assert r"| **355.9 [351.5, 360.7] \*** |" in RENDERED["report.md"]
    assert "-0.01235 =" in RENDERED["report.md"]
    assert "295.9 [290.0, 301.6] |" in RENDERED["report.md"]


def test_csv_has_one_row_per_cell_with_unrounded_numbers() -> None:
    rows = list(csv.DictReader(StringIO(RENDERED["report.csv"])))
    assert len(rows) == 4
    assert (rows[0]["value"], rows[0]["best"], rows[0]["difference"]) == ("295.918", "false", "")
    assert (rows[1]["difference"], rows[1]["baseline"], rows[1]["best"]) == ("60.03", "ppo", "true")
    assert (rows[2]["low"], rows[2]["environment"], rows[2]["smoke"]) == ("", "a|b <i>", "true")


def test_json_has_everything_but_the_curves() -> None:
    (suite,) = json.loads(RENDERED["report.json"])["suites"]
    assert suite["claims"][0]["p_adjusted"] == 0.0246
    assert suite["mechanism"]["rows"][0]["after"]["value"] == 0.88
    assert suite["missing"][0]["seeds"] == [1, 2, 3, 7]
    assert "curves" not in suite


def test_json_keeps_the_unrounded_numbers_and_the_ids() -> None:
    (suite,) = json.loads(RENDERED["report.json"])["suites"]
    cells = suite["tables"][0]["cells"]
    assert cells[0]["value"] == 295.918
    assert cells[0]["jobs"] == ["aaaa", "bbbb"]
    assert cells[2]["low"] is None


def test_markdown_tables_have_the_same_number_of_columns_in_every_row() -> None:
    tables = re.findall(r"(?:^\|.*\n)+", RENDERED["report.md"], flags=re.MULTILINE)
    assert len(tables) == 11
    for table in tables:
        assert len({line.replace("\\|", "").count("|") for line in table.splitlines()}) == 1


def test_colour_is_used_on_a_terminal_and_not_with_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[33m" in render_terminal(REPORT, colour=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[33m" not in render_terminal(REPORT, colour=True)
    assert "\x1b" not in render_terminal(REPORT)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (295.918, "295.9"),
        (-0.0123456, "-0.01235"),
        (12345.6, "12,350"),
        (999999.0, "1.000e+06"),
        (123456.0, "123,500"),
        (9.9996, "10.00"),
        (5e-5, "5.000e-05"),
        (1.0, "1.000"),
    ],
)
def test_numbers_have_four_significant_digits(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_narrow_terminal_hides_no_column_and_breaks_no_number(width: int) -> None:
    words = render_terminal(REPORT, width=width).split()
    for word in ("[0.03000,", "0.1101]", "0.012", "0.025"):
        assert word in words


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [(-1.0, 2.0, "[-1.000, 2.000]"), (-math.inf, math.inf, "[unbounded]"), (0.5, math.inf, "[0.5000, unbounded]")],
)
def test_an_infinite_end_reads_unbounded_and_is_null_and_named_in_json(low: float, high: float, shown: str) -> None:
    cell = replace(GTR, difference=Difference("ppo", 1.0, low, high, 4))
    (suite,) = REPORT.suites
    table = replace(suite.tables[0], cells=(PPO, cell))
    report = replace(REPORT, suites=(replace(suite, sections={**suite.sections, "tables": (table,)}),))
    assert f"1.000 {shown}, n = 4" in render_terminal(report)
    found = json.loads(render_json(report))["suites"][0]["tables"][0]["cells"][1]["difference"]
    infinite = [name for name, end in (("low", low), ("high", high)) if math.isinf(end)]
    assert found.get("unbounded", []) == infinite
    assert [found["low"], found["high"]] == [None if math.isinf(end) else end for end in (low, high)]
