"""PPO against Stable-Baselines3 on one batch: their own train(), our losses, gradients and optimizer step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gtr_bench.learn.advantages import generalised_advantages
from gtr_bench.learn.experience import Experience, normalised
from gtr_bench.learn.optimizer import Optimizer, clip_gradient
from gtr_bench.learn.update import Update
from tests.algorithms.helpers import build

pytest.importorskip("stable_baselines3")
from tests.parity.peer import collect, copy_weights, make_peer, pairs, twin

STEPS, ENVS = 64, 4
SETTINGS: dict[str, Any] = {
    "n_steps": STEPS, "batch_size": STEPS * ENVS, "n_epochs": 1, "learning_rate": 1e-3, "clip_range": 0.2,
    "ent_coef": 0.01, "vf_coef": 0.5, "gamma": 0.97, "gae_lambda": 0.9,
}  # fmt: skip
ENVIRONMENTS = ["CartPole-v1", "Pendulum-v1"]


def perturb(peer: Any) -> None:
    """Move the peer away from the policy that collected, so that ratios differ and some are clipped."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in peer.policy.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))


def batch_of(buffer: Any, continuous: bool) -> dict[str, Tensor]:
    """The peer's rollout as a batch of one member, `[1, T x N, ...]`."""

    def flat(array: np.ndarray) -> Tensor:
        return torch.from_numpy(array.swapaxes(0, 1).reshape(1, STEPS * ENVS, *array.shape[2:]).copy())

    actions = flat(buffer.actions)
    return {
        "seen": flat(buffer.observations),
        "actions": actions if continuous else actions.long().squeeze(2),
        "log_probs": flat(buffer.log_probs),
        "values": flat(buffer.values),
        "advantages": normalised(flat(buffer.advantages)),
        "returns": flat(buffer.returns),
    }


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("max_norm", [0.5, 1e6])
def test_losses_gradients_and_the_step_are_theirs(environment: str, max_norm: float) -> None:
    peer = make_peer(environment, ENVS, 0, max_grad_norm=max_norm, **SETTINGS)
    buffer = collect(peer)
    network = twin(peer)
    batch = batch_of(buffer, environment == "Pendulum-v1")
    with torch.no_grad():
        behaviour = network.policy(batch["seen"])
        behaviour = behaviour.like(behaviour.packed.clone())
    torch.testing.assert_close(behaviour.log_prob(batch["actions"]), batch["log_probs"], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(network.value(batch["seen"]), batch["values"], rtol=1e-5, atol=1e-5)
    perturb(peer)
    copy_weights(peer, network)

    algorithm = build("ppo", clip_range=0.2, entropy_coefficient=0.01, value_coefficient=0.5, value_loss="mse")
    experience = Experience(**batch, behaviour=behaviour, columns={})
    sample = experience.sample(network.policy(experience.observations))
    optimizer = Optimizer("adam", network.data, epsilon=1e-5)
    update = Update(
        network, optimizer, algorithm, generators=[torch.Generator()], rate=1e-3, active=torch.ones(1, dtype=torch.bool)
    )
    found = algorithm.loss(update, experience)
    gradient = network.gradient(found.total.sum())
    clip_gradient(gradient, max_norm)
    optimizer.step(gradient, 1e-3)

    peer.train()
    logged = peer.logger.name_to_value
    clipped = ((sample.ratio - 1).abs() > 0.2).float().mean().item()
    assert 0.01 < clipped < 0.99
    assert logged["train/clip_fraction"] == pytest.approx(clipped, abs=1e-6)
    assert found.policy.item() == pytest.approx(logged["train/policy_gradient_loss"], rel=1e-5, abs=1e-5)
    assert found.total.item() == pytest.approx(logged["train/loss"], rel=1e-5, abs=1e-5)
    assert found.value.item() == pytest.approx(logged["train/value_loss"], rel=1e-5)

    compared = 0
    for theirs, mine, transposed in pairs(peer, network):
        slope = network.view(gradient, mine)
        expected = theirs.grad.T if transposed else theirs.grad
        torch.testing.assert_close(slope, expected.reshape(mine.shape), rtol=1e-4, atol=1e-5)
        step = (theirs.T if transposed else theirs).reshape(mine.shape)
        torch.testing.assert_close(mine.detach(), step.detach(), rtol=1e-4, atol=2e-5)
        compared += mine.numel()
    assert compared == sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_advantages_and_value_targets_are_theirs(environment: str) -> None:
    """Pendulum's episodes end by truncation, after 200 steps: their buffer adds the final value to the reward."""
    peer = make_peer(environment, ENVS, 0, **(SETTINGS | {"n_steps": 250, "batch_size": 250}))
    buffer = collect(peer)
    with torch.no_grad():
        last = peer.policy.predict_values(torch.as_tensor(peer._last_obs)).numpy().ravel()
    ended = np.concatenate([buffer.episode_starts[1:], np.asarray(peer._last_episode_starts)[None]]).astype(bool)
    assert ended.any()
    following = np.concatenate([buffer.values[1:], last[None]])
    found = generalised_advantages(
        *(array[:, None].astype(np.float32) for array in (buffer.rewards, buffer.values, following)),
        ended[:, None], ended[:, None], np.float32([[0.97]]), np.float32([[0.9]]),
    )[:, 0]  # fmt: skip
    np.testing.assert_allclose(found, buffer.advantages, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found + buffer.values, buffer.returns, rtol=1e-4, atol=1e-4)
