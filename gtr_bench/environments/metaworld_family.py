"""The `metaworld:` family: the 50 manipulation tasks of Meta-World v3, as Continual World uses them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from gtr_bench.environments.base import BatchedEnvironment
from gtr_bench.environments.metaworld_tasks import METAWORLD_TASKS, SPACES
from gtr_bench.environments.mujoco_physics import MUJOCO_PARAMETERS
from gtr_bench.environments.registry import Availability
from gtr_bench.environments.spaces import Spaces
from gtr_bench.errors import MissingExtraError, RequestError, UnknownNameError

__all__ = ["MetaWorldFamily"]


class MetaWorldFamily:
    """Tasks named as in Meta-World, `metaworld:hammer-v3`.

    Observations have 39 numbers with the goal visible, four actions in [-1, 1], reward version 2; positions are drawn
    anew at every reset; success is flagged and never ends an episode; 500 steps unless the sequence says otherwise
    (Continual World: 200).
    """

    name = "metaworld"

    def check(self, task: str) -> None:
        """Raise UnknownNameError or MissingExtraError when the task cannot be made; imports nothing."""
        if task not in METAWORLD_TASKS:
            raise UnknownNameError("`metaworld` environment", task, METAWORLD_TASKS)
        if not _installed():
            raise MissingExtraError(f"the environment `metaworld:{task}`", "metaworld")

    def packages(self, task: str) -> tuple[str, ...]:
        """Distributions whose versions change the numbers."""
        return ("gymnasium", "metaworld", "mujoco")

    def tasks(self) -> tuple[str, ...]:
        """The 50 tasks."""
        return tuple(METAWORLD_TASKS)

    def physics(self, task: str) -> dict[str, str]:
        """The physics parameters a shift may change; no `force`, for the arm is moved by a constraint."""
        return {name: meaning for name, meaning in MUJOCO_PARAMETERS.items() if name != "force"}

    def options(self, task: str) -> tuple[str, ...]:
        """There are none."""
        return ()

    def spaces(self, task: str, options: Mapping[str, Any]) -> Spaces:
        """What a learner sees, the same in all tasks; imports nothing."""
        return SPACES

    def make(
        self, task: str, *, members: int, envs: int, max_episode_steps: int | None, options: Mapping[str, Any]
    ) -> BatchedEnvironment:
        """Build the batch; all environments of a task share one compiled model.

        Raises:
            EnvironmentFault: an environment could not be built.
            MissingExtraError: Meta-World is not installed.
            RequestError: options, of which there are none.
            UnknownNameError: no such task.
        """
        self.check(task)
        if options:
            given = ", ".join(f"`{name}`" for name in sorted(options))
            raise RequestError(f"`metaworld:{task}` has no options, given: {given}")
        from gtr_bench.environments.metaworld_single import make_batch

        return make_batch(task, members, envs, max_episode_steps, tuple(self.physics(task)))

    def availability(self) -> list[Availability]:
        """One row."""
        usable = _installed()
        return [
            Availability("metaworld", usable, None if usable else MissingExtraError("`metaworld:`", "metaworld").hint)
        ]


def _installed() -> bool:
    return find_spec("metaworld") is not None and find_spec("mujoco") is not None
