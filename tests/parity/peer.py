"""Stable-Baselines3's PPO with our settings, and its weights in our network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from torch import Tensor

from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.networks.model import Model

NETWORK = {"torso": "mlp", "version": 1, "hidden": [64, 64], "activation": "tanh"}


def make_peer(environment: str, num_envs: int, seed: int, **settings: Any) -> PPO:
    """SB3's PPO with MlpPolicy: tanh 64-64 for the actor and for the critic, as ours."""
    return PPO("MlpPolicy", make_vec_env(environment, num_envs, seed=seed), seed=seed, device="cpu", **settings)


def collect(peer: PPO) -> Any:
    """One rollout of the peer, in its rollout buffer."""
    _, callback = peer._setup_learn(total_timesteps=1)
    peer.collect_rollouts(peer.env, callback, peer.rollout_buffer, peer.n_steps)  # type: ignore[arg-type]
    return peer.rollout_buffer


def pairs(peer: PPO, network: Model) -> Iterator[tuple[Tensor, Tensor, bool]]:
    """The peer's parameters beside ours (of one member), and whether ours is transposed."""
    policy: Any = peer.policy
    theirs = [policy.mlp_extractor.policy_net[0], policy.mlp_extractor.policy_net[2], policy.action_net]
    theirs += [policy.mlp_extractor.value_net[0], policy.mlp_extractor.value_net[2], policy.value_net]
    ours: list[Any] = [*network.actor.layers, network.policy_head, *network.critic.layers, network.value_head]  # type: ignore[misc]
    for left, right in zip(theirs, ours, strict=True):
        yield left.weight, right.weight, True
        yield left.bias, right.bias, False
    if network.spaces.action.kind == "continuous":
        yield policy.log_std, network.log_std, False


def twin(peer: PPO) -> Model:
    """Our network with the peer's weights."""
    space: Any = peer.action_space
    discrete = hasattr(space, "n")
    ours = ActionSpace("discrete", (int(space.n),)) if discrete else ActionSpace("continuous", tuple(space.shape))
    size = int(np.prod(peer.observation_space.shape or ()))
    network = Model(NETWORK, [torch.Generator()], Spaces(ObservationSpace((size,)), ours), 0.0)
    copy_weights(peer, network)
    return network


@torch.no_grad()
def copy_weights(peer: PPO, network: Model) -> None:
    """Overwrite our weights with the peer's."""
    for theirs, ours, transposed in pairs(peer, network):
        ours.copy_((theirs.T if transposed else theirs).reshape(ours.shape))
