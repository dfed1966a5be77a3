"""The `dm_control:` family: the tasks of DeepMind's control suite (Tassa and others, arXiv 1801.00690; protocols 6)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from gtr_bench.environments.base import BatchedEnvironment
from gtr_bench.environments.dmc_tasks import UNBOUNDED, Settings, tasks
from gtr_bench.environments.mujoco_physics import MUJOCO_PARAMETERS
from gtr_bench.environments.registry import Availability
from gtr_bench.environments.spaces import ObservationSpace, Spaces, symmetric
from gtr_bench.errors import MissingExtraError, UnknownNameError

__all__ = ["DmControlFamily"]


class DmControlFamily:
    """Tasks named by domain and task, `dm_control:walker-walk`.

    A vector of all that the package shows, in its order, or images; actions from -1 to 1; no success flag. An episode
    pays 0 to 1 per control step and is cut after 1,000 of them, but for lqr's, which costs, has no bounds of its
    actions, and ends by itself where the bodies rest.
    """

    name = "dm_control"

    def check(self, task: str) -> None:
        """Raise UnknownNameError or MissingExtraError when the task cannot be made; imports nothing."""
        if task not in tasks():
            raise UnknownNameError("`dm_control` environment", task, tuple(tasks()))
        if find_spec("dm_control") is None:
            raise MissingExtraError(f"the environment `dm_control:{task}`", "dm-control")

    def packages(self, task: str) -> tuple[str, ...]:
        """Distributions whose versions change the numbers."""
        return ("dm-control", "mujoco")

    def tasks(self) -> tuple[str, ...]:
        """All of the suite."""
        return tuple(tasks())

    def physics(self, task: str) -> dict[str, str]:
        """The physics parameters a shift may change: name -> meaning."""
        return dict(MUJOCO_PARAMETERS)

    def options(self, task: str) -> tuple[str, ...]:
        """The fields of `Settings`."""
        return Settings._fields

    def adapters(self, task: str, options: Mapping[str, Any]) -> tuple[str, ...]:
        """What stands between the simulator and a learner.

        Raises:
            RequestError: an unknown option, or a value that makes no sense.
        """
        settings = Settings.of(task, options)
        applied = {
            "rescale_action": tasks()[task].bounds == "other",
            "action_repeat": settings.action_repeat > 1,
            "flatten": not settings.pixels,
            "pixels": settings.pixels,
            "channels_first": settings.pixels,
            "stack_frames": settings.pixels and settings.frames > 1,
        }
        return tuple(name for name, applies in applied.items() if applies)

    def spaces(self, task: str, options: Mapping[str, Any]) -> Spaces:
        """What a learner sees; imports nothing.

        Raises:
            RequestError: an unknown option, or a value that makes no sense.
        """
        settings, known = Settings.of(task, options), tasks()[task]
        observation = ObservationSpace((known.observations,))
        if settings.pixels:
            shape = (3 * settings.frames, settings.height, settings.width)
            observation = ObservationSpace(shape, "uint8", frames=settings.frames)
        bound = UNBOUNDED if known.bounds == "none" else 1.0
        return Spaces(observation, symmetric(known.actions, bound), has_success=False)

    def make(
        self, task: str, *, members: int, envs: int, max_episode_steps: int | None, options: Mapping[str, Any]
    ) -> BatchedEnvironment:
        """Build the batch; `max_episode_steps` counts steps, of `action_repeat` control steps each.

        Raises:
            EnvironmentFault: an environment could not be built.
            MissingExtraError: dm_control is not installed.
            RequestError: an unknown option, or a value that makes no sense.
            UnknownNameError: no such task.
        """
        self.check(task)
        settings, spaces = Settings.of(task, options), self.spaces(task, options)
        from gtr_bench.environments.dmc_single import make_batch

        return make_batch(task, members, envs, max_episode_steps, settings, spaces)

    def availability(self) -> list[Availability]:
        """One row."""
        usable = find_spec("dm_control") is not None
        hint = None if usable else MissingExtraError("`dm_control:`", "dm-control").hint
        return [Availability("dm_control", usable, hint)]
