"""A member's numbers are bit for bit the same in every cohort: evaluations and iterations, whole runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.learn.helpers import make_definition, train

CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("ppo", "gym:CartPole-v1", {"entropy_coefficient": 0.01}),
    ("ppo", "gym:Acrobot-v1", {"num_minibatches": 3, "activation": "relu", "hidden": (20,)}),
    ("ppo", "gym:Pendulum-v1", {"observation_normalisation": True, "reward_normalisation": True}),
    ("gtr", "gym:CartPole-v1", {}),
    ("gtr", "gym:Pendulum-v1", {}),
]


def check(algorithm: str, environment: str, settings: dict[str, Any], largest: int) -> None:
    own = {"hidden": (64, 64), "episodes": 2, "num_envs": 8, "phases": (2048,), "evaluate_every": 1024} | settings
    definitions = [make_definition(algorithm, environment, seed=seed, **own) for seed in range(largest)]
    everyone = train(*definitions)
    for count in {1, 2, 5, largest // 3}:
        for first in {0, min(3, largest - count), largest - count}:  # a member's place must not matter either
            fewer = train(*definitions[first : first + count])
            for member in {0, count - 1}:
                for mine, same in zip(fewer.rows_of(member), everyone.rows_of(first + member), strict=True):
                    assert mine.keys() == same.keys()
                    for name, values in mine.items():
                        assert repr(values) == repr(same[name]), (count, first, member, name)


@pytest.mark.slow
@pytest.mark.parametrize("largest", [20, 64])
@pytest.mark.parametrize(("algorithm", "environment", "settings"), CASES)
def test_evaluations_and_iterations_do_not_depend_on_the_cohort(
    algorithm: str, environment: str, settings: dict[str, Any], largest: int
) -> None:
    check(algorithm, environment, settings, largest)


def test_a_short_run_does_not_depend_on_the_cohort() -> None:
    check("gtr", "gym:CartPole-v1", {"phases": (768,), "evaluate_every": 384}, 6)
