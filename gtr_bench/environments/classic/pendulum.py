"""The swing-up pendulum, constants of Gymnasium's Pendulum-v1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gtr_bench.environments.base import FloatArray
from gtr_bench.environments.classic.batch import ClassicControl
from gtr_bench.environments.spaces import ObservationSpace, Spaces, symmetric

__all__ = ["Pendulum"]

GRAVITY = 10.0
MASS = 1.0
LENGTH = 1.0
SECONDS = 0.05
SPEED_LIMIT = 8.0
TORQUE_LIMIT = 2.0


class Pendulum(ClassicControl):
    """Pendulum-v1: state (angle, spin), one torque in [-2, 2], a quadratic cost, 200 steps, never terminates.

    The factor of `force` scales the torque that arrives, not the action's bounds and not the cost of the action.
    """

    gymnasium_id = "Pendulum-v1"
    native_limit = 200
    state_size = 2
    spaces = Spaces(ObservationSpace((3,)), symmetric(1, TORQUE_LIMIT), has_success=False)
    parameters: ClassVar[dict[str, str]] = {
        "gravity": "gravity",
        "mass": "mass of the pendulum",
        "length": "length of the pendulum",
        "force": "strength of the motor",
    }

    def __init__(self, members: int, envs: int, max_episode_steps: int | None = None) -> None:
        self._half_ranges = np.array([[np.pi], [1.0]])
        super().__init__(members, envs, max_episode_steps)

    def _configure(self, factors: Mapping[str, FloatArray]) -> None:
        length = LENGTH * factors["length"]
        self._pull = 3.0 * (GRAVITY * factors["gravity"]) / (2.0 * length)
        self._drive = 3.0 / (MASS * factors["mass"] * np.square(length)) * factors["force"]

    def _draw(self, unit: FloatArray) -> FloatArray:
        return self._half_ranges * (2.0 * unit - 1.0)

    def _advance(self, actions: NDArray[Any]) -> tuple[FloatArray, NDArray[np.bool_]]:
        angle, spin = self._state
        torque = np.minimum(np.maximum(actions[:, 0], -TORQUE_LIMIT), TORQUE_LIMIT).astype(np.float64)
        tilt = (angle + np.pi) % (2.0 * np.pi) - np.pi
        cost = np.square(tilt) + 0.1 * np.square(spin) + 0.001 * np.square(torque)
        spin += (self._pull * np.sin(angle) + self._drive * torque) * SECONDS
        np.maximum(spin, -SPEED_LIMIT, out=spin)
        np.minimum(spin, SPEED_LIMIT, out=spin)
        angle += spin * SECONDS
        return -cost, np.zeros(angle.size, dtype=np.bool_)

    def _observe(self, state: FloatArray) -> NDArray[np.float32]:
        observation = np.empty((state.shape[1], 3), dtype=np.float32)
        np.cos(state[0], out=observation[:, 0], casting="same_kind")
        np.sin(state[0], out=observation[:, 1], casting="same_kind")
        observation[:, 2] = state[1]
        return observation
