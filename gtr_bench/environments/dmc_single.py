"""One task of dm_control's suite behind our interface of rows, images and actions from -1 to 1."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any

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
        self._settings = settings
        self._control_steps = control_steps
        self._taken = 0
        self._physics = MujocoPhysics(self._environment.physics.model.ptr)
        self._action = _rescaling(self._environment.action_spec()) if task.bounds == "other" else None
        self._shown = np.zeros(spaces.observation.shape, spaces.observation.dtype)
        with warnings.catch_warnings():
            # The package looks up names of sensors once, with a function of NumPy that is on its way out.
            warnings.filterwarnings("ignore", "`in1d` is deprecated", DeprecationWarning)
            first = self._environment.reset().observation
        self._places = _places(first)

    def reset(self, seed: int) -> NDArray[Any]:
        """Start an episode; the images before it are the first one."""
        self._environment.task.random.seed(seed)
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
        if count == 1:
            time = self._environment.step(action)
            reward = time.reward
        else:
            reward, time = self._repeat(action, count)
        terminated = truncated = False
        if time.last():
            terminated = time.discount == 0
            truncated = not terminated
        if self._settings.pixels:
            return Outcome(self._see(), reward, terminated, truncated, False)
        return Outcome(self._flatten(time.observation), reward, terminated, truncated, False)

    def _repeat(self, action: Any, count: int) -> tuple[float, Any]:
        """Take an action up to `count` times; the sum of the rewards, and the last of the package's steps."""
        if self._control_steps is not None:
            count = min(count, self._control_steps - self._taken)
        total = 0.0
        for _ in range(count):
            time = self._environment.step(action)
            self._taken += 1
            total += time.reward
            if time.last():
                break
        return total, time

    def _flatten(self, observation: Mapping[str, Any]) -> NDArray[Any]:
        """All parts in one row, overwritten by the next step."""
        row = self._shown
        for name, first, last in self._places:
            part = observation[name]
            row[first:last] = part if np.ndim(part) < 2 else part.ravel()
        return row

    def _see(self) -> NDArray[np.uint8]:
        """The last images [3 * frames, H, W], overwritten by the next step."""
        self._shown[:-3] = self._shown[3:]
        self._shown[-3:] = self._render()
        return self._shown

    def _render(self) -> NDArray[np.uint8]:
        settings = self._settings
        image: NDArray[np.uint8] = self._environment.physics.render(
            height=settings.height, width=settings.width, camera_id=settings.camera_id
        )
        return image.transpose(2, 0, 1)

    def set_physics(self, factors: Mapping[str, float]) -> None:
        """Set the factors of the MuJoCo model."""
        self._physics.set(factors)

    def close(self) -> None:
        """Free the model and what draws it."""
        self._environment.close()


def _places(observation: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    """Where each part of an observation goes: name, first place, the one after the last; in the package's order."""
    places, first = [], 0
    for name, part in observation.items():
        places.append((name, first, first + np.size(part)))
        first += np.size(part)
    return places


def _rescaling(spec: Any) -> Callable[[NDArray[Any]], NDArray[np.float64]]:
    """The linear way from -1 and 1 to the bounds of an action specification."""
    low, high = spec.minimum.astype(np.float64), spec.maximum.astype(np.float64)
    middle, half = (high + low) / 2, (high - low) / 2
    return lambda action: middle + half * action
