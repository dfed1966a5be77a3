"""M x N Craftax worlds as one batch, stepped by one compiled function in a process of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gtr_bench.environments.base import BatchedEnvironment, Finals, SeedArray, Transition
from gtr_bench.environments.craftax_process import CraftaxProcess
from gtr_bench.environments.hashing import mix
from gtr_bench.environments.spaces import Spaces

__all__ = ["CraftaxBatch"]


class CraftaxBatch(BatchedEnvironment):
    """M x N worlds.

    Each draws from keys of its own: a hash of (seed, episode, steps taken in it), so nothing random has to be saved.

    Args:
        task: `Symbolic` or `Classic-Symbolic`.
        members: M.
        envs: N.
        limit: steps after which an episode is truncated.
        spaces: of the task.

    Raises:
        EnvironmentFault: the process of the worlds did not start.
    """

    def __init__(self, task: str, members: int, envs: int, limit: int, spaces: Spaces) -> None:
        self.members, self.envs, self.spaces = members, envs, spaces
        self._limit = limit
        size = members * envs
        self._seeds: SeedArray = np.zeros(size, np.uint64)
        self._episode: NDArray[np.int64] = np.zeros(size, np.int64)
        self._elapsed: NDArray[np.int64] = np.zeros(size, np.int64)
        self._process = CraftaxProcess(f"craftax:{task}", task, size)

    def _keys(self, rows: NDArray[np.int64]) -> NDArray[np.uint32]:
        """JAX's keys [R, 2] of the next thing these worlds draw; 0 steps: the world itself."""
        hashed = mix(self._seeds[rows], self._episode[rows], self._elapsed[rows])
        return hashed[:, None].view(np.uint32)

    def _begin(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """New worlds in these rows; their first observations [R, D]."""
        self._elapsed[rows] = 0
        first: NDArray[np.float32] = self._process.call("renew", rows.tolist(), self._keys(rows))
        return first

    def reset(self, seeds: SeedArray) -> NDArray[Any]:
        self._seeds[:] = seeds.reshape(-1)
        self._episode[:] = 0
        first = self._begin(np.arange(len(self._seeds)))
        return self._by_member(first)

    def step(self, actions: NDArray[Any]) -> Transition:
        self._elapsed += 1
        keys = self._keys(np.arange(len(self._seeds)))
        observation, reward, terminated, achieved = self._process.call(
            "step", keys, actions.reshape(-1).astype(np.int32)
        )
        truncated = self._elapsed >= self._limit
        rows = np.flatnonzero(terminated | truncated)
        finals = None
        if rows.size:
            finals = Finals(rows, observation[rows])
            self._episode[rows] += 1
            observation[rows] = self._begin(rows)
        reward, achieved = reward.astype(np.float64), achieved.astype(np.bool_)
        return self._transition(observation, reward, terminated, truncated, finals, achievements=achieved)

    def state(self) -> dict[str, Any]:
        return {
            "seeds": self._seeds.copy(),
            "episode": self._episode.copy(),
            "elapsed": self._elapsed.copy(),
            "worlds": self._process.call("save"),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        self._seeds[:] = state["seeds"]
        self._episode[:] = state["episode"]
        self._elapsed[:] = state["elapsed"]
        self._process.call("load", list(state["worlds"]))

    def close(self) -> None:
        self._process.close()
