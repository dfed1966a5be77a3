"""One task of dm_control's suite behind our interface of rows, images and actions from -1 to 1."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from gtr_bench.environments.dmc_tasks import Settings, Task, limit_of, tasks
from gtr_bench.environments.mujoco_physics import MUJOCO_PARAMETERS, MujocoPhysics, report_warnings
from gtr_bench.environments.single import Outcome, SingleBatch
from gtr_bench.environments.spaces import Spaces

__all__ = ["DmControlSingle", "make_batch"]

if sys.platform == "linux":
    # The package chooses how it draws when it is imported; left alone it tries windows first, which servers lack.
    os.environ.setdefault("MUJOCO_GL", "egl")

MODEL_SEED = 0
"""lqr draws the stiffness of its springs when it is built: the same in all environments, as a task is one world."""


def make_batch(
    task: str, members: int, envs: int, max_episode_steps: int | None, settings: Settings, spaces: Spaces
) -> SingleBatch:
    """M x N environments of one task.

    Raises:
        EnvironmentFault: an environment could not be built.
    """
    known = tasks()[task]
    limit = limit_of(known, settings) if max_episode_steps is None else max_episode_steps
    # A limit in control steps that `action_repeat` does not divide shortens the last step.
    control_steps = known.steps if max_episode_steps is None else None
    report_warnings()
    return SingleBatch(
        f"dm_control:{task}",
        members,
        envs,
        limit,
        lambda: DmControlSingle(known, settings, spaces, control_steps),
        parameters=tuple(MUJOCO_PARAMETERS),
    )


class DmControlSingle:
    """A `SingleEnvironment` of a task; the time limit is left to the batch.

    Args:
        task: what the table says of it.
        settings: its options.
        spaces: what a learner sees of it.
        control_steps: after so many of an episode no more are taken within a step; None: no such end.
    """

    def __init__(self, task: Task, settings: Settings, spaces: Spaces, control_steps: int | None) -> None:
        from dm_control import suite

        self.spaces = spaces
        arguments = {"random": np.random.RandomState(MODEL_SEED), "time_limit": float("inf")}
        self._environment: Any = suite.load(task.domain, task.task, task_kwargs=arguments)
        self._task: Any = self._environment.task
        self._simulator: Any = self._environment.physics
        # An unstable simulation goes on from the model's first pose, as it does in Gymnasium, and ends no cohort.
        self._calm = ExitStack()
        self._calm.enter_context(self._simulator.suppress_physics_errors())
        self._substeps = round(self._environment.control_timestep() / self._simulator.timestep())
        self._simulation = self._simulator.model.ptr, self._simulator.data.ptr, self._substeps
        halves = self._simulator.model.opt.integrator != mujoco.mjtIntegrator.mjINT_RK4
        self._simulate = _simulate_halves if halves else _simulate_whole
        self._settings = settings
        self._control_steps = control_steps
        self._taken = 0
        self._physics = MujocoPhysics(self._simulator.model.ptr)
        self._action = _rescaling(self._environment.action_spec()) if task.bounds == "other" else None
        self._shown = np.zeros(spaces.observation.shape, spaces.observation.dtype)
        with warnings.catch_warnings():
            # The package looks up names of sensors once, with a function of NumPy that is on its way out.
            warnings.filterwarnings("ignore", "`in1d` is deprecated", DeprecationWarning)
            first = self._environment.reset().observation
        self._places = [] if settings.pixels else _places(self._shown, first)

    def reset(self, seed: int) -> NDArray[Any]:
        """Start an episode; the images before it are the first one."""
        self._task.random.seed(seed)
        self._taken = 0
        observation = self._environment.reset().observation
        if self._settings.pixels:
            self._shown[:] = np.tile(self._render(), (self._settings.frames, 1, 1))
            return self._shown
        return self._flatten(observation)

    def step(self, action: Any) -> Outcome:
        """Take one step; success is always false, the suite has no such flag."""
        if self._action is not None:
            action = self._action(action)
        count = self._settings.action_repeat
        reward, discount = self._advance(action) if count == 1 else self._repeat(action, count)
        if self._settings.pixels:
            shown: NDArray[Any] = self._see()
        else:
            shown = self._flatten(self._task.get_observation(self._simulator))
        # An end of the task's own: lqr's, whose discount is 0. Any other discount says that there is more to come.
        return Outcome(shown, reward, discount == 0, discount is not None and discount != 0, False)

    def _advance(self, action: Any) -> tuple[float, float | None]:
        """One control step, as the package's `Environment.step` takes it without its own count; reward and discount."""
        task, simulator = self._task, self._simulator
        task.before_step(action, simulator)
        self._simulate(*self._simulation)
        task.after_step(simulator)
        return task.get_reward(simulator), task.get_termination(simulator)

    def _repeat(self, action: Any, count: int) -> tuple[float, float | None]:
        """Take an action up to `count` times; the sum of the rewards, and the last discount."""
        if self._control_steps is not None:
            count = min(count, self._control_steps - self._taken)
        total, discount = 0.0, None
        for _ in range(count):
            reward, discount = self._advance(action)
            self._taken += 1
            total += reward
            if discount is not None:
                break
        return total, discount

    def _flatten(self, observation: Mapping[str, Any]) -> NDArray[Any]:
        """All parts in one row, overwritten by the next step."""
        for part, (place, size) in zip(observation.values(), self._places, strict=True):
            place[...] = part if size is None else part.reshape(size)
        return self._shown

    def _see(self) -> NDArray[np.uint8]:
        """The last images [3 * frames, H, W], overwritten by the next step."""
        self._shown[:-3] = self._shown[3:]
        self._shown[-3:] = self._render()
        return self._shown

    def _render(self) -> NDArray[np.uint8]:
        settings = self._settings
        image: NDArray[np.uint8] = self._simulator.render(
            height=settings.height, width=settings.width, camera_id=settings.camera_id
        )
        return image.transpose(2, 0, 1)

    def picture(self) -> NDArray[np.uint8]:
        """What the camera of the options sees."""
        image = self._simulator.render(height=240, width=320, camera_id=self._settings.camera_id)
        return np.asarray(image, dtype=np.uint8)

    def set_physics(self, factors: Mapping[str, float]) -> None:
        """Set the factors of the MuJoCo model."""
        self._physics.set(factors)

    def close(self) -> None:
        """Free the model and what draws it."""
        self._calm.close()
        self._environment.close()


