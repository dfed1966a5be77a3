"""Axes from fields and from `--range`, and what is refused."""

from __future__ import annotations

import pytest

from gtr_bench.ablation.model import Axis
from gtr_bench.ablation.space import axis_of, parse_ranges
from gtr_bench.algorithms.gtr.parameters import GTRParameters
from gtr_bench.algorithms.ppo import PPO
from gtr_bench.errors import RequestError, UnknownNameError
from gtr_bench.plasticity.redo import ReDoParameters


def test_a_scalar_field_brings_its_range_and_scale() -> None:
    assert axis_of(GTRParameters, "sigma", None, {"sigma": 0.5}) == Axis("sigma", "float", 0.5, 0.05, 2.0, log=True)


def test_an_integer_field_brings_its_range() -> None:
    assert axis_of(GTRParameters, "anchors", None, {}) == Axis("anchors", "int", None, 1.0, 8.0, log=True)


def test_literals_and_switches_bring_their_choices() -> None:
    form = axis_of(GTRParameters, "form", None, {})
    assert form.choices == ("saturating", "gated_divergence", "gated_surrogate", "gated_spo")
    assert not form.numeric
    assert axis_of(GTRParameters, "sustain", None, {}).choices == (False, True)


def test_a_range_replaces_the_fields_own() -> None:
    assert axis_of(GTRParameters, "sigma", "0.1:1", {}).log is False
    assert axis_of(GTRParameters, "sigma", "0.1:1:log", {}).high == 1.0
    listed = axis_of(GTRParameters, "anchors", "1,2,8", {})
    assert listed.choices == (1, 2, 8)
    assert listed.numeric
    assert axis_of(GTRParameters, "form", "gated_spo,saturating", {}).choices == ("gated_spo", "saturating")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("sigma", "2:1", "first number should be below"),
        ("sigma", "0:1:log", "starts above 0"),
        ("sigma", "0:1", "`sigma` cannot be `0.0`"),
        ("sigma", "a:b", "cannot be read"),
        ("sigma", "1:2:3", "cannot be read"),
        ("sigma", "nan:1", "first number should be below"),
        ("sigma", "0.5", "at least two different values"),
        ("sigma", "0.5,x", "is not a number"),
        ("form", "0:1", "has no range"),
        ("form", "saturating,gatd_spo", "unknown value of `form`"),
        ("anchors", "1,99", "`anchors` cannot be `99`"),
    ],
)
def test_ranges_that_mean_nothing_are_refused_with_a_sentence(name: str, text: str, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        axis_of(GTRParameters, name, text, {})


def test_an_unknown_parameter_brings_a_suggestion() -> None:
    with pytest.raises(UnknownNameError) as caught:
        axis_of(GTRParameters, "sigmma", None, {})
    assert "sigma" in str(caught.value.hint)


def test_a_parameter_of_other_algorithms_is_told_to_be_theirs() -> None:
    with pytest.raises(RequestError, match="`plain` has no parameter `sigma`") as caught:
        axis_of(PPO.Parameters, "sigma", None, {}, algorithm="plain")
    assert caught.value.hint == "`gtr` has it; did you mean `gamma`?"
    with pytest.raises(RequestError, match="`plain` has no parameter `anchor_temperature`") as caught:
        axis_of(PPO.Parameters, "anchor_temperature", None, {}, algorithm="plain")
    assert caught.value.hint == "`gtr` has it"


def test_a_field_without_a_range_asks_for_one() -> None:
    with pytest.raises(RequestError, match="no range of its own") as caught:
        axis_of(GTRParameters, "epochs", None, {})
    assert "--range epochs=LOW:HIGH" in str(caught.value.hint)


def test_range_options_are_split_at_the_first_sign() -> None:
    assert parse_ranges(["sigma=0.1:1:log", "anchors=1,2"]) == {"sigma": "0.1:1:log", "anchors": "1,2"}


@pytest.mark.parametrize("texts", [["sigma"], ["=1:2"], ["sigma="], ["sigma=1:2", "sigma=2:3"]])
def test_range_options_of_another_form_are_refused(texts: list[str]) -> None:
    with pytest.raises(RequestError):
        parse_ranges(texts)


ADD_ONS = {"redo": ReDoParameters}


def test_fields_of_add_ons_are_axes_by_name() -> None:
    axis = axis_of(GTRParameters, "redo.threshold", None, {"redo.threshold": 0.025}, ADD_ONS)
    assert axis == Axis("redo.threshold", "float", 0.025, 0.0, 0.2)
    listed = axis_of(GTRParameters, "redo.period", "1,5", {}, ADD_ONS)
    assert listed.choices == (1, 5)
    with pytest.raises(RequestError, match=r"`redo\.threshold` cannot be `2\.0`"):
        axis_of(GTRParameters, "redo.threshold", "0:2", {}, ADD_ONS)


@pytest.mark.parametrize("name", ["redo.treshold", "rdo.threshold", "threshold"])
def test_an_unknown_field_of_an_add_on_brings_a_suggestion(name: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        axis_of(GTRParameters, name, None, {}, ADD_ONS)
    assert caught.value.hint is not None
    assert "redo.threshold" in caught.value.hint
