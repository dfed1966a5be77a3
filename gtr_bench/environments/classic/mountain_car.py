"""Mountain car (Moore 1990), constants of Gymnasium's MountainCar-v0 and MountainCarContinuous-v0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gtr_bench.environments.base import FloatArray
from gtr_bench.environments.classic.batch import ClassicControl
from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces, symmetric

__all__ = ["ContinuousMountainCar", "MountainCar"]

GRAVITY = 0.0025
LEFT_END = -1.2
RIGHT_END = 0.6
SPEED_LIMIT = 0.07


class MountainCar(ClassicControl):
    """MountainCar-v0: state (position, velocity), reward -1 per step, at most 200 steps; actions left, none, right."""

    gymnasium_id = "MountainCar-v0"
    native_limit = 200
    state_size = 2
    spaces = Spaces(ObservationSpace((2,)), ActionSpace("discrete", (3,)), has_success=False)
    parameters: ClassVar[dict[str, str]] = {
        "gravity": "gravity",
        "force": "force of the engine",
    }
    goal: ClassVar[float] = 0.5
    engine: ClassVar[float] = 0.001

    def _configure(self, factors: Mapping[str, FloatArray]) -> None:
        self._gravity = GRAVITY * factors["gravity"]
        self._force = self.engine * factors["force"]

    def _draw(self, unit: FloatArray) -> FloatArray:
        state = -0.6 + 0.2 * unit
        state[1] = 0.0
        return state

    def _move(self, thrust: FloatArray) -> NDArray[np.bool_]:
        """Advance the state under `thrust` [B], in units of the engine's force; returns where the goal is reached."""
        position, velocity = self._state
        thrust *= self._force
        thrust -= np.cos(3.0 * position) * self._gravity
        velocity += thrust
        np.maximum(velocity, -SPEED_LIMIT, out=velocity)
        np.minimum(velocity, SPEED_LIMIT, out=velocity)
        position += velocity
        np.maximum(position, LEFT_END, out=position)
        np.minimum(position, RIGHT_END, out=position)
        # The left end is a wall that stops the car.
        velocity[(position == LEFT_END) & (velocity < 0.0)] = 0.0
        arrived: NDArray[np.bool_] = (position >= self.goal) & (velocity >= 0.0)
        return arrived

    def _advance(self, actions: NDArray[Any]) -> tuple[FloatArray, NDArray[np.bool_]]:
        terminated = self._move(actions - 1.0)
        return np.full(terminated.size, -1.0), terminated

    def _observe(self, state: FloatArray) -> NDArray[np.float32]:
        return state.T.astype(np.float32, order="C")


class ContinuousMountainCar(MountainCar):
    """MountainCarContinuous-v0: one action in [-1, 1]; reward 100 at the goal minus 0.1 action^2; 999 steps at most.

    Gymnasium keeps the state in float32 after the first step and float64 in the first; here it is float64 throughout.
    """

    gymnasium_id = "MountainCarContinuous-v0"
    native_limit = 999
    spaces = Spaces(ObservationSpace((2,)), symmetric(1, 1.0), has_success=False)
    goal = 0.45
    engine = 0.0015

    def _advance(self, actions: NDArray[Any]) -> tuple[FloatArray, NDArray[np.bool_]]:
        thrust = np.minimum(np.maximum(actions[:, 0], -1.0), 1.0).astype(np.float64)
        reward = -0.1 * np.square(thrust)
        terminated = self._move(thrust)
        reward += 100.0 * terminated
        return reward, terminated
