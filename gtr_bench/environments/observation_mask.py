"""A shift that hides coordinates of the observation: what is left may no longer tell the state."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gtr_bench.environments.base import SeedArray
from gtr_bench.environments.shift import Shift, Values, World
from gtr_bench.environments.spaces import Spaces

__all__ = ["ObservationMask"]


class ObservationMask(Shift):
    """Set the listed coordinates of every observation to 0. Values: 1 where a coordinate is seen, else 0, [M, D].

    `first_clean = false` hides them from the first phase on, such as the velocities of CartPole, coordinates 1 and 3.
    """

    numeric: ClassVar[bool] = False
    kind: Literal["observation_mask"] = "observation_mask"
    coordinates: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        min_length=1, strict=False, description="which ones, from 0; CartPole's velocities are `[1, 3]`"
    )

    def fits(self, spaces: Spaces) -> str | None:
        space, last = spaces.observation, max(self.coordinates)
        if not space.is_vector:
            return f"hides single numbers of a vector, not of {space.describe()}"
        if last >= space.size:
            return f"has no coordinate {last} to hide: the observation has {space.describe()}, counted from 0"
        return None

    def identity(self, world: World) -> Values:
        return np.ones((world.members, world.spaces.observation.size), np.float32)

    def draw(self, keys: SeedArray, variant: int, world: World) -> Values:
        values = self.identity(world)
        values[:, self.coordinates] = 0
        return values

    def change_observation(self, observation: NDArray[Any], values: Values, keys: SeedArray) -> NDArray[Any]:
        return observation * values[:, None]
