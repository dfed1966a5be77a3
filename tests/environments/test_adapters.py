"""Families say what stands between a simulator and a learner; a job's definition lists it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gtr_bench.environments.adapters import ADAPTERS, adapters_of
from gtr_bench.environments.offers import evaluated_options
from gtr_bench.environments.registry import families
from gtr_bench.errors import RequestError


class Adapting:
    name = "adapting"

    def adapters(self, task: str, options: Mapping[str, Any]) -> tuple[str, ...]:
        return ("flatten", "stack_frames") if task == "good" else ("squeeze",)

    def evaluation_options(self, task: str, options: Mapping[str, Any]) -> dict[str, Any]:
        return {"clip_reward": False}


@pytest.fixture(autouse=True)
def adapting(monkeypatch: pytest.MonkeyPatch) -> None:
    known = families.get
    monkeypatch.setattr(families, "get", lambda name: Adapting if name == "adapting" else known(name))


def test_adapters_come_from_the_family_and_are_empty_where_it_declares_none() -> None:
    assert adapters_of("adapting:good", {}) == ("flatten", "stack_frames")
    assert adapters_of("gym:CartPole-v1", {}) == ()


def test_a_family_cannot_declare_an_adapter_nobody_knows() -> None:
    with pytest.raises(RequestError, match="declares the unknown adapter `squeeze`"):
        adapters_of("adapting:other", {})


def test_evaluation_replaces_the_options_a_family_names_and_keeps_the_others() -> None:
    asked = {"clip_reward": True, "frames": 4}
    assert evaluated_options("adapting:good", asked) == {"clip_reward": False, "frames": 4}
    assert evaluated_options("gym:CartPole-v1", {}) == {}
    assert asked == {"clip_reward": True, "frames": 4}


def test_every_adapter_has_one_line_that_says_what_it_does() -> None:
    assert all(name.isidentifier() and meaning and "\n" not in meaning for name, meaning in ADAPTERS.items())
