"""The `gym:` family: Gymnasium's classic control vectorised by us, every other registered id as single environments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gtr_bench.environments.base import BatchedEnvironment
from gtr_bench.environments.classic import CLASSIC_CONTROL
from gtr_bench.errors import RequestError

__all__ = ["GymnasiumFamily"]


class GymnasiumFamily:
    """Tasks named by their Gymnasium id, `gym:CartPole-v1`."""

    name = "gym"

    def check(self, task: str) -> None:
        """Raise UnknownNameError or MissingExtraError when the task cannot be made; builds nothing."""
        if task in CLASSIC_CONTROL:
            return

    def packages(self, task: str) -> tuple[str, ...]:
        """Distributions whose versions change the numbers."""
        return ("gymnasium",)

    def physics(self, task: str) -> dict[str, str]:
        """The physics parameters a shift may change: name -> meaning."""
        return dict(CLASSIC_CONTROL[task].parameters)

    def make(
        self, task: str, *, members: int, envs: int, max_episode_steps: int | None, options: Mapping[str, Any]
    ) -> BatchedEnvironment:
        """Build the batch."""
        if options:
            raise RequestError(f"`gym:{task}` has no options")
        return CLASSIC_CONTROL[task](members, envs, max_episode_steps)
