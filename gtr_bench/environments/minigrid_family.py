"""The `minigrid:` family: tasks in small grid worlds that the agent sees in part (MiniGrid; minigrid 3.2.0)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from gtr_bench.environments.base import BatchedEnvironment
from gtr_bench.environments.minigrid_tasks import SIDE, TASKS, Settings, settings_of
from gtr_bench.environments.registry import Availability
from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.errors import MissingExtraError, UnknownNameError

__all__ = ["MiniGridFamily"]


class MiniGridFamily:
    """Tasks named without the package's prefix and version, `minigrid:DoorKey-8x8`; the newest version of each.

    Images of 3 x 7 x 7 with codes, by default. The mission, a sentence, is left out: in Fetch, GoToDoor, GoToObject and
    PutNear it alone says what is wanted. Success is a positive reward at an episode's end: it pays for nothing else.
    """

    name = "minigrid"

    def check(self, task: str) -> None:
        """Raise UnknownNameError or MissingExtraError when the task cannot be made; imports nothing."""
        if task not in TASKS:
            raise UnknownNameError("`minigrid` environment", task, TASKS)
        if find_spec("minigrid") is None:
            raise MissingExtraError(f"the environment `minigrid:{task}`", "minigrid")

    def packages(self, task: str) -> tuple[str, ...]:
        """Distributions whose versions change the numbers."""
        return ("minigrid",)

    def tasks(self) -> tuple[str, ...]:
        """The tasks."""
        return tuple(TASKS)

    def physics(self, task: str) -> dict[str, str]:
        """There are none."""
        return {}

    def options(self, task: str) -> tuple[str, ...]:
        """The fields of `Settings`."""
        return Settings._fields

    def adapters(self, task: str, options: Mapping[str, Any]) -> tuple[str, ...]:
        """What happens to the package's images before a learner sees them."""
        settings = settings_of(task, options)
        first = "one_hot" if settings.observation == "one_hot" else None
        return tuple(filter(None, (first, "flatten" if settings.flatten else "channels_first")))

    def spaces(self, task: str, options: Mapping[str, Any]) -> Spaces:
        """What a learner sees; imports nothing.

        Raises:
            RequestError: an unknown option, or a value that makes no sense.
        """
        settings = settings_of(task, options)
        shape = (settings.channels, SIDE, SIDE)
        flat = ObservationSpace((settings.channels * SIDE * SIDE,))
        observation = flat if settings.flatten else ObservationSpace(shape, "uint8")
        return Spaces(observation, ActionSpace("discrete", (TASKS[task].actions,)), has_success=True)

    def make(
        self, task: str, *, members: int, envs: int, max_episode_steps: int | None, options: Mapping[str, Any]
    ) -> BatchedEnvironment:
        """Build the batch; the reward, which falls with the steps taken, counts them against the limit in force.

        Raises:
            EnvironmentFault: an environment could not be built.
            MissingExtraError: MiniGrid is not installed.
            RequestError: an unknown option, or a value that makes no sense.
            UnknownNameError: no such task.
        """
        self.check(task)
        from gtr_bench.environments.minigrid_single import make_batch

        limit = TASKS[task].max_steps if max_episode_steps is None else max_episode_steps
        return make_batch(task, members, envs, limit, settings_of(task, options), self.spaces(task, options))

    def availability(self) -> list[Availability]:
        """One row."""
        usable = find_spec("minigrid") is not None
        return [Availability("minigrid", usable, None if usable else MissingExtraError("`minigrid:`", "minigrid").hint)]
