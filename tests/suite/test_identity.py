from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from pydantic import BaseModel, Field

from gtr_bench.suite.identity import IDENTITY_VERSION, canonical_json, defining, job_id, job_ids

DEFINITION: dict[str, Any] = {
    "identity_version": 1,
    "algorithm": {"name": "gtr", "version": 1, "parameters": {"sigma": 0.5, "anchors": 4, "sustain": False}},
    "sequence": {
        "phases": [
            {"environment": "gym:CartPole-v1", "options": {}, "steps": 25000, "variant": 0},
            {"environment": "gym:CartPole-v1", "options": {}, "steps": 25000, "variant": 1},
        ],
        "shifts": [{"kind": "action_permutation", "cycle": 2}],
        "max_episode_steps": None,
    },
    "packages": {"gymnasium": "1.4.0"},
    "network": {"torso": "mlp", "version": 1, "hidden": [64, 64], "activation": "tanh"},
    "evaluation": {"every": 5000, "episodes": 10, "deterministic": False, "all_phases": False},
    "seed": 0,
}


def test_the_golden_identity_has_not_moved() -> None:
    assert IDENTITY_VERSION == 1
    assert job_id(DEFINITION) == "693df8812b20ca95"


def test_canonical_json_is_sorted_ascii_and_without_spaces() -> None:
    assert canonical_json({"b": [1, 2.5, None], "a": "é"}) == '{"a":"\\u00e9","b":[1,2.5,null]}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_json_does_not_have_is_refused(value: float) -> None:
    with pytest.raises(ValueError):
        canonical_json({"x": value})


def test_the_order_of_keys_does_not_change_the_identity() -> None:
    def reversed_keys(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: reversed_keys(value[key]) for key in reversed(value)}
        return [reversed_keys(item) for item in value] if isinstance(value, list) else value

    assert list(reversed_keys(DEFINITION)) != list(DEFINITION)
    assert job_id(reversed_keys(DEFINITION)) == job_id(DEFINITION)


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    return [leaf for key, inner in items for leaf in _leaves(inner, (*path, key))] or [path]


@pytest.mark.parametrize("path", _leaves(DEFINITION), ids=lambda path: ".".join(map(str, path)))
def test_every_field_of_a_definition_is_part_of_the_identity(path: tuple[Any, ...]) -> None:
    changed = copy.deepcopy(DEFINITION)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = "something else"
    assert job_id(changed) != job_id(DEFINITION)


def test_a_definition_read_back_from_json_is_the_same_job() -> None:
    assert job_id(json.loads(canonical_json(DEFINITION))) == job_id(DEFINITION)


@pytest.mark.parametrize("extra", [{}, {"zebra": 1}, {"aardvark": [1]}])
def test_identities_of_many_seeds_are_those_of_the_single_definitions(extra: dict[str, Any]) -> None:
    shared = {key: value for key, value in DEFINITION.items() if key != "seed"} | extra
    seeds = [0, 1, 2**62, 5]
    assert list(job_ids(shared, seeds)) == [job_id({**shared, "seed": seed}) for seed in seeds]


def test_identities_of_a_definition_with_nothing_but_a_seed() -> None:
    assert list(job_ids({}, [3])) == [job_id({"seed": 3})]


class _Grown(BaseModel):
    """A parameter model to which two fields were added later."""

    old: float = 1.0
    new: int | None = Field(None, json_schema_extra={"since": 2})
    listed: tuple[int, ...] = Field((1, 2), json_schema_extra={"since": 3, "stackable": True})


def test_a_field_added_later_is_left_out_of_the_definition_while_it_is_neutral() -> None:
    assert defining(_Grown()) == {"old": 1.0}
    assert defining(_Grown(old=2.0, new=None, listed=(1, 2))) == {"old": 2.0}


def test_a_field_added_later_defines_the_job_as_soon_as_it_is_not_neutral() -> None:
    assert defining(_Grown(new=0)) == {"old": 1.0, "new": 0}
    assert defining(_Grown(listed=(1,))) == {"old": 1.0, "listed": [1]}
