"""Continuing from a checkpoint equals never stopping, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from gtr_bench.learn.training import Training
from tests.learn.helpers import CARTPOLE_SHIFT, CPU, GRU, assert_same_rows, make_definition, train

NORMALISERS = {"observation_normalisation": True, "reward_normalisation": True}
ALGORITHMS: list[tuple[str, dict[str, Any]]] = [
    ("gtr", {"anchor_interval": 2, "sustain": True, "anchor_weighting": "return"}),
    ("ppo_kl", {"adaptive": True, "kl_target": 0.003}),
    ("ppo", NORMALISERS),
    ("oracle", NORMALISERS),
    ("a2c", {}),
    ("gtr", {"anchor": "ema", **NORMALISERS}),
    ("gtr", {"network": GRU}),
    ("oracle", {"network": GRU}),
]
CARTPOLE = {"environment": "gym:CartPole-v1", "shifts": CARTPOLE_SHIFT, "phases": (256, 256), "evaluate_every": 128}
CHEETAH = {
    "environment": "gym:HalfCheetah-v5",
    "shifts": ({"kind": "physics", "parameter": "gravity", "low": 0.5, "high": 2.0},),
    "phases": (192, 64),
    "evaluate_every": 64,
    "num_envs": 2,
    "num_steps": 32,
}


def continued(definitions: list[dict[str, Any]], stops: list[int], folder: Path) -> Training:
    """Train, but save, forget and load everything at these iterations."""
    for stop in [*stops, 1 << 30]:
        training = Training(definitions, CPU)
        if (folder / "state.pt").exists():
            training.load(folder)
        training.run(lambda training=training, stop=stop: training.position < stop)  # type: ignore[misc]
        training.save(folder)
        training.close()
    return training


def assert_same_training(first: Training, second: Training) -> None:
    assert first.finished
    assert second.finished
    assert torch.allclose(first.learner.model.data, second.learner.model.data, rtol=0, atol=0, equal_nan=True)
    assert first.diverged.tolist() == second.diverged.tolist()
    for member in range(first.members):
        for left, right in zip(first.rows_of(member), second.rows_of(member), strict=True):
            assert left.pop("point", None) == right.pop("point", None)
            assert_same_rows(left, right)


def cohort(algorithm: str, world: dict[str, Any], **parameters: Any) -> list[dict[str, Any]]:
    return [make_definition(algorithm, seed=seed, episodes=2, **world, **parameters) for seed in (0, 1)]


@pytest.mark.parametrize(("algorithm", "parameters"), ALGORITHMS)
def test_cartpole_with_a_shift_continues_exactly(algorithm: str, parameters: dict[str, Any], tmp_path: Path) -> None:
    definitions = cohort(algorithm, CARTPOLE, **parameters)
    whole = train(*definitions)
    # inside a phase, at its end (the next one has begun), and just after
    end = 2 if algorithm != "a2c" else 14
    assert whole.rows_of(0)[1]["phase"][end - 1 : end + 1] == [0, 1]
    assert_same_training(continued(definitions, [1, end, end + 1], tmp_path), whole)


@pytest.mark.parametrize(("algorithm", "parameters"), ALGORITHMS[:3])
def test_half_cheetah_continues_exactly_in_the_middle_of_an_episode(
    algorithm: str, parameters: dict[str, Any], tmp_path: Path
) -> None:
    definitions = cohort(algorithm, CHEETAH, max_episode_steps=50, **parameters)
    whole = train(*definitions)
    assert_same_training(continued(definitions, [2, 3], tmp_path), whole)


@pytest.mark.parametrize(("algorithm", "parameters"), ALGORITHMS)
def test_checkpoints_carry_no_code(algorithm: str, parameters: dict[str, Any], tmp_path: Path) -> None:
    training = train(*cohort(algorithm, CARTPOLE, **parameters), iterations=3)
    training.save(tmp_path)
    stored = torch.load(tmp_path / "state.pt", weights_only=True)
    assert stored["state"]["position"] == 3


def test_a_diverged_member_stays_frozen_after_a_restart(tmp_path: Path) -> None:
    definitions = cohort("ppo", CARTPOLE)
    training = Training(definitions, CPU)

    def poison_then_stop() -> bool:
        if training.position == 1:
            training.learner.model.data[1] = torch.nan
        return training.position < 3

    training.run(poison_then_stop)
    training.save(tmp_path)
    training.run(lambda: True)
    training.close()
    again = continued(definitions, [], tmp_path)
    assert again.diverged.tolist() == [-1, 2 * 128]
    assert_same_training(again, training)
