"""What every environment family offers: a batch of M members x N environments stepped in one call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gtr_bench.environments.spaces import Spaces
from gtr_bench.errors import UnknownNameError

__all__ = ["BatchedEnvironment", "Family", "Finals", "FloatArray", "SeedArray", "Transition"]

FloatArray = NDArray[np.float64]
SeedArray = NDArray[np.uint64]


class Finals(NamedTuple):
    """The last observations of the E episodes that ended in one step.

    Attributes:
        rows: int64 [E], ascending: m * N + n of each.
        observations: [E, *O], of the observation space's dtype.
    """

    rows: NDArray[np.int64]
    observations: NDArray[Any]


class Transition(NamedTuple):
    """The outcome of one step of M x N environments; O is the shape of one observation.

    Where an episode ended, `observation` is already the next episode's first one (same-step autoreset) and `finals`
    holds the last one of the ended episode. Both end flags may be set at once; then the episode counts as terminated
    for bootstrapping.

    Attributes:
        observation: [M, N, *O], of the observation space's dtype.
        reward: float64 [M, N].
        terminated: bool [M, N], the task itself ended the episode.
        truncated: bool [M, N], the time limit ended it.
        finals: of the episodes that ended; None when none did.
        success: bool [M, N], the success flag of this step; None when the task has none.
        achievements: bool [M, N, K], which of the K of `spaces.achievements` the episode of this step has achieved by
            now, the ended one where it ended; None when the task has none.
    """

    observation: NDArray[Any]
    reward: FloatArray
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    finals: Finals | None
    success: NDArray[np.bool_] | None
    achievements: NDArray[np.bool_] | None = None


class BatchedEnvironment(ABC):
    """M members x N environments of one task.

    Everything random in an episode follows from its seed, a hash of (seeds[m, n], episode number), so a member's
    stream does not depend on the other members.
    """

    members: int
    envs: int
    spaces: Spaces

    @abstractmethod
    def reset(self, seeds: SeedArray) -> NDArray[Any]:
        """Start episode 0 everywhere; `seeds` is uint64 [M, N]. Returns the first observations [M, N, *O]."""

    @abstractmethod
    def step(self, actions: NDArray[Any]) -> Transition:
        """Take one step everywhere; the shape of `actions` is [M, N, *spaces.action.shape].

        Raises:
            EnvironmentFault: an environment raised.
        """

    def _by_member(self, rows: NDArray[Any]) -> NDArray[Any]:
        """What is kept in rows [B, ...], B = M * N, as [M, N, ...]."""
        return rows.reshape(self.members, self.envs, *rows.shape[1:])

    def _transition(
        self,
        observation: NDArray[Any],
        reward: FloatArray,
        terminated: NDArray[np.bool_],
        truncated: NDArray[np.bool_],
        finals: Finals | None,
        success: NDArray[np.bool_] | None = None,
        achievements: NDArray[np.bool_] | None = None,
    ) -> Transition:
        """The outcome of a step from what is kept in rows: observations [B, *O], achievements [B, K], all else [B]."""
        return Transition(
            self._by_member(observation),
            self._by_member(reward),
            self._by_member(terminated),
            self._by_member(truncated),
            finals,
            None if success is None else self._by_member(success),
            None if achievements is None else self._by_member(achievements),
        )

    def set_physics(self, values: Mapping[str, FloatArray]) -> None:
        """Set physics factors [M] relative to the family's default, from the next step or reset on.

        Parameters that are not named return to factor 1, which restores the default exactly. Here: of a task that has
        none.

        Raises:
            UnknownNameError: a parameter the task does not have.
        """
        for name in values:
            raise UnknownNameError("physics parameter", name, ())

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Everything needed to continue exactly, as numpy arrays, ints, strings, lists and dicts of them."""

    @abstractmethod
    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from `state()` of an environment made with the same arguments, physics included."""

    def picture(self, row: int) -> NDArray[np.uint8] | None:
        """What environment `row` (m * N + n) looks like now, [H, W, 3]; None where it cannot be drawn.

        For people, not for learners: slow, and changes nothing.
        """
        return None

    def close(self) -> None:
        """Free what the environments hold; calling it twice is allowed."""
        return None


class Family(Protocol):
    """A source of tasks, found by the prefix of an environment's name (`gym:CartPole-v1`).

    An optional method `options(task) -> names | None`, the options `make` knows, lets a suite with others be refused
    before its first job starts; None means that the family cannot say. Three more are optional:
    `adapters(task, options) -> names` of what stands between the simulator and a learner (`adapters.py`), cheap and
    without imports; `evaluation_options(task, options) -> Mapping`, options that are replaced where a policy is
    evaluated (Atari: rewards as they are, whole games); and `normalisations(task, options) -> Mapping` from a name to
    the returns that count as 0 and as 1, for a sequence's `normalise` (Atari: `human`).
    """

    name: str

    def check(self, task: str) -> None:
        """Raise UnknownNameError or MissingExtraError when the task cannot be made; builds nothing."""

    def packages(self, task: str) -> tuple[str, ...]:
        """Distributions whose versions change the numbers and so belong to a job's identity."""

    def physics(self, task: str) -> dict[str, str]:
        """The physics parameters a shift may change: name -> meaning."""

    def spaces(self, task: str, options: Mapping[str, Any]) -> Spaces:
        """What a learner sees of the task; asked at every planning, so cheap or kept.

        Raises:
            EnvironmentFault: an environment was built to look at, and that failed, or no learner could use it.
            RequestError: an option the task does not have.
        """

    def make(
        self, task: str, *, members: int, envs: int, max_episode_steps: int | None, options: Mapping[str, Any]
    ) -> BatchedEnvironment:
        """Build the batch; `max_episode_steps` replaces the task's own limit.

        Raises:
            EnvironmentFault: an environment could not be built.
            RequestError: an option the task does not have.
        """
