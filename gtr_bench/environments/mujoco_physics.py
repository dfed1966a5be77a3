"""Change gravity, friction, mass and motor strength of a compiled MuJoCo model, and restore it exactly."""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["MUJOCO_PARAMETERS", "MujocoPhysics", "report_warnings"]

MUJOCO_PARAMETERS = {
    "force": "strength of all actuators (gear)",
    "friction": "sliding friction of all geoms",
    "gravity": "gravity",
    "mass": "mass and inertia of all bodies",
}
"""Lengths are not offered: a compiled model keeps them in too many derived places."""

# What MuJoCo derives from the masses when it compiles a model, see `mj_setConst`.
DERIVED_FROM_MASS = (
    "actuator_acc0",
    "body_invweight0",
    "body_subtreemass",
    "dof_M0",
    "dof_invweight0",
    "tendon_invweight0",
)


class MujocoPhysics:
    """Factors on one model, always relative to the model as it was when this object was made.

    Args:
        model: a `mujoco.MjModel`, changed in place.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._gravity = model.opt.gravity.copy()
        self._friction = model.geom_friction[:, 0].copy()
        self._gear = model.actuator_gear.copy()
        self._mass = model.body_mass.copy()
        self._inertia = model.body_inertia.copy()
        self._position = model.body_pos.copy()
        self._derived = {name: np.copy(getattr(model, name)) for name in DERIVED_FROM_MASS}
        self._mean_inertia = model.stat.meaninertia
        self._mass_factor = 1.0
        self._twin: Any = None

    def set(self, factors: Mapping[str, float]) -> None:
        """Set the factors of all of MUJOCO_PARAMETERS; those not named are 1, which restores the model exactly."""
        model = self._model
        model.opt.gravity[:] = self._gravity * factors.get("gravity", 1.0)
        model.geom_friction[:, 0] = self._friction * factors.get("friction", 1.0)
        model.actuator_gear[:] = self._gear * factors.get("force", 1.0)
        mass = factors.get("mass", 1.0)
        if mass != self._mass_factor:
            self._set_mass(mass)

    def _set_mass(self, factor: float) -> None:
        model = self._model
        model.body_mass[:] = self._mass * factor
        model.body_inertia[:] = self._inertia * factor
        if factor == 1.0:
            derived, mean_inertia = self._derived, self._mean_inertia
        else:
            derived, mean_inertia = self._derive()
        for name, values in derived.items():
            getattr(model, name)[:] = values
        model.stat.meaninertia = mean_inertia
        self._mass_factor = factor

    def _derive(self) -> tuple[dict[str, Any], float]:
        """What MuJoCo derives from the present masses, computed on a twin with the pristine body positions.

        Environments may move bodies of the model at a reset; the outcome must not depend on when it is asked for.
        """
        import mujoco

        if self._twin is None:
            self._twin = copy.copy(self._model)
            self._twin.body_pos[:] = self._position
        self._twin.body_mass[:] = self._model.body_mass
        self._twin.body_inertia[:] = self._model.body_inertia
        mujoco.mj_setConst(self._twin, mujoco.MjData(self._twin))
        return {name: getattr(self._twin, name) for name in DERIVED_FROM_MASS}, self._twin.stat.meaninertia


def report_warnings() -> None:
    """Send MuJoCo's warnings to stderr; left alone it appends them to a file in the current folder."""
    import mujoco

    mujoco.set_mju_user_warning(_print_warning)


def _print_warning(message: str) -> None:
    print(f"mujoco: {message}", file=sys.stderr)
