"""A batch made of single environments, for simulators without a batch of their own.

Their inner state cannot be saved, so `state()` keeps each running episode's seed, actions and physics, and
`load_state()` replays them: slower than copying, exact all the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gtr_bench.environments.base import BatchedEnvironment, Finals, FloatArray, SeedArray, Transition
from gtr_bench.environments.checks import wrong_observation, wrong_outcome
from gtr_bench.environments.hashing import mix
from gtr_bench.environments.spaces import Spaces
from gtr_bench.errors import EnvironmentFault, GtrBenchError, UnknownNameError

__all__ = ["Outcome", "SingleBatch", "SingleEnvironment"]

FIRST_CAPACITY = 256


class Outcome(NamedTuple):
    """One step of one environment; `observation` has the shape of its space."""

    observation: NDArray[Any]
    reward: float
    terminated: bool
    truncated: bool
    success: bool


class SingleEnvironment(Protocol):
    """One environment. An episode must follow from the seed of its reset, its physics and its actions alone.

    An optional method `picture() -> uint8 [H, W, 3]` draws it for people. One with `spaces.achievements` has a method
    `achieved() -> bool [K]`: which of them the running episode has achieved.
    """

    spaces: Spaces

    def reset(self, seed: int) -> NDArray[Any]:
        """Start an episode (seed in 0..2^31-1); returns the first observation, of the shape of its space."""

    def step(self, action: Any) -> Outcome:
        """Take one step; the action is an integer or an array of `spaces.action.shape`, within the bounds."""

    def set_physics(self, factors: Mapping[str, float]) -> None:
        """Set every physics parameter's factor relative to the pristine model."""

    def close(self) -> None:
        """Free what the environment holds."""


