"""What every environment family offers: a batch of M members x N environments stepped in one call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gtr_bench.environments.spaces import ActionSpace

__all__ = ["BatchedEnvironment", "Family", "FloatArray", "SeedArray", "Transition"]

FloatArray = NDArray[np.float64]
SeedArray = NDArray[np.uint64]


class Transition(NamedTuple):
    """The outcome of one step of M x N environments.

    Where an episode ended, `observation` is already the next episode's first one (same-step autoreset) and
    `final_observation` holds the last one of the ended episode. Both end flags may be set at once; then the
    episode counts as terminated for bootstrapping.

    Attributes:
        observation: float32 [M, N, D].
        reward: float64 [M, N].
        terminated: bool [M, N], the task itself ended the episode.
        truncated: bool [M, N], the time limit ended it.
        final_observation: float32 [M, N, D], valid where an episode ended; None when none did.
        success: bool [M, N], the success flag of this step; None when the task has none.
    """

    observation: NDArray[np.float32]
    reward: FloatArray
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    final_observation: NDArray[np.float32] | None
    success: NDArray[np.bool_] | None


class BatchedEnvironment(ABC):
    """M members x N environments of one task.

    Everything random in an episode follows from its seed, a hash of (seeds[m, n], episode number), so a member's
    stream does not depend on the other members.
    """

    members: int
    envs: int
    observation_size: int
    action_space: ActionSpace
    has_success: bool = False

    @abstractmethod
    def reset(self, seeds: SeedArray) -> NDArray[np.float32]:
        """Start episode 0 everywhere; `seeds` is uint64 [M, N]. Returns the first observations [M, N, D]."""

    @abstractmethod
    def step(self, actions: NDArray[Any]) -> Transition:
        """Take one step everywhere; the shape of `actions` is [M, N, *action_space.shape].

        Raises:
            EnvironmentFault: an environment raised.
        """

    @abstractmethod
    def set_physics(self, values: Mapping[str, FloatArray]) -> None:
        """Set physics factors [M] relative to the family's default, from the next step or reset on.

        Parameters that are not named return to factor 1, which restores the default exactly.

        Raises:
            UnknownNameError: a parameter the task does not have.
        """

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Everything needed to continue exactly, as numpy arrays, ints, strings, lists and dicts of them."""

    @abstractmethod
    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from `state()` of an environment made with the same arguments, physics included."""

    def close(self) -> None:
        """Free what the environments hold; calling it twice is allowed."""
        return None


class Family(Protocol):
    """A source of tasks, found by the prefix of an environment's name (`gym:CartPole-v1`).

    Optional methods let a suite be refused before its first job starts; a family without them is not checked so far:
    `spaces(task, options) -> (observation size, ActionSpace[, has a success flag]) | None`, and
    `options(task) -> names | None`, the options `make` knows. None means that the family cannot say.
    """

    name: str

    def check(self, task: str) -> None:
        """Raise UnknownNameError or MissingExtraError when the task cannot be made; builds nothing."""

    def packages(self, task: str) -> tuple[str, ...]:
        """Distributions whose versions change the numbers and so belong to a job's identity."""

    def physics(self, task: str) -> dict[str, str]:
        """The physics parameters a shift may change: name -> meaning."""

    def make(
        self, task: str, *, members: int, envs: int, max_episode_steps: int | None, options: Mapping[str, Any]
    ) -> BatchedEnvironment:
        """Build the batch; `max_episode_steps` replaces the task's own limit.

        Raises:
            EnvironmentFault: an environment could not be built.
            RequestError: an option the task does not have.
        """
