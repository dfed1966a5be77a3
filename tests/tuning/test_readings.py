"""The suite of readings: every form and anchor of GTR, beside the same two controls, with the same search."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from gtr_bench.ablation.trials import load_template
from gtr_bench.algorithms.gtr.parameters import GTRParameters
from gtr_bench.suite.load import load_suite
from gtr_bench.tuning.spaces import spaces_of

PATH = str(Path(__file__).parents[2] / "suites" / "findings" / "readings.toml")
CONTROLS = ("ppo", "ppo_kl")


def test_every_reading_is_compared_with_both_controls_and_nothing_else() -> None:
    suite = load_suite(PATH, scale="findings")
    readings = [name for name in suite.algorithms if name not in CONTROLS]
    assert suite.comparisons == tuple((name, control) for name in readings for control in CONTROLS)
    assert not suite.smoke
    assert load_suite(PATH, scale="laptop").smoke


def test_every_form_and_anchor_is_a_reading_and_so_are_a_kernel_and_the_gate() -> None:
    cells = [cell.definition["algorithm"] for cell in load_suite(PATH, scale="findings").cells]
    found = [cell["parameters"] for cell in cells if cell["name"] == "gtr"]
    for axis in ("form", "anchor"):
        assert {each[axis] for each in found} == set(get_args(GTRParameters.model_fields[axis].annotation))
    assert {each["kernel"] for each in found} == {"gaussian", "cauchy"}  # `none` is ppo_kl
    assert {each["sustain"] for each in found} == {False, True}


@pytest.mark.parametrize("name", ["gtr_cauchy", "gtr_linear", "gtr_k1", "gtr_ema", "gtr_initial", "gtr_gate"])
def test_a_reading_is_one_change_of_the_default(name: str) -> None:
    suite = load_suite(PATH, scale="findings")
    own, default = (
        next(cell.definition["algorithm"]["parameters"] for cell in suite.cells if cell.algorithm == each)
        for each in (name, "gtr")
    )
    assert len([key for key in own if own[key] != default[key]]) == 1


def test_all_search_as_many_parameters() -> None:
    template = load_template(PATH, "findings", "lifetime_return")
    spaces = spaces_of(template, template.suite.algorithms, (), ("learning_rate=1e-4:1e-2:log",))
    assert {len(axes) for axes in spaces.values()} == {2}
