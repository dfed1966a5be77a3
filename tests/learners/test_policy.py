"""What the on-policy learner answers to suites, plans and reports."""

from __future__ import annotations

import pytest

from gtr_bench.learners.policy import PolicyLearner
from gtr_bench.learners.registry import kind_of
from gtr_bench.suite.problems import Problems
from gtr_bench.suite.source import parse_source
from tests.learn.helpers import make_definition, train

KIND = PolicyLearner()


def test_the_marks_are_where_the_training_evaluates() -> None:
    definition = make_definition(phases=(1024, 768), evaluate_every=300, episodes=1)
    rows = train(definition).rows_of(0)[0]
    grid = [step for step, point in zip(rows["step"], rows["point"], strict=True) if point == "grid"]
    first, second = KIND.marks(definition)
    assert grid == [*first, *(1024 + mark for mark in second)]
    assert first
    assert second


def test_iterations_are_counted_as_the_training_does_without_evaluations() -> None:
    definition = make_definition(phases=(1024, 320), episodes=0)
    assert KIND.iterations(definition) == len(train(definition).rows_of(0)[1]["step"])


@pytest.mark.parametrize(
    ("steps", "length", "expected"),
    [
        (1024, 1, []),
        (1026, 1, ["`steps_per_phase` 1026 is not a multiple of `num_envs` 4"]),
        (1024, 16, []),
        (1044, 16, ["`steps_per_phase` 1044 is not a multiple of `num_envs` 4 times `sequence_length` 16"]),
        (1024, 64, ["`num_steps` 32 is less than the network's `sequence_length` 64"]),
    ],
)
def test_phases_are_whole_units_of_all_environments(steps: int, length: int, expected: list[str]) -> None:
    parameters = make_definition()["algorithm"]["parameters"]
    found = [each.sentence for each in KIND.refusals(parameters, {"sequence_length": length}, steps)]
    assert found == expected


def test_members_may_differ_in_stackable_numbers_and_in_nothing_else() -> None:
    def key(**parameters: object) -> str:
        definition = make_definition(**parameters)  # type: ignore[arg-type]
        return KIND.stack_key({name: value for name, value in definition.items() if name != "seed"})

    assert key(learning_rate=1e-3) == key(learning_rate=1e-4) == key(seed=5)
    assert key(epochs=3) != key(epochs=4)
    assert key(hidden=(8,)) != key(hidden=(16,))


def test_every_shipped_algorithm_is_trained_by_this_kind() -> None:
    assert {type(kind_of(make_definition(name))) for name in ("ppo", "gtr", "spo", "a2c")} == {PolicyLearner}


def test_one_torso_for_actor_and_critic_is_asked_for_in_the_network_table() -> None:
    """It stands in a job's definition only where it is true."""
    problems = Problems(parse_source("", "suite.toml"))
    apart = KIND.network({"torso": "impala_cnn"}, problems)
    assert KIND.network({"torso": "impala_cnn", "shared": False}, problems) == apart
    assert KIND.network({"torso": "impala_cnn", "shared": True}, problems) == {**apart, "shared": True}
    assert "shared" not in apart
    assert KIND.network({"torso": "mlp", "shared": 1}, problems) == {}
