"""One MiniGrid environment behind our interface of images and plain actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import minigrid  # noqa: F401  (registers the ids)
import numpy as np
from numpy.typing import NDArray

from gtr_bench.environments.minigrid_tasks import CODES, SIDE, TASKS, Settings
from gtr_bench.environments.single import Outcome, SingleBatch
from gtr_bench.environments.spaces import Spaces

__all__ = ["MiniGridSingle", "make_batch"]

_FIRST = np.cumsum((0, *CODES))
"""the first channel of each kind of code in a one-hot image, and where the directions begin"""


def make_batch(task: str, members: int, envs: int, limit: int, settings: Settings, spaces: Spaces) -> SingleBatch:
    """M x N environments of one task.

    Raises:
        EnvironmentFault: an environment could not be built.
    """
    return SingleBatch(f"minigrid:{task}", members, envs, limit, lambda: MiniGridSingle(task, limit, settings, spaces))


class MiniGridSingle:
    """A `SingleEnvironment` of a task, without the wrappers that only keep books."""

    def __init__(self, task: str, limit: int, settings: Settings, spaces: Spaces) -> None:
        self.spaces = spaces
        identity = f"MiniGrid-{task}-v{TASKS[task].version}"
        environment: Any = gymnasium.make(identity, disable_env_checker=True).unwrapped
        self._environment = environment
        environment.max_steps = limit
        self._one_hot = settings.observation == "one_hot"
        self._direction = settings.direction
        self._image = np.zeros((settings.channels, SIDE, SIDE), np.uint8)

    def reset(self, seed: int) -> NDArray[Any]:
        """Start an episode."""
        observation, _ = self._environment.reset(seed=seed)
        return self._observe(observation)

    def step(self, action: Any) -> Outcome:
        """Take one step; success: the episode ends with a reward above 0."""
        observation, reward, terminated, truncated, _ = self._environment.step(int(action))
        return Outcome(
            self._observe(observation),
            float(reward),
            bool(terminated),
            bool(truncated),
            bool(terminated and reward > 0),
        )

    def _observe(self, observation: Mapping[str, Any]) -> NDArray[Any]:
        """The image [C, rows, columns], or its numbers in one row; overwritten by the next step."""
        codes = observation["image"].transpose(2, 1, 0)  # the package counts columns first
        image, direction = self._image, int(observation["direction"])
        if self._one_hot:
            image[:] = 0
            np.put_along_axis(image, codes + _FIRST[:-1, None, None], 1, 0)
            if self._direction:
                image[_FIRST[-1] + direction] = 1
        else:
            image[: len(CODES)] = codes
            if self._direction:
                image[len(CODES)] = direction
        return image if self.spaces.observation.is_image else image.reshape(-1)

    def picture(self) -> NDArray[np.uint8]:
        """The whole grid; what the agent sees is lighter."""
        return np.asarray(self._environment.get_frame(), dtype=np.uint8)

    def set_physics(self, factors: Mapping[str, float]) -> None:
        """There is no physics to set."""

    def close(self) -> None:
        """Free what the environment holds."""
        self._environment.close()
