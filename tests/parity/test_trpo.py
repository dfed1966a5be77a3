"""TRPO against sb3-contrib on one rollout: their own train(), our natural step."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from gtr_bench.learn.experience import Experience
from gtr_bench.learn.natural import natural_step
from gtr_bench.learn.optimizer import Optimizer
from gtr_bench.learn.update import Update
from tests.algorithms.helpers import build

pytest.importorskip("sb3_contrib")
from sb3_contrib import TRPO
from stable_baselines3.common.env_util import make_vec_env

from tests.parity.peer import collect, pairs, twin
from tests.parity.test_batch import ENVS, STEPS, batch_of


@pytest.mark.parametrize("environment", ["CartPole-v1", "Pendulum-v1"])
def test_the_policys_step_is_theirs(environment: str) -> None:
    """Their conjugate gradient starts from noise: with enough iterations both have converged."""
    settings: dict[str, Any] = {
        "n_steps": STEPS,
        "batch_size": STEPS * ENVS,
        "n_critic_updates": 1,
        "learning_rate": 1e-12,
    }
    peer: Any = TRPO(
        "MlpPolicy", make_vec_env(environment, ENVS, seed=0), seed=0, device="cpu", cg_max_steps=60, **settings
    )
    buffer = collect(peer)
    network = twin(peer)
    before = network.data.clone()
    batch = batch_of(buffer, environment == "Pendulum-v1")
    with torch.no_grad():
        behaviour = network.policy(batch["seen"])
        behaviour = behaviour.like(behaviour.packed.clone())
    optimizer = Optimizer("adam", network.data, epsilon=1e-5)
    everyone = torch.ones(1, dtype=torch.bool)
    update = Update(network, optimizer, build("trpo"), generators=[torch.Generator()], rate=1e-3, active=everyone)
    natural_step(
        update,
        Experience(**batch, behaviour=behaviour, columns={}),
        lambda sample: sample.ratio * sample.advantage,
        max_kl=0.01,
        damping=0.1,
        iterations=60,
        backtracking=0.8,
        tries=10,
    )
    peer.train()
    step, missed = network.data - before, 0.0
    for theirs, mine, transposed in pairs(peer, network):
        start = network.view(before, mine)
        expected = (theirs.T if transposed else theirs).reshape(start.shape).detach() - start
        found = network.view(step, mine)
        assert (found - expected).norm() <= 0.05 * expected.norm() + 1e-3 * step.norm()
        missed += (found - expected).square().sum().item()
    assert step.norm() > 1e-2
    assert missed**0.5 < 0.01 * step.norm()
