"""Acrobot (Sutton 1996; the book's equations), constants of Gymnasium's Acrobot-v1."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gtr_bench.environments.base import FloatArray
from gtr_bench.environments.classic.batch import ClassicControl
from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces

__all__ = ["Acrobot"]

SECONDS = 0.2
GRAVITY = 9.8
LINK_LENGTH = 1.0
CENTRE = 0.5
LINK_MASS = 1.0
INERTIA = 1.0
TORQUE = 1.0
SPEED_LIMITS = (4 * math.pi, 9 * math.pi)


class Acrobot(ClassicControl):
    """Acrobot-v1: state (angle 1, angle 2, spin 1, spin 2), Runge-Kutta steps of 0.2 s, reward -1 until the goal.

    The factors of mass and length hold for both links; a link's moment of inertia follows as mass x length^2.
    """

    gymnasium_id = "Acrobot-v1"
    native_limit = 500
    state_size = 4
    spaces = Spaces(ObservationSpace((6,)), ActionSpace("discrete", (3,)), has_success=False)
    parameters: ClassVar[dict[str, str]] = {
        "gravity": "gravity",
        "mass": "mass of both links",
        "length": "length of both links",
        "force": "torque of the motor",
    }

    def __init__(self, members: int, envs: int, max_episode_steps: int | None = None) -> None:
        self._speed_limits = np.array(SPEED_LIMITS)[:, None]
        super().__init__(members, envs, max_episode_steps)

    def _configure(self, factors: Mapping[str, FloatArray]) -> None:
        mass = LINK_MASS * factors["mass"]
        length = LINK_LENGTH * factors["length"]
        centre = CENTRE * factors["length"]
        gravity = GRAVITY * factors["gravity"]
        inertia = INERTIA * factors["mass"] * np.square(factors["length"])
        self._torque = TORQUE * factors["force"]
        self._coupling = mass * length * centre
        self._own = mass * np.square(centre)
        self._outer = self._own + inertia
        # d1 of the book = _whole + 2 coupling cos(angle 2); d2 = _outer + coupling cos(angle 2)
        self._whole = self._own + mass * (np.square(length) + np.square(centre)) + inertia + inertia
        self._outer_weight = mass * centre * gravity
        self._inner_weight = (mass * centre + mass * length) * gravity

    def _draw(self, unit: FloatArray) -> FloatArray:
        return -0.1 + 0.2 * unit

    def _derivative(self, state: FloatArray, torque: FloatArray) -> FloatArray:
        """Time derivative [4, B] of the states [4, B] under the torques [B]."""
        angle1, angle2, spin1, spin2 = state
        bend = self._coupling * np.cos(angle2)
        d2 = self._outer + bend
        d1 = self._whole + 2.0 * bend
        swing = self._coupling * np.sin(angle2)
        # cos(a - pi/2) = sin(a)
        phi2 = self._outer_weight * np.sin(angle1 + angle2)
        phi1 = self._inner_weight * np.sin(angle1) + phi2 - swing * spin2 * (spin2 + 2.0 * spin1)
        ratio = d2 / d1
        result = np.empty_like(state)
        result[:2] = state[2:]
        result[3] = (torque + ratio * phi1 - swing * np.square(spin1) - phi2) / (self._outer - d2 * ratio)
        result[2] = -(d2 * result[3] + phi1) / d1
        return result

    def _advance(self, actions: NDArray[Any]) -> tuple[FloatArray, NDArray[np.bool_]]:
        state = self._state
        torque = (actions - 1) * self._torque
        first = self._derivative(state, torque)
        second = self._derivative(state + (SECONDS / 2.0) * first, torque)
        third = self._derivative(state + (SECONDS / 2.0) * second, torque)
        fourth = self._derivative(state + SECONDS * third, torque)
        second += third
        second *= 2.0
        first += second
        first += fourth
        first *= SECONDS / 6.0
        state += first
        angles, spins = state[:2], state[2:]
        angles -= (2.0 * np.pi) * np.rint(angles / (2.0 * np.pi))
        np.maximum(spins, -self._speed_limits, out=spins)
        np.minimum(spins, self._speed_limits, out=spins)
        terminated = -np.cos(state[0]) - np.cos(state[0] + state[1]) > 1.0
        return terminated - 1.0, terminated

    def _observe(self, state: FloatArray) -> NDArray[np.float32]:
        observation = np.empty((state.shape[1], 6), dtype=np.float32)
        cosines, sines = np.cos(state[:2]), np.sin(state[:2])
        observation[:, 0:4:2] = cosines.T
        observation[:, 1:4:2] = sines.T
        observation[:, 4:] = state[2:].T
        return observation
