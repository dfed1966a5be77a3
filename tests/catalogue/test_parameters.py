"""What a field of a model accepts, its default, search range and source, in words."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from gtr_bench.algorithms.a2c import A2CParameters
from gtr_bench.algorithms.parameters import OnPolicyParameters, scalar
from gtr_bench.algorithms.registry import algorithms
from gtr_bench.catalogue.parameters import Parameter, parameters_of

Positive = Annotated[float, Field(gt=0)]


class Inner(BaseModel):
    a: int | None = None


class Model(BaseModel):
    needed: str
    count: int = Field(8, ge=1, le=4096, description="how many")
    rate: float = scalar(1e-3, "step size (algorithms A.2, detail 4)", low=1e-5, high=1, scale="log", gt=0, lt=1e6)
    word: Literal["a", "b"] = "a"
    flag: bool = False
    none: Positive | None = Field(None, description="(not a citation) of algorithms")
    sizes: tuple[Annotated[int, Field(ge=1)], ...] = (64, 64)
    either: int | str = 1
    inner: Inner = Inner()
    table: dict[str, Any] = Field(default_factory=dict)


def found() -> dict[str, Parameter]:
    return {each.name: each for each in parameters_of(Model)}


@pytest.mark.parametrize(
    ("name", "values", "default"),
    [
        ("needed", "text", "required"),
        ("count", "integer from 1 to 4096", "8"),
        ("rate", "number above 0 below 1e6", "0.001"),
        ("word", '"a", "b"', '"a"'),
        ("flag", "true, false", "false"),
        ("none", "number above 0", "none"),
        ("sizes", "list of integers", "[64, 64]"),
        ("either", "integer or text", "1"),
        ("inner", "Inner", "{}"),
        ("table", "table", "{}"),
    ],
)
def test_values_and_defaults_are_told_in_words(name: str, values: str, default: str) -> None:
    assert (found()[name].values, found()[name].default_text) == (values, default)


def test_a_citation_at_the_end_of_a_description_is_its_source() -> None:
    assert (found()["rate"].meaning, found()["rate"].source) == ("step size", "algorithms A.2, detail 4")
    assert (found()["none"].meaning, found()["none"].source) == ("(not a citation) of algorithms", "")


def test_the_search_range_is_that_of_a_study() -> None:
    assert found()["rate"].search_text == "1e-5 to 1, log"
    assert found()["rate"].stackable
    assert found()["count"].search_text == "-"
    assert not found()["count"].stackable


def test_shared_settings_are_those_taken_over_as_they_are() -> None:
    shared = {each.name for each in parameters_of(A2CParameters, OnPolicyParameters) if each.shared}
    assert {"gamma", "num_envs"} <= shared
    assert shared.isdisjoint({"num_steps", "epochs", "learning_rate", "value_loss"})


@pytest.mark.parametrize("name", algorithms.own_names())
def test_the_limits_that_are_told_are_those_that_hold(name: str) -> None:
    """`integer from 1 to 4096` refuses 0 and 4097 and takes 1 and 4096."""
    model = algorithms.get(name).Parameters
    told = 0
    for each in parameters_of(model):
        words = each.values.split()
        if words[0] not in ("number", "integer"):
            continue
        limits = dict(zip(words[1::2], words[2::2], strict=True))
        step = 1 if words[0] == "integer" else 1e-9
        for word, outside in (("from", -step), ("to", step), ("above", 0.0), ("below", 0.0)):
            if word in limits:
                limit = float(limits[word]) if words[0] == "number" else int(limits[word])
                with pytest.raises(ValidationError):
                    model(**{each.name: type(limit)(limit + outside * max(1, abs(limit)))})
                told += 1
                if word in ("from", "to"):
                    model(**{each.name: limit})
    assert told > 15


@pytest.mark.parametrize("name", algorithms.own_names())
def test_defaults_that_are_told_are_accepted_as_json(name: str) -> None:
    model = algorithms.get(name).Parameters
    settings = {each.name: each.default for each in parameters_of(model)}
    assert TypeAdapter(model).validate_python(settings) == model()
