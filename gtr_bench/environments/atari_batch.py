"""M x N games of the console. A game is played through several episodes when lives end them.

`state()` keeps each running game's actions and `load_state()` plays them again: the states that ale-py 0.12.1 saves
do not bring back every game exactly (its pull request 732).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gtr_bench.environments.atari_games import MAX_FRAMES, Settings, flavour_of
from gtr_bench.environments.atari_single import AtariGame, Frames
from gtr_bench.environments.base import BatchedEnvironment, Finals, SeedArray, Transition
from gtr_bench.environments.hashing import mix
from gtr_bench.environments.spaces import Spaces
from gtr_bench.errors import EnvironmentFault

__all__ = ["AtariBatch"]


class AtariBatch(BatchedEnvironment):
    """M members x N games.

    The first observation of an episode is its first image after as many black ones as are missing. Where a life ended
    an episode, the next one begins with the image at which it did.

    Args:
        task: name of the game.
        members: M.
        envs: N.
        limit: steps after which a game is cut off; None, or more than 108,000 frames: 108,000 frames.
        settings: the options, checked.
        options: the options as given.
        spaces: what a learner sees.

    Raises:
        EnvironmentFault: a game could not be loaded.
    """

    def __init__(
        self,
        task: str,
        members: int,
        envs: int,
        limit: int | None,
        settings: Settings,
        options: Mapping[str, Any],
        spaces: Spaces,
    ) -> None:
        self.members, self.envs, self.spaces = members, envs, spaces
        self._name = f"atari:{task}"
        longest = MAX_FRAMES // settings.frame_skip
        self._limit = longest if limit is None else min(limit, longest)
        self._clips, self._ends_at_life_loss = settings.clip_reward, settings.end_at_life_loss
        flavour, size = flavour_of(task, options), members * envs
        try:
            self._games = [AtariGame(flavour, settings) for _ in range(size)]
        except MemoryError:
            raise
        except Exception as error:
            raise EnvironmentFault(f"`{self._name}` could not be built: {error}") from error
        self._seeds: SeedArray = np.zeros(size, dtype=np.uint64)
        self._number: NDArray[np.int64] = np.zeros(size, dtype=np.int64)
        # The running game's actions, and at how many of them its running episode began.
        self._actions = [bytearray() for _ in range(size)]
        self._began: NDArray[np.int64] = np.zeros(size, dtype=np.int64)
        self._stacks = np.zeros((size, *spaces.observation.shape), np.uint8)

    def reset(self, seeds: SeedArray) -> NDArray[Any]:
        self._seeds[:] = seeds.reshape(-1)
        self._number[:] = 0
        for row in range(len(self._games)):
            self._start(row)
        return self._by_member(self._stacks.copy())

    def _start(self, row: int) -> None:
        """Start the game whose number is due."""
        try:
            self._games[row].start(int(mix(self._seeds[row], self._number[row])[0]))
        except MemoryError:
            raise
        except Exception as error:
            raise self._fault(row, error) from error
        self._actions[row].clear()
        self._begin_episode(row)

    def _begin_episode(self, row: int) -> None:
        self._began[row] = len(self._actions[row])
        self._stacks[row, :-1] = 0
        self._stacks[row, -1] = self._games[row].image()

    def _play(self, row: int, action: int) -> Frames:
        self._actions[row].append(action)
        try:
            return self._games[row].step(action)
        except MemoryError:
            raise
        except Exception as error:
            raise self._fault(row, error) from error

    def _fault(self, row: int, error: Exception) -> EnvironmentFault:
        member, place = divmod(row, self.envs)
        return EnvironmentFault(
            f"`{self._name}` (member {member}, environment {place}, step {len(self._actions[row])} of game "
            f"{self._number[row]}) raised {type(error).__name__}: {error}",
            member=member,
        )

    def step(self, actions: NDArray[Any]) -> Transition:
        size = len(self._games)
        reward = np.empty(size)
        terminated, truncated = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_)
        finished, ended = [], []
        self._stacks[:, :-1] = self._stacks[:, 1:]
        for row, action in enumerate(actions.reshape(-1).tolist()):
            reward[row], over, lost = self._play(row, action)
            self._stacks[row, -1] = self._games[row].image()
            terminated[row] = over or (lost and self._ends_at_life_loss)
            truncated[row] = len(self._actions[row]) >= self._limit
            if over or truncated[row]:
                finished.append(row)
            if terminated[row] or truncated[row]:
                ended.append(row)
        if self._clips:
            np.sign(reward, out=reward)
        finals = None
        if ended:
            rows = np.array(ended)
            finals = Finals(rows, self._stacks[rows])
            for row in finished:
                self._number[row] += 1
                self._start(row)
            for row in set(ended).difference(finished):
                self._begin_episode(row)
        return self._transition(self._stacks.copy(), reward, terminated, truncated, finals)

    def state(self) -> dict[str, Any]:
        return {
            "seeds": self._seeds.copy(),
            "number": self._number.copy(),
            "began": self._began.copy(),
            "lengths": np.array([len(actions) for actions in self._actions]),
            "actions": np.frombuffer(bytearray().join(self._actions), np.uint8),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        self._seeds[:] = state["seeds"]
        self._number[:] = state["number"]
        ends = np.cumsum(state["lengths"])
        for row, (end, length, began) in enumerate(zip(ends, state["lengths"], state["began"], strict=True)):
            self._start(row)
            self._replay(row, state["actions"][end - length : end].tolist(), int(began))

    def _replay(self, row: int, actions: list[int], began: int) -> None:
        """Play a game again; its running episode began after `began` actions."""
        shown = len(actions) - self._stacks.shape[1]
        for count, action in enumerate(actions, 1):
            self._play(row, action)
            if count == began:
                self._begin_episode(row)
            elif count > max(began, shown):
                self._stacks[row, :-1] = self._stacks[row, 1:]
                self._stacks[row, -1] = self._games[row].image()

    def close(self) -> None:
        self._games = []
