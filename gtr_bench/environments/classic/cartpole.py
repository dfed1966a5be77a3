"""CartPole (Barto, Sutton, Anderson 1983), constants of Gymnasium's CartPole-v0 and CartPole-v1."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gtr_bench.environments.base import FloatArray
from gtr_bench.environments.classic.batch import ClassicControl
from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces

__all__ = ["CartPole", "ShortCartPole"]

CART_MASS = 1.0
POLE_MASS = 0.1
HALF_LENGTH = 0.5
GRAVITY = 9.8
FORCE = 10.0
SECONDS = 0.02
POSITION_LIMIT = 2.4
ANGLE_LIMIT = 12 * 2 * math.pi / 360


class CartPole(ClassicControl):
    """CartPole-v1: state (x, dx/dt, angle, dangle/dt), Euler steps of 0.02 s, reward 1 per step, at most 500 steps."""

    gymnasium_id = "CartPole-v1"
    native_limit = 500
    state_size = 4
    spaces = Spaces(ObservationSpace((4,)), ActionSpace("discrete", (2,)), has_success=False)
    parameters: ClassVar[dict[str, str]] = {
        "gravity": "gravity",
        "mass": "mass of the pole",
        "length": "length of the pole",
        "force": "force of a push",
    }

    def __init__(self, members: int, envs: int, max_episode_steps: int | None = None) -> None:
        self._limits = np.array([[POSITION_LIMIT], [ANGLE_LIMIT]])
        super().__init__(members, envs, max_episode_steps)

    def _configure(self, factors: Mapping[str, FloatArray]) -> None:
        self._gravity = GRAVITY * factors["gravity"]
        self._pole_mass = POLE_MASS * factors["mass"]
        self._total_mass = self._pole_mass + CART_MASS
        self._length = HALF_LENGTH * factors["length"]
        self._mass_length = self._pole_mass * self._length
        self._force = FORCE * factors["force"]
        self._twice_force = 2.0 * self._force

    def _dress(self, drawing: Any, row: int) -> None:
        drawing.length = float(self._length[row])

    def _draw(self, unit: FloatArray) -> FloatArray:
        return -0.05 + 0.1 * unit

    def _advance(self, actions: NDArray[Any]) -> tuple[FloatArray, NDArray[np.bool_]]:
        state = self._state
        angle, spin = state[2], state[3]
        cosine = np.cos(angle)
        sine = np.sin(angle)
        # Action 1 pushes right (+force), action 0 left (-force).
        push = actions * self._twice_force
        push -= self._force
        push += self._mass_length * np.square(spin) * sine
        push /= self._total_mass
        inertia = self._pole_mass * np.square(cosine)
        inertia /= self._total_mass
        np.subtract(4.0 / 3.0, inertia, out=inertia)
        inertia *= self._length
        spin_change = self._gravity * sine
        spin_change -= cosine * push
        spin_change /= inertia
        push -= self._mass_length * spin_change * cosine / self._total_mass
        state[0::2] += SECONDS * state[1::2]
        push *= SECONDS
        spin_change *= SECONDS
        state[1] += push
        state[3] += spin_change
        outside = np.abs(state[0::2]) > self._limits
        return np.ones(angle.size), outside[0] | outside[1]

    def _observe(self, state: FloatArray) -> NDArray[np.float32]:
        return state.T.astype(np.float32, order="C")


class ShortCartPole(CartPole):
    """CartPole-v0: at most 200 steps."""

    native_limit = 200