class SingleBatch(BatchedEnvironment):
    """M x N single environments, stepped one after the other.

    Args:
        name: the environment's name in error sentences.
        members: M.
        envs: N.
        limit: steps after which an episode is truncated; None: only the environment itself ends it.
        build: makes one environment; called M * N times.
        parameters: names of the physics parameters.

    The first observation and the first step of each are checked, since numpy would make something of anything.

    Raises:
        EnvironmentFault: an environment could not be built.
    """

    def __init__(
        self,
        name: str,
        members: int,
        envs: int,
        limit: int | None,
        build: Callable[[], SingleEnvironment],
        *,
        parameters: tuple[str, ...] = (),
    ) -> None:
        self.members = members
        self.envs = envs
        self._name = name
        self._limit = limit
        self._parameters = parameters
        self._singles: list[SingleEnvironment] = self._build(build, members * envs)
        self.spaces = self._singles[0].spaces
        self._observation_shape = self.spaces.observation.shape
        self._observation_dtype = np.dtype(self.spaces.observation.dtype)
        space = self.spaces.action
        size = members * envs
        self._seeds: SeedArray = np.zeros(size, dtype=np.uint64)
        self._episode: NDArray[np.int64] = np.zeros(size, dtype=np.int64)
        self._step = 0
        # The batch's step at which each running episode began; and no episode reaches the limit before `_limit_at`.
        self._began: NDArray[np.int64] = np.zeros(size, dtype=np.int64)
        self._limit_at = limit
        low, high = space.low, space.high
        self._bounds = None if low is None or high is None else (np.tile(low, (size, 1)), np.tile(high, (size, 1)))
        dtype = np.float32 if space.kind == "continuous" else np.int64
        # The actions of the batch's step s are in row s modulo the length; it holds every running episode whole.
        self._actions: NDArray[Any] = np.zeros((FIRST_CAPACITY, size, *space.shape), dtype=dtype)
        self._room_until = FIRST_CAPACITY
        # (s, factors [P, M]): in force for the steps s, s + 1, ... of the batch and for resets at the end of them.
        self._physics: deque[tuple[int, FloatArray]] = deque([(-1, np.ones((len(parameters), members)))])
        self._unseen = set(range(size))  # rows whose first observation was not checked yet
        self._steps_checked = False

    def _build(self, build: Callable[[], SingleEnvironment], count: int) -> list[SingleEnvironment]:
        try:
            return [build() for _ in range(count)]
        except (GtrBenchError, MemoryError):
            raise
        except Exception as error:
            raise EnvironmentFault(f"`{self._name}` could not be built: {_describe(error)}") from error

    def _fault(self, row: int, error: Exception) -> EnvironmentFault:
        return self._blame(row, f"raised {_describe(error)}")

    def _blame(self, row: int, what: str) -> EnvironmentFault:
        member, place = divmod(row, self.envs)
        return EnvironmentFault(
            f"`{self._name}` (member {member}, environment {place}, step {self._step - self._began[row]} of episode "
            f"{self._episode[row]}) {what}",
            member=member,
        )

    def reset(self, seeds: SeedArray) -> NDArray[Any]:
        self._seeds[:] = seeds.reshape(-1)
        self._episode[:] = 0
        self._began[:] = 0
        self._step = 0
        self._limit_at = self._limit
        self._room_until = self._actions.shape[0]
        self._physics = deque([(-1, self._physics[-1][1])])
        observation = np.empty((len(self._singles), *self._observation_shape), self._observation_dtype)
        for row in range(len(self._singles)):
            observation[row] = self._begin(row)
        return self._by_member(observation)

    def _begin(self, row: int) -> NDArray[Any]:
        seed = int(mix(self._seeds[row], self._episode[row])[0]) % 2**31
        try:
            observation = self._singles[row].reset(seed)
        except MemoryError:
            raise
        except Exception as error:
            raise self._fault(row, error) from error
        if row in self._unseen:
            self._refuse(row, wrong_observation(observation, self.spaces.observation))
            self._unseen.discard(row)
        return observation

    def _refuse(self, row: int, found: str | None) -> None:
        """Raise EnvironmentFault with what was found wrong in a row, if anything was."""
        if found is not None:
            raise self._blame(row, found)

    def step(self, actions: NDArray[Any]) -> Transition:
        taken = self._record(actions)
        observation = np.empty((len(taken), *self._observation_shape), self._observation_dtype)
        reward = np.empty(len(taken))
        flags: NDArray[np.bool_] = np.zeros((3, len(taken)), dtype=np.bool_)
        advance = self._advance if self._steps_checked else self._advance_checked
        ended = advance(taken, observation, reward, flags)
        self._step += 1
        if self._limit_at is not None and self._step >= self._limit_at:
            ended = self._truncate(flags)
        achieved = self._achieved() if self.spaces.achievements else None
        finals = None
        if ended:
            rows = np.array(ended)
            finals = Finals(rows, observation[rows])
            self._restart(ended, observation)
        success = flags[2] if self.spaces.has_success else None
        return self._transition(observation, reward, flags[0], flags[1], finals, success, achieved)

    def _advance(
        self, taken: NDArray[Any], observation: NDArray[Any], reward: FloatArray, flags: NDArray[np.bool_]
    ) -> list[int]:
        """Take one step everywhere; returns the rows of the episodes that their environment ended.

        Args:
            taken: the actions [B, ...].
            observation: [B, *O], filled here.
            reward: [B], filled here.
            flags: [3, B] of false: terminated, truncated and success, set here.
        """
        ended: list[int] = []
        row = 0
        try:
            for row, single in enumerate(self._singles):
                observation[row], reward[row], terminated, truncated, success = single.step(taken[row])
                # Setting few flags is cheaper than collecting all: most are false.
                if terminated or truncated:
                    flags[0, row], flags[1, row] = terminated, truncated
                    ended.append(row)
                if success:
                    flags[2, row] = True
        except MemoryError:
            raise
        except Exception as error:
            raise self._fault(row, error) from error
        return ended

    def _advance_checked(
        self, taken: NDArray[Any], observation: NDArray[Any], reward: FloatArray, flags: NDArray[np.bool_]
    ) -> list[int]:
        """`_advance` at the first step: what each environment gives is looked at before numpy takes it."""
        for row, single in enumerate(self._singles):
            try:
                outcome = single.step(taken[row])
            except MemoryError:
                raise
            except Exception as error:
                raise self._fault(row, error) from error
            self._refuse(row, wrong_outcome(outcome, self.spaces))
            observation[row], reward[row], *flags[:, row] = outcome
        self._steps_checked = True
        ended: list[int] = np.flatnonzero(flags[0] | flags[1]).tolist()
        return ended

    def _achieved(self) -> NDArray[np.bool_]:
        """What the running episodes have achieved, [B, K]."""
        singles: list[Any] = self._singles
        return np.array([single.achieved() for single in singles], np.bool_)

    def _truncate(self, flags: NDArray[np.bool_]) -> list[int]:
        """Mark the episodes that are at the time limit in `flags` [3, B]; returns all rows whose episode ended."""
        assert self._limit is not None
        flags[1] |= self._step - self._began >= self._limit
        ended = flags[0] | flags[1]
        began = np.where(ended, self._step, self._began)
        self._limit_at = int(began.min()) + self._limit
        rows: list[int] = np.flatnonzero(ended).tolist()
        return rows

    def _restart(self, rows: list[int], observation: NDArray[Any]) -> None:
        """Begin the next episodes of these rows and put their first observations into `observation` [B, *O]."""
        for row in rows:
            self._episode[row] += 1
            self._began[row] = self._step
            observation[row] = self._begin(row)

    def _record(self, actions: NDArray[Any]) -> NDArray[Any]:
        """Clip continuous actions to the bounds and remember all; returns what the environments receive [B, ...].

        What is not a number becomes the lower bound: a simulator may raise on it, and a member that has diverged,
        which the learner reports, must not bring down the others.
        """
        if self._step >= self._room_until:
            self._make_room(self._step - int(self._began.min()) + 1)
        taken = actions.reshape(self._actions.shape[1:])
        row = self._actions[self._step % self._actions.shape[0]]
        if self._bounds is None:
            row[:] = taken
        else:
            np.fmax(taken, self._bounds[0], out=row)
            np.minimum(row, self._bounds[1], out=row)
        # A copy, because an environment may keep the array it was given.
        received: NDArray[Any] = row.copy()
        return received

    def _make_room(self, steps: int) -> None:
        """Lengthen the log of actions until it holds the last `steps` steps."""
        length = self._actions.shape[0]
        if steps > length:
            longer = np.zeros((max(steps, 2 * length), *self._actions.shape[1:]), dtype=self._actions.dtype)
            kept = np.arange(max(0, self._step - length), self._step)
            longer[kept % longer.shape[0]] = self._actions[kept % length]
            self._actions = longer
        self._room_until = self._step - (steps - 1) + self._actions.shape[0]

    def _running(self, row: int) -> NDArray[Any]:
        """The actions of the running episode of one environment [steps so far, ...]."""
        steps = np.arange(self._began[row], self._step)
        running: NDArray[Any] = self._actions[steps % self._actions.shape[0], row]
        return running

    def set_physics(self, values: Mapping[str, FloatArray]) -> None:
        for name in values:
            if name not in self._parameters:
                raise UnknownNameError("physics parameter", name, self._parameters)
        factors = np.ones((len(self._parameters), self.members))
        for place, name in enumerate(self._parameters):
            if name in values:
                factors[place] = values[name]
        before = self._physics[-1][1]
        if np.array_equal(factors, before):
            return
        for row, single in enumerate(self._singles):
            member = row // self.envs
            if not np.array_equal(factors[:, member], before[:, member]):
                single.set_physics(self._of_member(factors, member))
        if self._physics[-1][0] == self._step:
            self._physics.pop()
        self._physics.append((self._step, factors))
        oldest = int(self._began.min())
        while len(self._physics) > 1 and self._physics[1][0] < oldest:
            self._physics.popleft()

    def _of_member(self, factors: FloatArray, member: int) -> dict[str, float]:
        return dict(zip(self._parameters, factors[:, member].tolist(), strict=True))

    def state(self) -> dict[str, Any]:
        return {
            "seeds": self._seeds.copy(),
            "episode": self._episode.copy(),
            "elapsed": self._step - self._began,
            "step": self._step,
            "actions": np.concatenate([self._running(row) for row in range(len(self._singles))]),
            "physics_steps": np.array([step for step, _ in self._physics]),
            "physics_factors": np.stack([factors for _, factors in self._physics]),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        self._seeds[:] = state["seeds"]
        self._episode[:] = state["episode"]
        self._step = state["step"]
        self._began[:] = self._step - state["elapsed"]
        self._limit_at = None if self._limit is None else int(self._began.min()) + self._limit
        self._physics = deque(zip(state["physics_steps"].tolist(), state["physics_factors"].copy(), strict=True))
        self._make_room(self._step - int(self._began.min()) + 1)
        length, first = self._actions.shape[0], 0
        for row, count in enumerate(state["elapsed"].tolist()):
            actions = state["actions"][first : first + count]
            self._actions[np.arange(self._step - count, self._step) % length, row] = actions
            first += count
            self._replay(row, actions)

    def _replay(self, row: int, actions: NDArray[Any]) -> None:
        """Take the actions of one environment's running episode again."""
        single, member = self._singles[row], row // self.envs
        start = self._step - len(actions)
        # A change at the batch's step `start` was made after the reset that began the episode.
        before = [factors for step, factors in self._physics if step < start]
        changes = {step: factors for step, factors in self._physics if step >= start}
        single.set_physics(self._of_member(before[-1], member))
        self._begin(row)
        try:
            for step, action in enumerate(actions.copy(), start):
                if step in changes:
                    single.set_physics(self._of_member(changes[step], member))
                single.step(action)
        except MemoryError:
            raise
        except Exception as error:
            raise self._fault(row, error) from error
        single.set_physics(self._of_member(self._physics[-1][1], member))

    def picture(self, row: int) -> NDArray[np.uint8] | None:
        draw = getattr(self._singles[row], "picture", None)
        return None if draw is None else draw()

    def close(self) -> None:
        for single in self._singles:
            single.close()
        self._singles = []


def _describe(error: Exception) -> str:
    """The exception's type and message in one line without a full stop."""
    message = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
