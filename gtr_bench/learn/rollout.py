"""Collect: step M x N environments with the current policies and store what they saw."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gtr_bench.learn.clock import Clock
from gtr_bench.learn.distributions import noise_of, policy_size
from gtr_bench.learn.frames import Stacks, store_of
from gtr_bench.learn.normalise import ObservationNormaliser
from gtr_bench.networks.model import Model
from gtr_bench.networks.torso import Memory

if TYPE_CHECKING:
    from gtr_bench.environments.base import Finals
    from gtr_bench.environments.sequence import SequenceEnvironment

__all__ = ["Collector", "Cuts", "Trajectory", "blinded"]


class Cuts(NamedTuple):
    """The E episodes of a rollout that were truncated and not terminated, step by step.

    Attributes:
        member, step, env: int64 `[E]`, where: m, t, n.
        observations: `[E, *O]`, the last ones, normalised.
    """

    member: NDArray[np.int64]
    step: NDArray[np.int64]
    env: NDArray[np.int64]
    observations: NDArray[Any]


@dataclass
class Trajectory:
    """One rollout as collected; arrays `[M, T, N, ...]` on the CPU. O is the shape of one observation.

    Attributes:
        observations: `[M, T, N, *O]`, normalised; of the space's dtype, frame by frame where it stacks them.
        actions: int64 `[M, T, N(, K)]` or float32 `[M, T, N, A]`.
        rewards: float64 `[M, T, N]`, raw.
        terminated, truncated, starts: bool `[M, T, N]`; `starts`: the step is an episode's first.
        cuts: the truncated episodes' last observations; None when there are none.
        last_observation: `[M, N, *O]`, what the next step would see in the same phase.
        episodes: int `[M]`, episodes that ended; returns, lengths, successes: their sums `[M]`.
        finite: bool `[M]`, whether every observation and reward was finite.
        told: float32 `[M, T, N, K + 1]`, packed policies and values as the steps computed them, of a network that
            `speaks_at_once`; None otherwise: they are computed after the rollout.
    """

    observations: NDArray[Any] | Stacks
    actions: NDArray[Any]
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    starts: NDArray[np.bool_]
    cuts: Cuts | None
    last_observation: NDArray[Any]
    episodes: NDArray[np.int64]
    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    successes: NDArray[np.int64]
    finite: NDArray[np.bool_]
    told: NDArray[np.float32] | None = None


def blinded(observation: NDArray[Any], frozen: NDArray[np.bool_]) -> NDArray[Any]:
    """Observations `[M, N, *O]` with zeros for the members that are frozen `[M]`."""
    if not frozen.any():
        return observation
    where = frozen.reshape(-1, *[1] * (observation.ndim - 1))
    return np.where(where, observation.dtype.type(0), observation)


def _finite(*arrays: NDArray[Any] | Stacks) -> NDArray[np.bool_]:
    """Whether all of a member's numbers are finite, `[M]`, over arrays `[M, ...]`; bytes are."""
    checks = [
        np.ones(array.shape[0], np.bool_)
        if isinstance(array, Stacks) or array.dtype == np.uint8
        else np.isfinite(array).reshape(len(array), -1).all(1)
        for array in arrays
    ]
    finite: NDArray[np.bool_] = np.logical_and.reduce(checks)
    return finite


