"""The `crafter:` family: survival in an open world seen as images (Hafner, arXiv 2109.06780; crafter 1.8.3)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from gtr_bench.environments.achievements import achievements
from gtr_bench.environments.base import BatchedEnvironment
from gtr_bench.environments.registry import Availability
from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.errors import MissingExtraError, RequestError, UnknownNameError

__all__ = ["CrafterFamily"]

TASKS = ("NoReward", "Reward")
LENGTH = 10_000
"""steps after which an episode is cut"""
SIDE = 64
ACTIONS = 17


class CrafterFamily:
    """`crafter:Reward` and `crafter:NoReward`, the same world without the reward.

    Images of 3 x 64 x 64 bytes, 17 actions, no success flag: there are 22 achievements and no goal. An episode ends
    with the player's life and is cut after 10,000 steps.
    """

    name = "crafter"

    def check(self, task: str) -> None:
        """Raise UnknownNameError or MissingExtraError when the task cannot be made; imports nothing."""
        if task not in TASKS:
            raise UnknownNameError("`crafter` environment", task, TASKS)
        if find_spec("crafter") is None:
            raise MissingExtraError(f"the environment `crafter:{task}`", "crafter")

    def packages(self, task: str) -> tuple[str, ...]:
        """Distributions whose versions change the numbers; opensimplex draws the landscape."""
        return ("crafter", "opensimplex")

    def tasks(self) -> tuple[str, ...]:
        """Both tasks."""
        return TASKS

    def physics(self, task: str) -> dict[str, str]:
        """There are none."""
        return {}

    def options(self, task: str) -> tuple[str, ...]:
        """There are none."""
        return ()

    def adapters(self, task: str, options: Mapping[str, Any]) -> tuple[str, ...]:
        """What happens to the package's images before a learner sees them."""
        return ("channels_first",)

    def spaces(self, task: str, options: Mapping[str, Any]) -> Spaces:
        """What a learner sees; imports nothing.

        Raises:
            RequestError: any option.
        """
        for option in options:
            raise RequestError(f"`crafter:{task}` has no option `{option}`", hint="it has none at all")
        image = ObservationSpace((3, SIDE, SIDE), "uint8")
        actions = ActionSpace("discrete", (ACTIONS,))
        return Spaces(image, actions, has_success=False, achievements=achievements(classic=True))

    def make(
        self, task: str, *, members: int, envs: int, max_episode_steps: int | None, options: Mapping[str, Any]
    ) -> BatchedEnvironment:
        """Build the batch.

        Raises:
            EnvironmentFault: an environment could not be built.
            MissingExtraError: Crafter is not installed.
            RequestError: any option.
            UnknownNameError: no such task.
        """
        self.check(task)
        from gtr_bench.environments.crafter_single import make_batch

        limit = LENGTH if max_episode_steps is None else max_episode_steps
        return make_batch(task, members, envs, limit, self.spaces(task, options))

    def availability(self) -> list[Availability]:
        """One row."""
        usable = find_spec("crafter") is not None
        return [Availability("crafter", usable, None if usable else MissingExtraError("`crafter:`", "crafter").hint)]
