"""A member's numbers are its own: alone or in a cohort, whatever the others do."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import gtr_bench.learn.training as module
from gtr_bench.learn.training import Training
from gtr_bench.suite.seeds import Seeds
from tests.learn.helpers import (
    CARTPOLE_SHIFT,
    CPU,
    GRU,
    assert_same_rows,
    iteration_rows,
    make_definition,
    train,
    use_faults,
)

SEEDS = (3, 4, 5)
CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("ppo", "gym:CartPole-v1", {"shifts": CARTPOLE_SHIFT, "phases": (256, 256)}),
    ("ppo", "gym:Pendulum-v1", {"observation_normalisation": True, "reward_normalisation": True}),
    ("ppo", "gym:CartPole-v1", {"target_kl": 1e-3, "learning_rate": 1e-3}),
    ("ppo_kl", "gym:CartPole-v1", {"adaptive": True, "entropy_coefficient": 0.01}),
    ("ppo_kl", "gym:Pendulum-v1", {}),
    ("spo", "gym:Pendulum-v1", {"advantage_normalisation": "batch"}),
    ("a2c", "gym:CartPole-v1", {"phases": (200,)}),
    ("oracle", "gym:CartPole-v1", {"shifts": CARTPOLE_SHIFT, "phases": (256, 256)}),
    ("gtr", "gym:CartPole-v1", {"sustain": True, "anchor_weighting": "return"}),
    ("gtr", "gym:Pendulum-v1", {"distance": "log_ratio", "anchor": "mixture_policy"}),
    ("ppo", "gym:CartPole-v1", {"network": GRU, "max_episode_steps": 20}),
]


@pytest.mark.parametrize(("algorithm", "environment", "settings"), CASES)
def test_a_member_of_three_learns_as_it_does_alone(algorithm: str, environment: str, settings: dict[str, Any]) -> None:
    settings = {"phases": (512,)} | settings
    definitions = [make_definition(algorithm, environment, seed=seed, **settings) for seed in SEEDS]
    together = train(*definitions)
    for member in (0, 2):
        alone = iteration_rows(train(definitions[member]))
        assert_same_rows(iteration_rows(together, member), alone, relative=2e-3, absolute=1e-4)


def test_members_with_different_seeds_differ() -> None:
    together = train(*(make_definition(seed=seed) for seed in SEEDS), iterations=2)
    first, second = (iteration_rows(together, member) for member in (0, 1))
    assert first["entropy"] != second["entropy"]
    assert first["weight_norm"] != second["weight_norm"]


@pytest.mark.parametrize(
    ("algorithm", "rows"),
    [
        ("gtr", [{"sigma": 0.1}, {"sigma": 2.0}]),
        ("gtr", [{"beta": 0.1, "shape": 1.0, "anchor_decay": 0.4}, {"beta": 5.0, "shape": 3.0, "anchor_decay": 0.9}]),
        ("ppo", [{"learning_rate": 1e-4}, {"learning_rate": 3e-3}]),
        ("ppo", [{"clip_range": 0.05}, {"clip_range": 0.5}]),
        ("ppo", [{"gamma": 0.9, "gae_lambda": 0.8}, {"gamma": 0.999, "gae_lambda": 1.0}]),
        ("ppo", [{"entropy_coefficient": 0.0, "value_coefficient": 0.1},
                 {"entropy_coefficient": 0.1, "value_coefficient": 2.0}]),
        ("ppo_kl", [{"beta": 0.1, "kl_target": 0.003, "adaptive": True},
                    {"beta": 9.0, "kl_target": 0.03, "adaptive": True}]),
        ("gtr", [{"sustain": True, "sustain_patience": 1.0, "sustain_threshold": 0.0},
                 {"sustain": True, "sustain_patience": 9.0, "sustain_threshold": 0.1}]),
    ],
)  # fmt: skip
def test_scalars_that_differ_within_a_cohort_give_the_same_as_separate_runs(
    algorithm: str, rows: list[dict[str, Any]]
) -> None:
    definitions = [make_definition(algorithm, seed=1, phases=(384,), **({"learning_rate": 5e-3} | row)) for row in rows]
    together = train(*definitions)
    for member, definition in enumerate(definitions):
        assert_same_rows(
            iteration_rows(together, member), iteration_rows(train(definition)), relative=2e-3, absolute=1e-4
        )
    assert iteration_rows(together, 0)["weight_norm"] != iteration_rows(together, 1)["weight_norm"]


def with_poisoned_member(definitions: list[dict[str, Any]], at: int, value: float) -> Training:
    """A cohort whose second member's parameters are spoilt after iteration `at`."""
    training = Training(definitions, CPU)

    def after_iteration() -> bool:
        if training.position == at:
            training.learner.model.data[1, :7] = value
        return True

    training.run(after_iteration)
    training.close()
    return training


@pytest.mark.parametrize(
    ("algorithm", "value"), [("ppo", float("inf")), ("ppo_kl", float("nan")), ("gtr", float("nan"))]
)
def test_a_member_that_diverges_is_frozen_and_the_others_do_not_notice(algorithm: str, value: float) -> None:
    definitions = [
        make_definition(algorithm, seed=seed, shifts=CARTPOLE_SHIFT, phases=(512, 256), episodes=2, evaluate_every=256)
        for seed in SEEDS
    ]
    healthy, poisoned = train(*definitions), with_poisoned_member(definitions, 2, value)
    assert poisoned.diverged.tolist() == [-1, 3 * 128, -1]
    assert poisoned.messages == ["", "the update gave parameters that are not finite", ""]
    assert poisoned.position == healthy.position
    for member in (0, 2):
        for left, right in zip(poisoned.rows_of(member), healthy.rows_of(member), strict=True):
            assert_evaluations_and_iterations_equal(left, right)
    evaluations, iterations = poisoned.rows_of(1)
    assert iterations["step"][-1] == 3 * 128
    assert max(evaluations["step"]) <= 3 * 128


def assert_evaluations_and_iterations_equal(left: dict[str, Any], right: dict[str, Any]) -> None:
    assert left.pop("point", None) == right.pop("point", None)
    assert_same_rows(left, right)


def test_a_cohort_ends_when_every_member_has_diverged() -> None:
    training = Training([make_definition()], CPU)

    def after_iteration() -> bool:
        training.learner.model.data.fill_(torch.nan)
        return True

    training.run(after_iteration)
    training.close()
    assert training.finished
    assert training.diverged.tolist() == [2 * 128]
    assert training.position == 2


def test_an_environment_that_gives_nan_freezes_its_member_only(monkeypatch: pytest.MonkeyPatch) -> None:
    use_faults(monkeypatch)
    # two sequences, which would have seeds of their own
    monkeypatch.setattr(module, "derive_seeds", lambda definition: Seeds(definition["seed"], definition["seed"], 12))

    def definitions(task: str) -> list[dict[str, Any]]:
        options = {"after": 70, "member": 1}
        return [make_definition("ppo", f"fault:{task}", seed=seed, options=options, phases=(768,)) for seed in SEEDS]

    healthy, faulty = train(*definitions("none")), train(*definitions("nan"))
    assert faulty.diverged.tolist() == [-1, 3 * 128, -1]
    assert faulty.messages[1] == "the environment gave an observation or a reward that is not finite"
    assert faulty.position == healthy.position
    for member in (0, 2):
        assert_same_rows(faulty.rows_of(member)[1], healthy.rows_of(member)[1])
    assert len(faulty.rows_of(1)[1]["step"]) == 3
