"""How differences between definitions are told."""

from __future__ import annotations

from typing import Any

from gtr_bench.compare.definitions import incomparable, parameter_differences, setting, version_differences


def definition(**changed: Any) -> dict[str, Any]:
    return {
        "identity_version": 1,
        "algorithm": {"name": "ppo", "version": 1, "parameters": {"clip": 0.2, "schedule": "none"}},
        "sequence": {"phases": [{"steps": 10, "options": {}}], "shifts": [], "max_episode_steps": None},
        "packages": {"gymnasium": "1.1"},
        "network": {"torso": "mlp", "version": 1, "hidden": [64, 64]},
        "evaluation": {"every": 5, "episodes": 10},
        "seed": 0,
        **changed,
    }


def test_seeds_and_versions_are_no_setting() -> None:
    newer = definition(
        seed=3,
        packages={"gymnasium": "1.2"},
        algorithm={"name": "ppo", "version": 2, "parameters": {"clip": 0.2, "schedule": "none"}},
    )
    assert setting(newer) == setting(definition())
    assert parameter_differences(definition(), newer) == ()
    assert setting(definition(network={"torso": "mlp", "version": 1, "hidden": [32]})) != setting(definition())


def test_parameters_are_told_in_the_words_of_a_suite() -> None:
    other = definition(
        algorithm={"name": "ppo", "version": 1, "parameters": {"clip": None, "beta": 1.5, "schedule": "linear"}},
        network={"torso": "mlp", "version": 1, "hidden": [32]},
        sequence={"phases": [{"steps": 20, "options": {}}], "shifts": [], "max_episode_steps": None},
    )
    assert parameter_differences(definition(), other) == (
        "beta absent -> 1.5",
        "clip 0.2 -> null",
        "schedule none -> linear",
        "network.hidden [64, 64] -> [32]",
        "sequence.phases[0].steps 10 -> 20",
    )


def test_another_algorithm_under_the_same_label_is_told() -> None:
    other = definition(algorithm={"name": "spo", "version": 1, "parameters": {"clip": 0.2, "schedule": "none"}})
    assert parameter_differences(definition(), other) == ("algorithm.name ppo -> spo",)


def test_versions_of_all_jobs_of_a_side_are_told_together() -> None:
    mixed = [definition(), definition(packages={"gymnasium": "1.2", "mujoco": "3.3.0"})]
    assert version_differences([definition()], mixed) == ("gymnasium 1.1 -> 1.1 and 1.2", "mujoco absent -> 3.3.0")
    assert version_differences(mixed, mixed[::-1]) == ()


def test_returns_compare_on_the_same_worlds_evaluated_alike() -> None:
    assert incomparable(definition(), definition(seed=9, evaluation={"every": 5, "episodes": 99})) == ""
    longer = definition(sequence={"phases": [{"steps": 20}], "shifts": [], "max_episode_steps": None})
    assert incomparable(definition(), longer).startswith("the worlds differ")
    assert incomparable(definition(), definition(evaluation={"every": 6, "episodes": 10})).startswith("the evaluation")


def with_add_ons(**parameters: float) -> dict[str, Any]:
    """L2 Init beside ReDo with these parameters."""
    return definition(
        plasticity=[
            {"name": "l2_init", "version": 1, "parameters": {"strength": 0.1}},
            {"name": "redo", "version": 2, "parameters": parameters},
        ]
    )


def test_add_ons_are_told_by_name_wherever_they_stand() -> None:
    one = definition(plasticity=[{"name": "redo", "version": 1, "parameters": {"threshold": 0.1}}])
    assert parameter_differences(definition(), one) == ("redo absent -> on", "redo.threshold absent -> 0.1")
    assert parameter_differences(one, with_add_ons(threshold=0.2)) == (
        "l2_init absent -> on",
        "l2_init.strength absent -> 0.1",
        "redo.threshold 0.1 -> 0.2",
    )
    assert parameter_differences(with_add_ons(threshold=0.1), with_add_ons(threshold=0.1)) == ()


def test_versions_of_add_ons_are_versions() -> None:
    older = definition(plasticity=[{"name": "redo", "version": 1, "parameters": {"threshold": 0.1}}])
    newer = definition(plasticity=[{"name": "redo", "version": 2, "parameters": {"threshold": 0.1}}])
    assert setting(older) == setting(newer)
    assert version_differences([older], [newer]) == ("redo version 1 -> 2",)


def test_a_raised_version_of_the_learner_is_a_version_and_absent_means_one() -> None:
    old = {"algorithm": {"name": "ppo", "version": 1, "parameters": {}}, "seed": 0}
    new = old | {"learn": 2}
    assert version_differences([old], [new]) == ("learn 1 -> 2",)
    assert setting(old) == setting(new)
