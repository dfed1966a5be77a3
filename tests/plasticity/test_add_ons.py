"""What holds for every add-on of the program: neutral is none, alone is together, a stop changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from gtr_bench.learn.training import Training
from gtr_bench.plasticity.registry import add_ons
from tests.learn.helpers import CARTPOLE_SHIFT, CPU, assert_same_rows, make_definition, train
from tests.learn.test_members import assert_evaluations_and_iterations_equal, with_poisoned_member
from tests.learn.test_resume import assert_same_training, continued

NEUTRAL: dict[str, list[dict[str, Any]]] = {
    "l2_init": [{"strength": 0.0}],
    "redo": [{"threshold": -1.0, "period": 1}, {"period": 0}],
}
BUSY: dict[str, dict[str, Any]] = {"l2_init": {"strength": 0.01}, "redo": {"threshold": 0.2, "period": 2}}
WORLD: dict[str, Any] = {
    "phases": (512, 256), "shifts": CARTPOLE_SHIFT, "activation": "relu", "learning_rate": 0.02, "episodes": 2,
    "evaluate_every": 256,
}  # fmt: skip


def own(name: str) -> set[str]:
    return set(add_ons.get(name).columns)


def test_these_are_all_of_them() -> None:
    shipped = {name for name in add_ons.names() if add_ons.get(name).__module__.startswith("gtr_bench.")}
    assert NEUTRAL.keys() == BUSY.keys() == shipped


@pytest.mark.parametrize(("name", "neutral"), [(name, each) for name, found in NEUTRAL.items() for each in found])
@pytest.mark.parametrize(("algorithm", "environment"), [("ppo", "gym:CartPole-v1"), ("gtr", "gym:Pendulum-v1")])
def test_at_its_neutral_setting_it_is_bit_identical_to_none(
    name: str, neutral: dict[str, Any], algorithm: str, environment: str
) -> None:
    world = WORLD | ({"shifts": ()} if environment == "gym:Pendulum-v1" else {})
    none = train(make_definition(algorithm, environment, **world))
    neutrally = train(make_definition(algorithm, environment, plasticity={name: neutral}, **world))
    assert torch.equal(none.learner.model.data, neutrally.learner.model.data)
    for left, right in zip(none.rows_of(0), neutrally.rows_of(0), strict=True):
        kept = {column: values for column, values in right.items() if column not in own(name)}
        assert_evaluations_and_iterations_equal(left, kept)


@pytest.mark.parametrize("name", BUSY)
def test_it_does_something_when_it_is_not(name: str) -> None:
    none, busy = train(make_definition(**WORLD)), train(make_definition(plasticity={name: BUSY[name]}, **WORLD))
    assert not torch.equal(none.learner.model.data, busy.learner.model.data)
    logged = busy.rows_of(0)[1]
    assert all(any(value for value in logged[column]) for column in own(name))


def test_a_strength_of_zero_beside_another_is_none_too() -> None:
    pair = [make_definition(plasticity={"l2_init": {"strength": each}}, **WORLD) for each in (0.0, 0.1)]
    together, none = train(*pair), train(make_definition(**WORLD))
    for column, values in none.rows_of(0)[1].items():
        assert_same_rows({column: together.rows_of(0)[1][column]}, {column: values}, relative=2e-3, absolute=1e-4)


ROWS: list[list[dict[str, dict[str, Any]]]] = [
    [BUSY, BUSY, BUSY],
    [{"l2_init": {"strength": each}} for each in (0.0, 1e-3, 1.0)],
    [{"redo": {"threshold": each, "period": 1}} for each in (-1.0, 0.0, 0.2)],
]


@pytest.mark.parametrize("rows", ROWS, ids=["all of them", "strengths", "thresholds"])
def test_a_member_of_three_learns_as_it_does_alone(rows: list[dict[str, dict[str, Any]]]) -> None:
    definitions = [make_definition(seed=seed, plasticity=row, **WORLD) for seed, row in enumerate(rows)]
    together = train(*definitions)
    for member, definition in enumerate(definitions):
        assert_same_rows(together.rows_of(member)[1], train(definition).rows_of(0)[1], relative=2e-3, absolute=1e-4)


@pytest.mark.parametrize("algorithm", ["ppo", "oracle"])
def test_it_continues_exactly(algorithm: str, tmp_path: Path) -> None:
    definitions = [make_definition(algorithm, seed=seed, plasticity=BUSY, **WORLD) for seed in (0, 1)]
    assert_same_training(continued(definitions, [1, 3, 4], tmp_path), train(*definitions))


def test_a_frozen_member_is_not_moved_and_the_others_do_not_notice() -> None:
    definitions = [make_definition(seed=seed, plasticity=BUSY, **WORLD) for seed in (0, 1, 2)]
    healthy, poisoned = train(*definitions), with_poisoned_member(definitions, 2, float("inf"))
    assert poisoned.diverged.tolist() == [-1, 3 * 128, -1]
    for member in (0, 2):
        for left, right in zip(poisoned.rows_of(member), healthy.rows_of(member), strict=True):
            assert_evaluations_and_iterations_equal(left, right)


def test_a_member_that_has_been_frozen_keeps_its_parameters() -> None:
    training = Training([make_definition(seed=seed, plasticity=BUSY, **WORLD) for seed in (0, 1)], CPU)
    training.run(lambda: training.position < 1)
    training.learner.frozen[1] = True
    before = training.learner.model.data.clone()
    training.run(lambda: training.position < 4)
    training.close()
    assert torch.equal(training.learner.model.data[1], before[1])
    assert not torch.equal(training.learner.model.data[0], before[0])
