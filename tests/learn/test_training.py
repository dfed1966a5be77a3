"""A whole life: rows on the timeline, limits between algorithms, re-initialisation at shifts, evaluation apart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from gtr_bench.environments.gymnasium_family import GymnasiumFamily
from gtr_bench.learn import training as module
from gtr_bench.learn.training import EVALUATION_COLUMNS
from gtr_bench.learners.columns import FRAME
from gtr_bench.learners.policy import PolicyLearner
from gtr_bench.suite.seeds import Seeds
from tests.learn.helpers import CARTPOLE_SHIFT, assert_same_rows, iteration_rows, make_definition, train

A2C_AS_PPO: dict[str, Any] = {
    "num_steps": 5, "num_minibatches": 1, "epochs": 1, "optimizer": "rmsprop", "learning_rate": 7e-4, "gae_lambda": 1.0,
    "advantage_normalisation": "none", "value_loss": "mse",
}  # fmt: skip


@pytest.fixture
def same_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Different algorithms start from the same learner seed (usually its name is part of it)."""
    monkeypatch.setattr(module, "derive_seeds", lambda definition: Seeds(definition["seed"], 11, 12))


@pytest.mark.usefixtures("same_seeds")
def test_ppo_with_one_epoch_and_one_minibatch_is_a2c_bit_for_bit() -> None:
    first = train(make_definition("a2c", phases=(400,)))
    second = train(make_definition("ppo", phases=(400,), **A2C_AS_PPO))
    assert torch.equal(first.learner.model.data, second.learner.model.data)


@pytest.mark.usefixtures("same_seeds")
@pytest.mark.parametrize("environment", ["gym:CartPole-v1", "gym:Pendulum-v1"])
def test_gtr_with_a_very_wide_well_learns_as_ppo_kl_and_without_a_penalty_as_ppo(environment: str) -> None:
    wide = {"sigma": 1e6, "anchors": 1, "surrogate": "linear", "beta": 2.0}
    for gtr, name, other in (
        (wide, "ppo_kl", {"beta": 2.0}),
        ({"beta": 0.0}, "ppo", {}),
        ({"form": "gated_spo", "sigma": 1e6}, "spo", {}),
    ):
        first = train(make_definition("gtr", environment, phases=(256,), **gtr))
        second = train(make_definition(name, environment, phases=(256,), **other))
        torch.testing.assert_close(first.learner.model.data, second.learner.model.data, rtol=1e-3, atol=1e-4)


@pytest.mark.usefixtures("same_seeds")
def test_the_oracle_is_ppo_until_a_shift_and_a_new_learner_after_it() -> None:
    world: dict[str, Any] = {"shifts": CARTPOLE_SHIFT, "phases": (256, 256), "learning_rate": 5e-3}
    oracle, ppo = train(make_definition("oracle", **world)), train(make_definition("ppo", **world))
    assert_same_rows(iteration_rows(oracle), iteration_rows(ppo), rows=2)
    # the new network's first update starts from an untouched one: near-uniform policy, no previous update to turn from
    after = iteration_rows(oracle)
    assert after["turning"][2] is None
    assert iteration_rows(ppo)["turning"][2] is not None
    assert after["entropy"][2] == pytest.approx(math.log(2), rel=2e-2)


def test_only_the_oracle_and_those_who_ask_forget_at_a_shift() -> None:
    world: dict[str, Any] = {
        "shifts": CARTPOLE_SHIFT, "phases": (128, 128), "observation_normalisation": True, "reward_normalisation": True
    }  # fmt: skip

    def seen(algorithm: str, **parameters: Any) -> float:
        normaliser = train(make_definition(algorithm, **world, **parameters)).learner.observation_normaliser
        assert normaliser is not None
        return normaliser.moments.count

    # 32 steps and a first observation in each of 4 environments and phases
    assert seen("ppo") == pytest.approx(2 * 33 * 4, abs=1)
    assert seen("ppo", reset_normalisation_at_shift=True) == pytest.approx(33 * 4, abs=1)
    assert seen("oracle") == pytest.approx(33 * 4, abs=1)


def test_rows_lie_on_the_timeline_and_every_column_is_there() -> None:
    training = train(make_definition(shifts=CARTPOLE_SHIFT, phases=(512, 640), episodes=3, evaluate_every=256))
    evaluations, iterations = training.rows_of(0)
    assert tuple(evaluations) == EVALUATION_COLUMNS
    assert list(iterations) == [*FRAME, *PolicyLearner.columns]
    assert iterations["step"] == list(range(128, 1153, 128))
    assert iterations["iteration"] == list(range(9))
    assert iterations["phase"] == [0] * 4 + [1] * 5
    points = list(zip(evaluations["point"], evaluations["step"], evaluations["phase"], strict=True))
    assert points == [
        ("start", 0, 0), ("grid", 256, 0), ("before_shift", 512, 0), ("after_shift", 512, 1), ("grid", 768, 1),
        ("grid", 1024, 1), ("end", 1152, 1),
    ]  # fmt: skip
    assert evaluations["episodes"] == [3] * 7
    assert all(value is not None and value > 0 for value in evaluations["return_mean"])
    assert evaluations["success_rate"] == [None] * 7
    assert training.finished
    assert (training.step, training.phase) == (1152, 1)


def test_every_phase_is_evaluated_when_asked() -> None:
    definition = make_definition(shifts=CARTPOLE_SHIFT, phases=(128, 128, 128), episodes=2)
    definition["evaluation"]["all_phases"] = True
    evaluations = train(definition).rows_of(0)[0]
    by_point = list(zip(evaluations["point"], evaluations["phase"], evaluations["evaluated_phase"], strict=True))
    assert by_point[:6] == [("start", 0, p) for p in (0, 1, 2)] + [("before_shift", 0, p) for p in (0, 1, 2)]
    assert by_point[6:12] == [(point, 1, p) for point in ("after_shift", "before_shift") for p in (1, 0, 2)]


