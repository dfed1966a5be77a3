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
        self._places, self._rates = self._state[0::2], self._state[1::2]
        # memory of a step's intermediate results: for few environments to allocate it costs as much as to compute
        self._change, self._moved = np.empty((2, 2, members * envs))
        self._rows = tuple(np.empty((4, members * envs)))
        self._one = np.ones(members * envs)

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
        angle, spin = self._places[1], self._rates[1]
        push, spin_change = change = self._change
        cosine, sine, inertia, term = self._rows
        np.cos(angle, out=cosine)
        np.sin(angle, out=sine)
        # push = (force + mass_length spin^2 sine) / total_mass; action 1 pushes right (+force), action 0 left (-force)
        np.multiply(actions, self._twice_force, out=push)
        push -= self._force
        np.square(spin, out=term)
        term *= self._mass_length
        term *= sine
        push += term
        push /= self._total_mass
        # inertia = length (4/3 - pole_mass cosine^2 / total_mass)
        np.square(cosine, out=inertia)
        inertia *= self._pole_mass
        inertia /= self._total_mass
        np.subtract(4.0 / 3.0, inertia, out=inertia)
        inertia *= self._length
        # spin_change = (gravity sine - cosine push) / inertia
        np.multiply(sine, self._gravity, out=spin_change)
        np.multiply(cosine, push, out=term)
        spin_change -= term
        spin_change /= inertia
        # push -= mass_length spin_change cosine / total_mass
        np.multiply(spin_change, self._mass_length, out=term)
        term *= cosine
        term /= self._total_mass
        push -= term
        # places move with the old rates
        np.multiply(self._rates, SECONDS, out=self._moved)
        self._places += self._moved
        change *= SECONDS
        self._rates += change
        outside = np.abs(self._places, out=self._moved) > self._limits
        return self._one.copy(), outside[0] | outside[1]

    def _observe(self, state: FloatArray) -> NDArray[np.float32]:
        return state.T.astype(np.float32, order="C")


class ShortCartPole(CartPole):
    """CartPole-v0: at most 200 steps."""

    native_limit = 200
