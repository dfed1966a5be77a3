"""What `gtr-bench ablate` says of made-up results: the first line, the kernel, the reference, the path's steps."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from gtr_bench.algorithms.gtr.algorithm import GTR
from gtr_bench.algorithms.gtr.parameters import GTRParameters
from gtr_bench.cli.trainer import Trainer
from gtr_bench.learners.policy import PolicyLearner
from gtr_bench.store.schema import iterations_schema
from gtr_bench.store.writer import write_summary, write_table
from gtr_bench.suite import Suite
from tests.helpers import suite_text

STUDY = ("ablate", "--suite", "tiny.toml", "--param", "sigma", "--trials", "5")
PATH = ("ablate", "--path", "--suite", "tiny.toml", "--seeds", "6")
NEVER = "the kernel was never left: GTR acted as a plain KL penalty"
ITERATIONS = iterations_schema({**PolicyLearner.columns, **GTR.columns})


@pytest.fixture
def made_up(cli: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command line, whose jobs end at once: GTR leaves the kernel at the widths that `leaving` calls so."""
    (cli.folder / "tiny.toml").write_text(suite_text(seeds=2, algorithms=("ppo", "gtr")))
    cli.leaving = lambda sigma: False

    def fill(self: Any, suite: Suite) -> None:
        cli.fill(suite)
        for job in suite.jobs():
            parameters = job.definition["algorithm"]["parameters"]
            if "sigma" not in parameters:
                continue
            escapes = np.full(8, 0.009)
            escapes[5] = 0.011 if cli.leaving(parameters["sigma"]) else escapes[5]
            rows = {"job": [job.id] * 8, "iteration": range(8), "step": range(8), "phase": [0] * 4 + [1] * 4}
            folder = cli.results / "jobs" / job.id
            (summary,) = pq.read_table(folder / "job.parquet").to_pylist()
            table = {**rows, "exact_kl": np.full(8, 0.01), "escape_fraction": escapes}
            write_table(folder / "iterations.parquet", ITERATIONS, table)
            write_summary(folder, summary)  # which states the tables beside it

    monkeypatch.setattr(Trainer, "train", fill)
    return cli


def said(cli: Any, *arguments: str) -> str:
    answer = cli(*arguments, COLUMNS="1000")
    assert answer.returncode == 0, answer.stderr
    return str(answer.stdout)


def test_the_first_line_answers(made_up: Any) -> None:
    why = "UNDECIDED: one environment cannot show whether different tasks want different values"
    assert said(made_up, *STUDY).splitlines()[0] == why
    assert said(made_up, *STUDY, "--format", "markdown").splitlines()[0] == f"**{why}**"
    assert json.loads(said(made_up, *STUDY, "--json"))["headline"] == why
    page = said(made_up, *STUDY, "--format", "html")
    assert page.index("<h1") < page.index(why) < page.index("<h2")


@pytest.mark.parametrize("form", ["terminal", "markdown", "html", "json"])
def test_a_study_in_which_no_run_left_the_kernel_says_so(made_up: Any, form: str) -> None:
    assert f"in all 5 settings {NEVER}" in said(made_up, *STUDY, "--format", form)


def test_a_single_iteration_beyond_the_kernel_is_enough_to_have_tested_it(made_up: Any) -> None:
    made_up.leaving = lambda sigma: True
    assert "never left" not in said(made_up, *STUDY)


def test_only_the_settings_that_stayed_inside_are_named(made_up: Any) -> None:
    made_up.leaving = lambda sigma: sigma < 0.3
    shown = " ".join(said(made_up, *STUDY).split())
    assert f"3 settings in which {NEVER} (escape_fraction below 1 % in every iteration of every run): " in shown
    assert "sigma = 0.5; sigma = 0.7953; sigma = 2" in shown


def test_the_penalty_without_a_kernel_is_not_said_to_have_stayed_inside(made_up: Any) -> None:
    (made_up.folder / "tiny.toml").write_text(
        suite_text(seeds=2, algorithms=("ppo", "gtr")).replace('id = "gtr"', 'id = "gtr"\nkernel = "none"')
    )
    assert "never left" not in said(made_up, *STUDY)


