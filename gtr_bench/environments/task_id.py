"""A shift that tells the learner which of the sequence's tasks it is in: one more number per task."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from gtr_bench.environments.base import SeedArray
from gtr_bench.environments.shift import Shift, Values, World
from gtr_bench.environments.spaces import Spaces

__all__ = ["TaskId"]


class TaskId(Shift):
    """Append one number per distinct task of the sequence to every observation: 1 for the phase's own, else 0.

    Values: the numbers appended [M, K]. A task is an environment with its options and the phase's variant of the other
    shifts; it has the same place whenever it returns. A reference run meets a single task and has K = 1. Of the fields
    that shifts share it takes none but `kind`.
    """

    numeric: ClassVar[bool] = False
    varies: ClassVar[bool] = False
    needs_boundaries: ClassVar[bool] = True
    kind: Literal["task_id"] = "task_id"

    @model_validator(mode="after")
    def _check_common(self) -> TaskId:
        if not self.first_clean or self.cycle is not None:
            raise ValueError("a shift of kind `task_id` has no variants, so it takes neither `first_clean` nor `cycle`")
        return self

    def fits(self, spaces: Spaces) -> str | None:
        space = spaces.observation
        return None if space.is_vector else f"appends to the numbers of a vector, not to {space.describe()}"

    def shown(self, spaces: Spaces, worlds: int) -> Spaces:
        (size,) = spaces.observation.shape
        return spaces._replace(observation=type(spaces.observation)((size + worlds,)))

    def identity(self, world: World) -> Values:
        """No task at all."""
        return np.zeros((world.members, world.worlds), np.float32)

    def draw(self, keys: SeedArray, variant: int, world: World) -> Values:
        values = self.identity(world)
        values[:, world.place] = 1
        return values

    def change_observation(self, observation: NDArray[Any], values: Values, keys: SeedArray) -> NDArray[Any]:
        members, envs = observation.shape[:2]
        told = np.broadcast_to(values[:, None], (members, envs, values.shape[1]))
        return np.concatenate([observation, told], axis=2)
