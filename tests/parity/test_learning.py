"""PPO against Stable-Baselines3 on learning: the same settings, a few seeds each, intervals of the final return."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy import stats

from tests.learn.helpers import make_definition, train

pytest.importorskip("stable_baselines3")
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

from tests.parity.peer import make_peer

EPISODES = 20


class Task(NamedTuple):
    """What to learn and how; `better` is the least final mean return that counts as having learned."""

    environment: str
    seeds: int
    steps: int
    num_envs: int
    num_steps: int
    num_minibatches: int
    epochs: int
    learning_rate: float
    better: float


TASKS = [
    Task("CartPole-v1", 5, 24_576, 8, 128, 4, 4, 1e-3, 100.0),
    Task("InvertedPendulum-v5", 4, 24_576, 4, 256, 8, 10, 1e-3, 100.0),
]


def interval(values: np.ndarray) -> tuple[float, float]:
    """Student's 95 % interval of the mean."""
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def ours(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Returns before and after learning, one per seed."""
    definitions = [
        make_definition(
            "ppo",
            f"gym:{task.environment}",
            seed=seed,
            phases=(task.steps,),
            evaluate_every=task.steps,
            episodes=EPISODES,
            hidden=(64, 64),
            num_envs=task.num_envs,
            num_steps=task.num_steps,
            num_minibatches=task.num_minibatches,
            epochs=task.epochs,
            learning_rate=task.learning_rate,
            value_loss="mse",
        )
        for seed in range(task.seeds)
    ]
    training = train(*definitions)
    returns: list[Any] = [training.rows_of(member)[0]["return_mean"] for member in range(task.seeds)]
    return np.array(returns)[:, 0], np.array(returns)[:, -1]


def theirs(task: Task) -> np.ndarray:
    """Final returns of the peer, one per seed."""
    found = []
    for seed in range(task.seeds):
        peer = make_peer(
            task.environment, task.num_envs, seed, n_steps=task.num_steps, n_epochs=task.epochs,
            batch_size=task.num_envs * task.num_steps // task.num_minibatches, learning_rate=task.learning_rate,
        )  # fmt: skip
        peer.learn(task.steps)
        world = make_vec_env(task.environment, 4, seed=1000 + seed)
        found.append(evaluate_policy(peer, world, EPISODES, deterministic=False)[0])
    return np.array(found)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.environment)
def test_both_learn_alike(task: Task) -> None:
    start, mine = ours(task)
    peers = theirs(task)
    (low, high), (their_low, their_high) = interval(mine), interval(peers)
    assert max(low, their_low) <= min(high, their_high), f"{mine} and {peers}"
    assert start.max() < task.better < min(mine.mean(), peers.mean()), f"{start}, {mine} and {peers}"
    assert low > start.mean()
