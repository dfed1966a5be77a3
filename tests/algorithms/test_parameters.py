"""Parameter models: impossible values are refused, and every field explains itself."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

from gtr_bench.algorithms.parameters import stackable_fields
from gtr_bench.algorithms.registry import algorithms

NAMES = ["a2c", "gtr", "oracle", "ppo", "ppo_kl", "spo", "trpo"]
SCALARS = [(name, field) for name in NAMES for field in stackable_fields(algorithms.get(name).Parameters)]


def test_these_are_the_algorithms() -> None:
    assert algorithms.names() == NAMES
    assert [algorithms.get(name).name for name in NAMES] == NAMES


@pytest.mark.parametrize("value", [0.0, -0.1, math.nan, math.inf, -math.inf, "wide", None])
@pytest.mark.parametrize("field", ["sigma", "shape", "learning_rate", "clip_range", "anchor_temperature"])
def test_gtr_refuses_impossible_widths(field: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=field):
        algorithms.get("gtr").Parameters(**{field: value})


@pytest.mark.parametrize(("name", "field"), SCALARS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_no_scalar_takes_nan_infinity_or_a_negative_number(name: str, field: str, value: float) -> None:
    with pytest.raises(ValidationError, match=field):
        algorithms.get(name).Parameters(**{field: value})


@pytest.mark.parametrize(("name", "field"), SCALARS)
def test_every_scalar_states_its_meaning_and_a_range_that_it_accepts(name: str, field: str) -> None:
    model = algorithms.get(name).Parameters
    search = stackable_fields(model)[field]
    assert model.model_fields[field].description
    assert search["low"] < search["high"]
    assert search["scale"] in ("linear", "log")
    assert search["scale"] == "linear" or search["low"] > 0
    for end in (search["low"], search["high"]):
        assert getattr(model(**{field: end}), field) == end


@pytest.mark.parametrize("name", NAMES)
def test_every_field_has_a_meaning_and_unknown_ones_are_refused(name: str) -> None:
    model = algorithms.get(name).Parameters
    assert all(field.description for field in model.model_fields.values())
    with pytest.raises(ValidationError, match="sigmma"):
        model(sigmma=1.0)


@pytest.mark.parametrize(
    ("field", "value"), [("anchors", 0), ("anchor_interval", 0), ("anchor_decay", 1.0), ("anchor_decay", 0.0)]
)
def test_gtr_refuses_impossible_anchors(field: str, value: float) -> None:
    with pytest.raises(ValidationError, match=field):
        algorithms.get("gtr").Parameters(**{field: value})


@pytest.mark.parametrize("field", ["form", "kernel", "distance", "surrogate", "anchor", "anchor_weighting"])
def test_gtr_refuses_unknown_choices(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        algorithms.get("gtr").Parameters(**{field: "nonesuch"})


@pytest.mark.parametrize(("field", "value"), [("epochs", 2), ("num_minibatches", 4)])
def test_a2c_takes_one_step_per_rollout(field: str, value: int) -> None:
    with pytest.raises(ValidationError, match=field):
        algorithms.get("a2c").Parameters(**{field: value})