class Collector:
    """Keeps the running episodes of a cohort between rollouts."""

    def __init__(self, environment: SequenceEnvironment, members: int, envs: int) -> None:
        self.environment = environment
        self._members, self._envs = members, envs
        space = environment.spaces.observation
        self._observation: NDArray[Any] = np.zeros((members, envs, *space.shape), space.dtype)
        self._starts = np.ones((members, envs), np.bool_)
        # of the running episodes: return, length, whether it succeeded, and 1 to count it by
        self._running = np.zeros((4, members, envs))
        self._return, self._length, self._succeeded, self._one = self._running
        self._one[:] = 1

    def start_phase(self, phase: int, normaliser: ObservationNormaliser | None) -> None:
        """Begin new episodes everywhere in a phase's world."""
        self._observation = self._seen(self.environment.start_phase(phase), normaliser)
        self._running[:3] = 0
        self._starts = np.ones_like(self._starts)

    @staticmethod
    def _seen(raw: NDArray[Any], normaliser: ObservationNormaliser | None) -> NDArray[Any]:
        if normaliser is None:
            return raw
        normaliser.update(raw)
        return normaliser(raw)

    @torch.inference_mode()
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
        space, seen = environment.spaces.action, environment.spaces.observation
        kind = np.float32 if space.kind == "continuous" else np.int64
        store = store_of(seen, members, length, envs)
        actions = np.empty((members, length, envs, *space.shape), kind)
        rewards = np.empty((members, length, envs))
        terminated, truncated = np.zeros((2, members, length, envs), np.bool_)
        starts = np.zeros((members, length + 1, envs), np.bool_)
        starts[:, 0] = self._starts
        told: list[NDArray[np.float32]] = []
        cuts: list[Cuts] = []
        ended = np.zeros((4, members))  # sums of `_running`
        noise = self._noise((length, envs, policy_size(space)), generators, model.data.device).unbind(1)
        observation, any_frozen = self._observation, bool(frozen.any())
        in_environment, began = 0.0, time.perf_counter()
        for t in range(length):
            pulse()
            if any_frozen:
                observation = blinded(observation, frozen)
            store.put(t, observation)
            action, carry = self._act(model, observation, carry, starts[:, t], noise[t], told)
            actions[:, t] = action
            acted = time.perf_counter()
            step = environment.step(action)
            in_environment += time.perf_counter() - acted
            rewards[:, t] = step.reward
            self._return += step.reward
            self._length += 1
            if step.success is not None:
                np.maximum(self._succeeded, step.success, out=self._succeeded)
            if step.finals is not None:
                terminated[:, t], truncated[:, t] = step.terminated, step.truncated
                over = starts[:, t + 1] = step.terminated | step.truncated
                cut = step.truncated & ~step.terminated
                if np.count_nonzero(cut):
                    cuts.append(self._cut(step.finals, cut, t, normaliser))
                ended += np.where(over, self._running, 0).sum(2)
                np.copyto(self._running[:3], 0, where=over)
            observation = self._seen(step.observation, normaliser)
        clock.add("environment", in_environment)
        clock.add("policy", time.perf_counter() - began - in_environment)
        self._observation, self._starts = observation, starts[:, length].copy()
        together = Cuts(*map(np.concatenate, zip(*cuts, strict=True))) if cuts else None
        observations = store.stored()
        finite = _finite(observations, rewards, observation)
        if together is not None:
            finite[together.member[~_finite(together.observations)]] = False
        returns, (lengths, successes, episodes) = ended[0], ended[1:].astype(np.int64)
        return Trajectory(
            observations, actions, rewards, terminated, truncated, starts[:, :length], together, observation,
            episodes, returns, lengths, successes, finite, np.stack(told, 1) if told else None,
        )  # fmt: skip

    @staticmethod
    def _act(
        model: Model,
        observation: NDArray[Any],
        carry: Tensor | None,
        starts: NDArray[np.bool_],
        noise: Tensor,
        told: list[NDArray[np.float32]],
    ) -> tuple[NDArray[Any], Tensor | None]:
        """One step's actions, and the carry after it; what the network tells beside them joins `told`."""
        device, seen = model.data.device, torch.from_numpy(observation)
        on_cpu = device.type == "cpu"  # to and cpu are not free where there is nothing to move
        seen = seen if on_cpu else seen.to(device)
        if model.speaks_at_once:
            chosen, said = model.act_and_tell(seen, noise)
            told.append(said.cpu().numpy())
        else:
            memory = None if carry is None else Memory(carry, torch.from_numpy(starts).to(device).unsqueeze(2))
            chosen, carry = model.act(seen, memory, noise)
        return chosen.numpy() if on_cpu else chosen.cpu().numpy(), carry

    def _cut(self, finals: Finals, cut: NDArray[np.bool_], t: int, normaliser: ObservationNormaliser | None) -> Cuts:
        """Of the episodes that ended in step `t`, those that `cut` `[M, N]` marks."""
        marked = cut.reshape(-1)[finals.rows]
        rows, observations = finals.rows[marked], finals.observations[marked]
        member, env = np.divmod(rows, self._envs)
        if normaliser is not None:
            observations = normaliser.of_members(observations, member)
        return Cuts(member, np.full_like(rows, t), env, observations)

    def _noise(self, shape: tuple[int, ...], generators: Sequence[torch.Generator], device: torch.device) -> Tensor:
        make = noise_of(self.environment.spaces.action)
        return torch.stack([make(shape, generator) for generator in generators]).to(device)

    def state(self) -> dict[str, Any]:
        """The running episodes and the environments under them."""
        return {
            "observation": self._observation,
            "return": self._return,
            "length": self._length.astype(np.int64),
            "starts": self._starts,
            "succeeded": self._succeeded.astype(np.bool_),
            "environment": self.environment.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self._observation, self._starts = state["observation"], state["starts"]
        for row, name in zip(self._running, ("return", "length", "succeeded"), strict=False):
            row[:] = state[name]
        self.environment.load_state(state["environment"])
