"""Change gravity, engines and the grip of the ground in Gymnasium's Box2D tasks, and restore them exactly."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

__all__ = ["BOX2D_PARAMETERS", "Box2DPhysics"]

BOX2D_PARAMETERS = {
    "BipedalWalker": {
        "force": "largest torque of the motors, which is also what the reward charges for",
        "friction": "friction of the ground",
        "gravity": "gravity",
    },
    "LunarLander": {"force": "power of the engines", "gravity": "gravity"},
}
"""What can be changed, by the class that plays a task."""

_STRENGTHS = {"BipedalWalker": ("MOTORS_TORQUE",), "LunarLander": ("MAIN_ENGINE_POWER", "SIDE_ENGINE_POWER")}
"""Constants of the module of each class that a step reads."""


class Box2DPhysics:
    """Factors on one environment, always relative to what it was when this object was made.

    Args:
        environment: Gymnasium's, of a class in BOX2D_PARAMETERS.
    """

    def __init__(self, environment: Any) -> None:
        self._take_step = environment.step
        self._environment = environment = environment.unwrapped
        self._gravity = float(environment.world.gravity.y)
        self._grounds = [getattr(environment, name) for name in ("fd_polygon", "fd_edge") if hasattr(environment, name)]
        self._friction = [ground.friction for ground in self._grounds]
        self._module = sys.modules[type(environment).__module__]
        self._usual = {name: getattr(self._module, name) for name in _STRENGTHS[type(environment).__name__]}
        self._force = 1.0
        self._gravity_factor = 1.0

    def set(self, factors: Mapping[str, float]) -> None:
        """Set the factors of all parameters; those not named are 1, which restores the environment exactly."""
        self._force = factors.get("force", 1.0)
        self._gravity_factor = factors.get("gravity", 1.0)
        self.renew()
        environment, changed = self._environment, False
        for ground, usual in zip(self._grounds, self._friction, strict=True):
            friction = usual * factors.get("friction", 1.0)
            changed = changed or ground.friction != friction
            ground.friction = friction
        if changed and environment.terrain:
            for body in environment.terrain:
                for fixture in body.fixtures:
                    fixture.friction = self._grounds[0].friction
            # What touches already keeps the friction it began with.
            for contact in environment.world.contacts:
                contact.ResetFriction()

    def renew(self) -> None:
        """Give the environment's world its gravity; to be called before an episode, whose world may be a new one."""
        environment, gravity = self._environment, self._gravity * self._gravity_factor
        environment.gravity = gravity  # LunarLander makes its next world with it
        environment.world.gravity = (0.0, gravity)

    def step(self, action: Any) -> Any:
        """The environment's step, with engines as strong as they are here; the constants are shared by all."""
        if self._force == 1.0:
            return self._take_step(action)
        for name, usual in self._usual.items():
            setattr(self._module, name, usual * self._force)
        try:
            return self._take_step(action)
        finally:
            for name, usual in self._usual.items():
                setattr(self._module, name, usual)