def _simulate_halves(model: Any, data: Any, steps: int) -> None:
    """What the package's `Physics.step` computes, without its look at MuJoCo's warnings, a tenth of cheetah's step.

    The first half of a step was made at the end of the one before, so that all of `data` fits the positions.
    """
    mujoco.mj_step2(model, data)
    if steps > 1:
        mujoco.mj_step(model, data, steps - 1)
    mujoco.mj_step1(model, data)


def _simulate_whole(model: Any, data: Any, steps: int) -> None:
    """The same where the integrator (Runge-Kutta) has no halves."""
    mujoco.mj_step(model, data, steps)
    mujoco.mj_step1(model, data)


def _places(row: NDArray[Any], observation: Mapping[str, Any]) -> list[tuple[NDArray[Any], int | None]]:
    """Which part of `row` each part of an observation fills, in the package's order; its size where it is a table."""
    places, first = [], 0
    for part in observation.values():
        size = int(np.size(part))
        places.append((row[first : first + size], size if np.ndim(part) > 1 else None))
        first += size
    return places


def _rescaling(spec: Any) -> Callable[[NDArray[Any]], NDArray[np.float64]]:
    """The linear way from -1 and 1 to the bounds of an action specification."""
    low, high = spec.minimum.astype(np.float64), spec.maximum.astype(np.float64)
    middle, half = (high + low) / 2, (high - low) / 2
    return lambda action: middle + half * action
