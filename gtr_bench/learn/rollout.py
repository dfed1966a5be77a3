"""Collect: step M x N environments with the current policies and store what they saw."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gtr_bench.learn.clock import Clock
from gtr_bench.learn.distributions import noise_of, policy_size
from gtr_bench.learn.normalise import ObservationNormaliser
from gtr_bench.networks.model import Model
from gtr_bench.networks.torso import Memory

if TYPE_CHECKING:
    from gtr_bench.environments.sequence import SequenceEnvironment

__all__ = ["Collector", "Trajectory"]


@dataclass
class Trajectory:
    """One rollout as collected; numpy arrays `[M, T, N, ...]` on the CPU.

    Attributes:
        observations: float32 `[M, T, N, D]`, normalised.
        actions: int64 `[M, T, N(, K)]` or float32 `[M, T, N, A]`.
        rewards: float64 `[M, T, N]`, raw.
        terminated, truncated, starts: bool `[M, T, N]`; `starts`: the step is an episode's first.
        final_observations: float32 `[M, T, N, D]` normalised, valid where `truncated`; None when no episode was.
        last_observation: float32 `[M, N, D]`, what the next step would see in the same phase.
        episodes: int `[M]`, episodes that ended; returns, lengths, successes: their sums `[M]`.
        finite: bool `[M]`, whether every observation and reward was finite.
    """

    observations: NDArray[np.float32]
    actions: NDArray[Any]
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    starts: NDArray[np.bool_]
    final_observations: NDArray[np.float32] | None
    last_observation: NDArray[np.float32]
    episodes: NDArray[np.int64]
    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    successes: NDArray[np.int64]
    finite: NDArray[np.bool_]


class _EpisodeSums:
    """Over the episodes that ended in a rollout, `[M]` each."""

    def __init__(self, members: int) -> None:
        self.episodes = np.zeros(members, np.int64)
        self.returns = np.zeros(members)
        self.lengths = np.zeros(members, np.int64)
        self.successes = np.zeros(members, np.int64)


def _finite(*arrays: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether all of a member's numbers are finite, `[M]`, over arrays `[M, ...]`."""
    checks = [np.isfinite(array).reshape(len(array), -1).all(1) for array in arrays]
    finite: NDArray[np.bool_] = np.logical_and.reduce(checks)
    return finite


class Collector:
    """Keeps the running episodes of a cohort between rollouts."""

    def __init__(self, environment: SequenceEnvironment, members: int, envs: int) -> None:
        self.environment = environment
        self._members, self._envs = members, envs
        self._observation = np.zeros((members, envs, environment.observation_size), np.float32)
        self._return = np.zeros((members, envs))
        self._length = np.zeros((members, envs), np.int64)
        self._starts = np.ones((members, envs), np.bool_)
        self._succeeded = np.zeros((members, envs), np.bool_)

    def start_phase(self, phase: int, normaliser: ObservationNormaliser | None) -> None:
        """Begin new episodes everywhere in a phase's world."""
        self._observation = self._seen(self.environment.start_phase(phase), normaliser)
        self._return[:], self._length[:], self._succeeded[:] = 0, 0, False
        self._starts = np.ones_like(self._starts)

    @staticmethod
    def _seen(raw: NDArray[np.float32], normaliser: ObservationNormaliser | None) -> NDArray[np.float32]:
        if normaliser is None:
            return raw
        normaliser.update(raw)
        return normaliser(raw)

    def collect(
        self,
        length: int,
        model: Model,
        carry: Tensor | None,
        generators: Sequence[torch.Generator],
        normaliser: ObservationNormaliser | None,
        frozen: NDArray[np.bool_],
        clock: Clock,
        pulse: Callable[[], None],
    ) -> Trajectory:
        """Take `length` steps in every environment, calling `pulse` at each; `frozen` `[M]` members act on zeros.

        `carry` `[M, N, H]` is what a network with memory carries into the first step.
        """
        environment, members, envs = self.environment, self._members, self._envs
        space = environment.action_space
        device = model.data.device
        size = environment.observation_size
        observations = np.empty((members, length, envs, size), np.float32)
        actions = np.empty(
            (members, length, envs, *space.shape), np.float32 if space.kind == "continuous" else np.int64
        )
        rewards = np.empty((members, length, envs))
        terminated = np.zeros((members, length, envs), np.bool_)
        truncated = np.zeros((members, length, envs), np.bool_)
        starts = np.zeros((members, length, envs), np.bool_)
        finals: NDArray[np.float32] | None = None
        sums = _EpisodeSums(members)
        noise = self._noise((length, envs, policy_size(space)), generators, device)
        observation, any_frozen = self._observation, bool(frozen.any())
        for t in range(length):
            pulse()
            started = time.perf_counter()
            if any_frozen:
                observation = np.where(frozen[:, None, None], np.float32(0), observation)
            observations[:, t], starts[:, t] = observation, self._starts
            with torch.inference_mode():
                memory = (
                    None if carry is None else Memory(carry, torch.from_numpy(self._starts).to(device).unsqueeze(2))
                )
                policy, carry = model.act(torch.from_numpy(observation).to(device), memory)
                action = policy.sample(noise[:, t]).cpu().numpy()
            actions[:, t] = action
            acted = time.perf_counter()
            step = environment.step(action)
            stepped = time.perf_counter()
            rewards[:, t] = step.reward
            self._starts = step.terminated | step.truncated
            self._return += step.reward
            self._length += 1
            if step.success is not None:
                self._succeeded |= step.success
            if step.final_observation is not None:
                terminated[:, t], truncated[:, t] = step.terminated, step.truncated
                cut = step.truncated & ~step.terminated
                if cut.any():
                    if finals is None:
                        finals = np.zeros_like(observations)
                    last = step.final_observation
                    finals[:, t][cut] = (last if normaliser is None else normaliser(last))[cut]
                self._end_episodes(self._starts, sums)
            observation = self._seen(step.observation, normaliser)
            clock.add("environment", stepped - acted)
            clock.add("policy", acted - started + time.perf_counter() - stepped)
        self._observation = observation
        finite = _finite(observations, rewards, observation, *([] if finals is None else [finals]))
        return Trajectory(
            observations, actions, rewards, terminated, truncated, starts, finals, observation,
            sums.episodes, sums.returns, sums.lengths, sums.successes, finite,
        )  # fmt: skip

    def _noise(self, shape: tuple[int, ...], generators: Sequence[torch.Generator], device: torch.device) -> Tensor:
        make = noise_of(self.environment.action_space)
        return torch.stack([make(shape, generator) for generator in generators]).to(device)

    def _end_episodes(self, ended: NDArray[np.bool_], sums: _EpisodeSums) -> None:
        sums.episodes += ended.sum(1)
        sums.returns += np.where(ended, self._return, 0).sum(1)
        sums.lengths += np.where(ended, self._length, 0).sum(1)
        sums.successes += (ended & self._succeeded).sum(1)
        self._return[ended], self._length[ended], self._succeeded[ended] = 0, 0, False

    def state(self) -> dict[str, Any]:
        """The running episodes and the environments under them."""
        return {
            "observation": self._observation,
            "return": self._return,
            "length": self._length,
            "starts": self._starts,
            "succeeded": self._succeeded,
            "environment": self.environment.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self._observation, self._return = state["observation"], state["return"]
        self._length, self._succeeded, self._starts = state["length"], state["succeeded"], state["starts"]
        self.environment.load_state(state["environment"])