@pytest.mark.parametrize(
    ("kept", "once"), [(module.EVALUATION_ENVIRONMENTS_KEPT, True), (12, True), (6, False), (1, False)]
)
def test_where_every_phase_is_evaluated_each_task_is_built_once_if_so_many_may_be_kept(
    kept: int, once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six tasks, three evaluations each: with fewer kept some are built again, and no number changes."""
    pytest.importorskip("mujoco")
    definition = make_definition("ppo", "gym:InvertedPendulum-v5", phases=(128,) * 6, episodes=2, evaluate_every=768)
    for frames, phase in enumerate(definition["sequence"]["phases"], 1):
        phase["options"] = {"frame_skip": frames}
    definition["evaluation"]["all_phases"] = True
    made: list[int] = []
    make = GymnasiumFamily.make

    def counted(self: GymnasiumFamily, task: str, **arguments: Any) -> Any:
        made.extend([arguments["options"]["frame_skip"]] * (arguments["envs"] == 2))
        return make(self, task, **arguments)

    monkeypatch.setattr(GymnasiumFamily, "make", counted)
    expected = train(definition).rows_of(0)[0]
    made.clear()
    monkeypatch.setattr(module, "EVALUATION_ENVIRONMENTS_KEPT", kept)
    assert train(definition).rows_of(0)[0] == expected
    assert (sorted(made) == [1, 2, 3, 4, 5, 6]) == once


def test_evaluation_does_not_touch_learning() -> None:
    """Statistics, random streams and episodes of training are the same with and without it."""
    settings: dict[str, Any] = {
        "shifts": CARTPOLE_SHIFT, "phases": (256, 256), "evaluate_every": 256, "observation_normalisation": True
    }  # fmt: skip
    without, often = (train(make_definition(episodes=episodes, **settings)) for episodes in (0, 4))
    assert torch.equal(without.learner.model.data, often.learner.model.data)
    assert_same_rows(iteration_rows(without), iteration_rows(often))
    assert without.rows_of(0)[0]["step"] == []


def test_deterministic_evaluation_plays_the_mode() -> None:
    """CartPole's first policies are near chance: the mode holds the pole for other times than samples do."""
    found = []
    for deterministic in (True, False):
        definition = make_definition(phases=(128,), episodes=4)
        definition["evaluation"]["deterministic"] = deterministic
        found.append(train(definition).rows_of(0)[0]["return_mean"])
    assert found[0] != found[1]


def test_training_returns_are_those_of_whole_episodes_only() -> None:
    """CartPole cut after 10 steps gives 10 or less; 32 steps of 4 environments end at least three episodes each."""
    rows = train(make_definition(max_episode_steps=10, phases=(256,))).rows_of(0)[1]
    assert all(episodes >= 12 for episodes in rows["episodes"])
    assert all(8 <= value <= 10 for value in rows["training_return"])
    assert rows["training_return"] == rows["episode_length"]


def test_a_rollout_in_which_no_episode_ends_has_no_training_return() -> None:
    rows = train(make_definition("ppo", "gym:Pendulum-v1", phases=(256,))).rows_of(0)[1]
    assert rows["episodes"] == [0, 0]
    assert rows["training_return"] == [None, None]


def test_rank_and_dormancy_are_computed_now_and_then() -> None:
    rows = train(make_definition(phases=(17 * 128,))).rows_of(0)[1]
    assert [place for place, value in enumerate(rows["feature_rank"]) if value is not None] == [0, 16]
    assert all(0 <= rows["dormant_fraction"][place] <= 1 for place in (0, 16))
    assert [place for place, value in enumerate(rows["path_efficiency"]) if value is not None] == [15, 16]
    assert 0 < rows["path_efficiency"][16] <= 1


def test_the_path_starts_anew_in_every_phase() -> None:
    rows = train(make_definition(shifts=CARTPOLE_SHIFT, phases=(16 * 128, 128))).rows_of(0)[1]
    for field in ("path_length", "displacement", "path_efficiency"):
        assert rows[field][15] is not None
        assert rows[field][16] is None
    assert rows["step_length"][16] is not None


@pytest.mark.usefixtures("same_seeds")
def test_a_reward_factor_teaches_what_scaled_rewards_teach() -> None:
    scaled = [{"kind": "reward_scale", "factors": [0.25]}]
    first = train(make_definition("ppo", "gym:Pendulum-v1", phases=(256,), reward_factor=0.25))
    second = train(make_definition("ppo", "gym:Pendulum-v1", phases=(256,), shifts=scaled))
    assert torch.equal(first.learner.model.data, second.learner.model.data)
    returns = [np.array(each.rows_of(0)[0]["return_mean"], np.float64) for each in (first, second)]
    assert np.allclose(0.25 * returns[0], returns[1])


def test_discounted_returns_are_the_value_targets_of_lambda_one_and_leave_the_advantages() -> None:
    longer: dict[str, Any] = {"phases": (256,), "value_target": "discounted_return"}
    same = (
        train(make_definition("ppo", phases=(256,), gae_lambda=1.0)),
        train(make_definition("ppo", gae_lambda=1.0, **longer)),
    )
    assert torch.equal(same[0].learner.model.data, same[1].learner.model.data)
    short, long = (
        iteration_rows(train(make_definition("ppo", epochs=1, num_minibatches=1, **each)))
        for each in ({"phases": (256,)}, longer)
    )
    assert short["policy_loss"][0] == long["policy_loss"][0]
    assert short["value_loss"][0] != long["value_loss"][0]
