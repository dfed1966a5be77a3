"""The `craftax:` family: an open world in JAX (Matthews et al., arXiv 2402.16801; craftax 1.6.1)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, NamedTuple

from gtr_bench.environments.achievements import achievements
from gtr_bench.environments.base import BatchedEnvironment
from gtr_bench.environments.registry import Availability
from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.errors import MissingExtraError, RequestError, UnknownNameError

__all__ = ["CraftaxFamily"]


class _Task(NamedTuple):
    """Numbers of an observation, actions, and steps after which an episode is cut."""

    numbers: int
    actions: int
    length: int


TASKS = {"Classic-Symbolic": _Task(1345, 17, 10_000), "Symbolic": _Task(8268, 43, 100_000)}
"""Kept here so that planning imports nothing of the package, and above all no JAX."""


class CraftaxFamily:
    """`craftax:Symbolic` and `craftax:Classic-Symbolic`, observations as vectors of numbers.

    The world runs in a process of its own, so that JAX and torch never meet in one. The reward is the package's, there
    is no success flag: achievements are many and a goal is none. An episode ends with the player's life (or the last
    boss's) and is cut after 100,000 steps, in Classic after 10,000.
    """

    name = "craftax"

    def check(self, task: str) -> None:
        """Raise UnknownNameError or MissingExtraError when the task cannot be made; imports nothing."""
        if task not in TASKS:
            raise UnknownNameError("`craftax` environment", task, TASKS)
        if not _installed():
            raise MissingExtraError(f"the environment `craftax:{task}`", "craftax")

    def packages(self, task: str) -> tuple[str, ...]:
        """Distributions whose versions change the numbers."""
        return ("craftax", "jax", "jaxlib")

    def tasks(self) -> tuple[str, ...]:
        """Both tasks."""
        return tuple(TASKS)

    def physics(self, task: str) -> dict[str, str]:
        """There are none."""
        return {}

    def options(self, task: str) -> tuple[str, ...]:
        """There are none."""
        return ()

    def spaces(self, task: str, options: Mapping[str, Any]) -> Spaces:
        """What a learner sees; imports nothing.

        Raises:
            RequestError: any option.
        """
        for option in options:
            raise RequestError(f"`craftax:{task}` has no option `{option}`", hint="it has none at all")
        found = TASKS[task]
        return Spaces(
            ObservationSpace((found.numbers,)),
            ActionSpace("discrete", (found.actions,)),
            has_success=False,
            achievements=achievements(classic=task == "Classic-Symbolic"),
        )

    def make(
        self, task: str, *, members: int, envs: int, max_episode_steps: int | None, options: Mapping[str, Any]
    ) -> BatchedEnvironment:
        """Build the batch; the first one on a machine compiles for a minute or two.

        Raises:
            EnvironmentFault: an environment could not be built.
            MissingExtraError: Craftax or JAX is not installed.
            RequestError: any option.
            UnknownNameError: no such task.
        """
        self.check(task)
        from gtr_bench.environments.craftax_batch import CraftaxBatch

        limit = TASKS[task].length if max_episode_steps is None else max_episode_steps
        return CraftaxBatch(task, members, envs, limit, self.spaces(task, options))

    def availability(self) -> list[Availability]:
        """One row."""
        usable = _installed()
        return [Availability("craftax", usable, None if usable else MissingExtraError("`craftax:`", "craftax").hint)]


def _installed() -> bool:
    return find_spec("craftax") is not None and find_spec("jax") is not None