def test_one_parameter_is_varied_over_a_logarithmic_grid_and_several_quasi_randomly(made_up: Any) -> None:
    records = json.loads(said(made_up, *STUDY, "--json"))["records"]
    assert records["sampler"] == "grid"
    widths = sorted(trial["setting"]["sigma"] for trial in records["trials"])
    assert widths == [0.05, 0.1257, 0.5, 0.7953, 2.0]
    assert json.loads(said(made_up, *STUDY, "--param", "beta", "--json"))["records"]["sampler"] == "qmc"
    asked = json.loads(said(made_up, *STUDY, "--sampler", "random", "--json"))["records"]
    assert asked["sampler"] == "random"


@pytest.mark.parametrize(
    ("parameters", "theirs"),
    [
        (("sigma",), ["clip_range"]),
        (("sigma", "beta"), ["clip_range", "learning_rate"]),
        (("sigma", "learning_rate"), ["learning_rate", "clip_range"]),
        (("gamma", "clip_range"), ["gamma", "clip_range"]),
        (("form",), ["clip_range"]),
    ],
)
def test_the_reference_varies_as_many_parameters_as_often_and_the_same_ones_where_it_has_them(
    made_up: Any, parameters: tuple[str, ...], theirs: list[str]
) -> None:
    named = [part for name in parameters for part in ("--param", name)]
    ranges = ("--range", "learning_rate=1e-4:1e-3:log") if "learning_rate" in parameters else ()
    command = ("ablate", "--suite", "tiny.toml", "--trials", "5", *named, *ranges)
    shown = json.loads(said(made_up, *command, "--json"))
    records = shown["records"]
    assert [axis["name"] for axis in records["reference_axes"]] == theirs
    assert len(records["trials"]) == len(records["reference_trials"]) >= 4
    for axis in records["reference_axes"]:
        if axis["name"] in parameters:
            assert axis["low"] == records["axes"][parameters.index(axis["name"])]["low"]
    assert f"gtr varied {' and '.join(parameters)}, ppo {' and '.join(theirs)}" in shown["sentence"]


def test_the_page_shows_the_best_value_the_plateau_and_the_reference(made_up: Any) -> None:
    page = said(made_up, *STUDY, "--format", "html")
    chart = page[page.index("<figure") : page.index("</figure>")]
    marks = "best setting 0.5 (dashed), the suite&#x27;s value 0.5 (dotted), plateau 0.05 to 2 (shaded; width unknown)"
    assert f"sigma: {marks}" in chart
    (definition,) = re.findall(r'<script type="application/json">(.*?)</script>', chart)
    panel = json.loads(definition)["spec"]["concat"][0]
    assert [each["series"] for each in panel["data"]["values"]] == ["cartpole", "best of ppo (clip_range = 0.2)"]
    assert panel["layer"][0]["data"]["values"] == [{"x": 0.05, "end": 2.0, "label": "plateau (width unknown)"}]


@pytest.mark.parametrize("form", ["terminal", "markdown", "html", "json"])
def test_the_path_says_what_each_step_sets_and_compares_it_with_the_one_before(made_up: Any, form: str) -> None:
    shown = said(made_up, *PATH, "--format", form)
    words = " ".join(shown.split())
    for step in (
        "ppo is the first",
        "penalty sets kernel = none, anchors = 1, surrogate = clip, sustain = false of gtr",
        "with_kernel sets kernel = gaussian",
        f"with_anchor sets anchors = {GTRParameters.model_fields['anchors'].default}",
        "with_surrogate sets surrogate = linear",
        "with_gate sets sustain = true",
        "with_gate vs with_surrogate",
    ):
        assert step in words
    if form == "json":
        (suite,) = json.loads(shown)["suites"]
        before = {
            cell["algorithm"]: cell["difference"]["baseline"] if cell["difference"] else None
            for table in suite["tables"]
            for cell in table["cells"]
        }
        assert before == {
            "ppo": None, "penalty": "ppo", "with_kernel": "penalty", "with_anchor": "with_kernel",
            "with_surrogate": "with_anchor", "with_gate": "with_surrogate",
        }  # fmt: skip
    else:
        assert "minus the step before" in words
        assert "minus ppo" not in words
