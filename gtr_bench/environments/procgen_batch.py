"""M x N games of Procgen. The library restarts a game by itself and shows the next episode's first frame at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gtr_bench.environments.base import BatchedEnvironment, Finals, SeedArray, Transition
from gtr_bench.environments.hashing import mix
from gtr_bench.environments.procgen_games import Settings
from gtr_bench.environments.procgen_library import ProcgenGames
from gtr_bench.environments.spaces import Spaces

__all__ = ["ProcgenBatch"]

FORCE_RESET = -1


class ProcgenBatch(BatchedEnvironment):
    """M members x N games.

    A game draws its levels from one stream that its seed starts: the k-th episode's level follows from the seed and k,
    and a level fixes all that is random in it (dodgeball also keeps the player's last direction from the episode
    before). Where the game itself ends an episode, its last image is not to be had: `finals` hold the one before, which
    nothing is computed from, as such an episode counts as terminated. So does the game's own time-out (500 to 6,000
    steps), as the image that its value would be bootstrapped from is lost; a smaller `limit` truncates before it comes.
    Where `limit` ends an episode, `finals` hold the last image.

    Args:
        task: name of the game.
        members: M.
        envs: N.
        limit: steps after which an episode is truncated; None: only the game ends it.
        settings: the options, checked.
        spaces: what a learner sees.

    Raises:
        EnvironmentFault: the library cannot be loaded.
    """

    def __init__(
        self, task: str, members: int, envs: int, limit: int | None, settings: Settings, spaces: Spaces
    ) -> None:
        self.members, self.envs, self.spaces = members, envs, spaces
        self._limit = np.iinfo(np.int64).max if limit is None else limit
        self._games = ProcgenGames(task, settings, members * envs)
        # [B, 3, 64, 64], what was handed out last.
        self._shown: NDArray[np.uint8] = np.zeros((members * envs, *spaces.observation.shape), np.uint8)
        self._steps: NDArray[np.int64] = np.zeros(members * envs, dtype=np.int64)

    def reset(self, seeds: SeedArray) -> NDArray[Any]:
        # The library cannot be told to begin anew; opening the games again takes less than a millisecond each.
        self._games.open((mix(seeds.reshape(-1)) % np.uint64(2**31)).astype(np.int64))
        self._steps[:] = 0
        self._shown = _channels_first(self._games.frames)
        return self._by_member(self._shown)

    def step(self, actions: NDArray[Any]) -> Transition:
        games = self._games
        games.actions[:] = actions.reshape(-1)
        games.act_all()
        self._steps += 1
        reward = games.rewards.astype(np.float64)
        terminated = games.firsts.astype(np.bool_)
        truncated = self._steps >= self._limit
        finals = None
        rows = np.flatnonzero(terminated | truncated)
        if rows.size:
            cut = ~terminated[rows]
            last = self._shown[rows]
            last[cut] = games.frames[rows[cut]].transpose(0, 3, 1, 2)
            finals = Finals(rows, last)
            self._cut(rows[cut])
            self._steps[rows] = 0
        self._shown = _channels_first(games.frames)
        return self._transition(self._shown, reward, terminated, truncated, finals)

    def _cut(self, rows: NDArray[np.int64]) -> None:
        """End the episodes of these games: the library does so after one more step, which nobody sees."""
        for row in rows.tolist():
            self._games.actions[row] = FORCE_RESET
            self._games.act(row)

    def state(self) -> dict[str, Any]:
        states = self._games.states()
        return {
            "steps": self._steps.copy(),
            "lengths": np.array([len(state) for state in states]),
            "games": np.frombuffer(b"".join(states), np.uint8),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        if not self._games.is_open:
            self._games.open(np.zeros(self._steps.size, np.int64))
        self._steps[:] = state["steps"]
        ends = np.cumsum(state["lengths"])
        for row, (end, length) in enumerate(zip(ends, state["lengths"], strict=True)):
            self._games.restore(row, state["games"][end - length : end].tobytes())
        self._shown = _channels_first(self._games.frames)

    def close(self) -> None:
        self._games.close()


def _channels_first(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images [B, H, W, 3] as a new array [B, 3, H, W]."""
    return np.ascontiguousarray(frames.transpose(0, 3, 1, 2))
