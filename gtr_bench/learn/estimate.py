"""Estimate: values and advantages of a rollout, and what the algorithm prepares from it.

Arrays of a rollout are `[M, T, N, ...]`; learning sees units of L consecutive steps of one environment, `[M, U, L]`
flattened to `[M, B]`. Without memory L = 1 and the samples lie step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gtr_bench.algorithms.base import Batch
from gtr_bench.learn.advantages import generalised_advantages
from gtr_bench.learn.distributions import Distribution, from_packed
from gtr_bench.learn.experience import Experience, in_chunks
from gtr_bench.learn.frames import Stacks, assembled
from gtr_bench.networks.model import Model
from gtr_bench.networks.torso import Memory

if TYPE_CHECKING:
    from gtr_bench.learn.learner import Learner
    from gtr_bench.learn.rollout import Cuts, Trajectory

__all__ = ["estimate"]


class _Carries:
    """What a network with memory carried through a rollout; each step's carry is that before its observation."""

    def __init__(self, model: Model, trajectory: Trajectory, carry: Tensor, length: int) -> None:
        device = carry.device
        self._length = length
        starts = torch.from_numpy(trajectory.starts).to(device)  # [M, T, N]
        whole = assembled(_on(device, trajectory.observations)).transpose(1, 2).flatten(1, 2)
        self.after = model.carries(whole, Memory(carry, starts.transpose(1, 2))).transpose(1, 2)  # [M, T, N, H]
        self._into = torch.cat([carry.unsqueeze(1), self.after[:, :-1]], 1)
        self._starts = starts
        ended = torch.from_numpy((trajectory.terminated | trajectory.truncated)[:, -1]).to(device)
        self.last = Memory(self.after[:, -1], ended.unsqueeze(2))

    def units(self) -> Memory:
        """Of the units learning sees."""
        members, length = len(self._starts), self._length
        steps, envs = self._starts.shape[1:]
        starts = self._starts.view(members, steps // length, length, envs).transpose(2, 3).flatten(1, 2)
        return Memory(self._into[:, ::length].flatten(1, 2), starts)

    def single_steps(self) -> Memory:
        """Of every sample on its own, in the order learning sees."""
        return Memory(_by_unit(self._into, self._length), _by_unit(self._starts, self._length).unsqueeze(2))


def _on(device: torch.device, stored: NDArray[Any] | Stacks) -> Tensor | Stacks:
    """A rollout's observations where learning takes place."""
    if isinstance(stored, Stacks):
        return Stacks(stored.frames.to(device), stored.places.to(device))
    return torch.from_numpy(stored).to(device)


def _by_unit(rollout: Tensor, length: int) -> Tensor:
    """`[M, T, N, ...]` to `[M, B, ...]`: units of `length` steps side by side."""
    if length == 1:
        return rollout.flatten(1, 2)
    members, steps, envs = rollout.shape[:3]
    chunks = rollout.reshape(members, steps // length, length, envs, *rollout.shape[3:])
    return chunks.transpose(2, 3).flatten(1, 3)


def _by_step(samples: Tensor, length: int, steps: int) -> NDArray[Any]:
    """The inverse of `_by_unit` for `[M, B]`: an array `[M, T, N]`."""
    members, size = samples.shape
    if length > 1:
        samples = samples.view(members, steps // length, size // steps, length).transpose(2, 3)
    array: NDArray[Any] = samples.reshape(members, steps, size // steps).cpu().numpy()
    return array


def estimate(
    learner: Learner, trajectory: Trajectory, progress: float, iteration: int
) -> tuple[Experience, Memory | None]:
    """The rollout ready for learning, and each sample's own memory (None without memory).

    A learner with memory is left with the carry the next rollout starts with.
    """
    model, device = learner.model, learner.device
    carries, length, memory = None, 1, None
    if learner.carry is not None:
        length = learner.sequence_length
        carries = _Carries(model, trajectory, learner.carry, length)
        memory, learner.carry = carries.units(), carries.last.carry.clone()

    def on_device(array: NDArray[Any]) -> Tensor:
        return _by_unit(torch.from_numpy(np.ascontiguousarray(array)).to(device), length)

    def whole(function: Callable[[Tensor, Memory | None], Tensor]) -> Tensor:
        return in_chunks(function, seen, memory, model.largest_layer)

    def packed(seen: Tensor, part: Memory | None) -> Tensor:
        return model.policy(seen, part).packed

    def policy_of(parameters: Tensor) -> Distribution:
        return behaviour.like(whole(lambda seen, part: model.policy_of(parameters, seen, part).packed))

    seen, actions = _on(device, trajectory.observations), on_device(trajectory.actions)
    seen = Stacks(seen.frames, _by_unit(seen.places, length)) if isinstance(seen, Stacks) else _by_unit(seen, length)
    # packed and unpacked: a Gaussian's log_std would be a view of the network's parameters
    if trajectory.told is not None:
        told = on_device(trajectory.told)
        behaviour, values = from_packed(model.spaces.action, told[..., :-1].contiguous()), told[..., -1].contiguous()
    else:
        behaviour = from_packed(model.spaces.action, whole(packed))
        values = whole(model.value)
    advantages, beyond = (on_device(each) for each in _advantages(learner, trajectory, values, carries, length))
    returns = beyond + values
    episodes = np.maximum(trajectory.episodes, 1)
    mean_return = np.where(trajectory.episodes > 0, trajectory.returns / episodes, np.nan).astype(np.float32)
    batch = Batch(
        observe=lambda: assembled(seen),
        actions=actions,
        behaviour=behaviour,
        advantages=advantages,
        returns=returns,
        training_return=torch.from_numpy(mean_return).to(device),
        parameters=model.data,
        evaluate=policy_of,
        progress=progress,
        iteration=iteration,
    )
    columns = learner.algorithm.prepare(batch)
    log_probs = behaviour.log_prob(actions)
    found = Experience(seen, actions, behaviour, log_probs, values, advantages, returns, columns, memory)
    return found, None if carries is None else carries.single_steps()


def _advantages(
    learner: Learner, trajectory: Trajectory, values: Tensor, carries: _Carries | None, length: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Generalised advantages of a rollout `[M, T, N]`, and by how much the value targets exceed the values."""
    by_step = _by_step(values, length, trajectory.rewards.shape[1])
    ended = trajectory.terminated | trajectory.truncated
    rewards, steps, terminated, ends = (
        np.moveaxis(array, 1, 0) for array in (trajectory.rewards, by_step, trajectory.terminated, ended)
    )
    gamma, gae_lambda = learner.discounts
    if learner.p.reward_factor != 1:
        rewards = rewards * learner.p.reward_factor
    if learner.reward_normaliser is not None:
        rewards = learner.reward_normaliser(rewards, ends, gamma)
    following = np.moveaxis(_next_values(learner, trajectory, by_step, carries), 1, 0)
    given = (rewards.astype(np.float32), steps, following, terminated, ends, gamma)
    found = np.moveaxis(generalised_advantages(*given, gae_lambda), 0, 1)
    if learner.p.value_target == "lambda_return":
        return found, found
    return found, np.moveaxis(generalised_advantages(*given, np.ones_like(gae_lambda)), 0, 1)


def _next_values(
    learner: Learner, trajectory: Trajectory, values: NDArray[np.float32], carries: _Carries | None
) -> NDArray[np.float32]:
    """`[M, T, N]`: the value of the state each step led to, of the final observation where one was truncated."""
    following = np.empty_like(values)
    following[:, :-1] = values[:, 1:]
    last = torch.from_numpy(trajectory.last_observation).to(learner.device)
    following[:, -1] = learner.model.value(last, None if carries is None else carries.last).cpu().numpy()
    if (cuts := trajectory.cuts) is not None:
        own = [np.flatnonzero(cuts.member == member) for member in range(learner.members)]
        rows = max(map(len, own))
        padded = np.zeros((learner.members, rows, *cuts.observations.shape[1:]), cuts.observations.dtype)
        for member, places in enumerate(own):
            padded[member, : len(places)] = cuts.observations[places]
        memory = None if carries is None else _memory_of(carries.after, cuts, own)
        final_values = learner.model.value(torch.from_numpy(padded).to(learner.device), memory).cpu().numpy()
        for member, places in enumerate(own):
            following[member, cuts.step[places], cuts.env[places]] = final_values[member, : len(places)]
    return following


def _memory_of(after: Tensor, cuts: Cuts, own: Sequence[NDArray[np.int64]]) -> Memory:
    """What is carried into the final observations of the cut episodes, each member's `own`, padded to the most."""
    rows = max(map(len, own))
    carry = after.new_zeros(len(after), rows, after.shape[-1])
    for member, places in enumerate(own):
        carry[member, : len(places)] = after[member, cuts.step[places], cuts.env[places]]
    return Memory(carry, torch.zeros(len(after), rows, 1, dtype=torch.bool, device=after.device))
