"""A small valid suite that tests change line by line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gtr_bench.errors import Problem, SuiteError
from gtr_bench.suite import Suite, parse_suite

SUITE = """\
[suite]
name = "tiny"
question = "Does it load?"
primary_metric = "lifetime_return"
comparisons = [["gtr", "ppo"]]
seeds = 2

[training]
num_envs = 4
num_steps = 25
[evaluation]
every = 200

[[sequence]]
id = "swap"
env = "gym:CartPole-v1"
phases = 3
steps_per_phase = 1000
shift = { kind = "action_permutation", cycle = 2 }

[[algorithm]]
id = "ppo"

[[algorithm]]
id = "gtr"
sigma = 0.5
"""

ONE_SETTING = ('comparisons = [["gtr", "ppo"]]', "")
"""the change that goes with a grid of `gtr`, which no comparison may name as a whole"""


def changed(*changes: tuple[str, str], extra: str = "") -> str:
    """SUITE with pieces of its text replaced and `extra` at its end."""
    text = SUITE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text + extra


@pytest.fixture
def load() -> Callable[..., Suite]:
    """load((old, new), ..., extra=, scale=) -> the changed suite."""

    def loaded(*changes: tuple[str, str], extra: str = "", scale: str | None = None) -> Suite:
        return parse_suite(changed(*changes, extra=extra), path="tiny.toml", scale=scale)

    return loaded


@pytest.fixture
def problems(load: Callable[..., Suite]) -> Callable[..., list[Problem]]:
    """problems((old, new), ..., extra=, scale=) -> what is wrong with the changed suite."""

    def found(*changes: tuple[str, str], extra: str = "", scale: str | None = None) -> list[Problem]:
        with pytest.raises(SuiteError) as caught:
            load(*changes, extra=extra, scale=scale)
        return caught.value.problems

    return found
