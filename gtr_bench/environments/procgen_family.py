"""The `procgen:` family: sixteen games whose levels are generated (Cobbe et al., arXiv 1912.01588; protocols 4)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from gtr_bench.environments.base import BatchedEnvironment
from gtr_bench.environments.procgen_games import ACTIONS, GAMES, SIDE, Settings, bounds_of, settings_of
from gtr_bench.environments.registry import Availability
from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.errors import MissingExtraError, UnknownNameError

__all__ = ["ProcgenFamily"]

INSTALL = "make games"


class ProcgenFamily:
    """Games named as in the package, `procgen:starpilot`.

    Images of 3 x 64 x 64, fifteen actions, no success flag. A level is a number; a world is a set of levels. The same
    seed gives the same levels in the same order, and so the same trajectory for the same actions; which levels those
    are is the library's choice, it takes no seed for an episode.
    """

    name = "procgen"

    def check(self, task: str) -> None:
        """Raise UnknownNameError or MissingExtraError when the task cannot be made; imports nothing."""
        if task not in GAMES:
            raise UnknownNameError("`procgen` environment", task, GAMES)
        if find_spec("procgen") is None:
            raise MissingExtraError(f"the environment `procgen:{task}`", "procgen", command=INSTALL)

    def packages(self, task: str) -> tuple[str, ...]:
        """Distributions whose versions change the numbers."""
        return ("procgen-mirror",)

    def tasks(self) -> tuple[str, ...]:
        """The games."""
        return tuple(GAMES)

    def physics(self, task: str) -> dict[str, str]:
        """There are none."""
        return {}

    def options(self, task: str) -> tuple[str, ...]:
        """The fields of `Settings`."""
        return Settings._fields

    def adapters(self, task: str, options: Mapping[str, Any]) -> tuple[str, ...]:
        """The library draws rows, columns, channels."""
        return ("channels_first",)

    def normalisations(self, task: str, options: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
        """`procgen`: the bounds of Procgen's paper for levels of distribution_mode easy and hard."""
        bounds = bounds_of(task, settings_of(task, options).distribution_mode)
        return {} if bounds is None else {"procgen": bounds}

    def spaces(self, task: str, options: Mapping[str, Any]) -> Spaces:
        """What a learner sees; imports nothing.

        Raises:
            RequestError: an unknown option, or a value that makes no sense.
        """
        settings_of(task, options)
        return Spaces(
            ObservationSpace((3, SIDE, SIDE), "uint8"), ActionSpace("discrete", (ACTIONS,)), has_success=False
        )

    def make(
        self, task: str, *, members: int, envs: int, max_episode_steps: int | None, options: Mapping[str, Any]
    ) -> BatchedEnvironment:
        """Build the batch.

        Raises:
            EnvironmentFault: the library cannot be loaded.
            MissingExtraError: procgen-mirror is not installed.
            RequestError: an unknown option, or a value that makes no sense.
            UnknownNameError: no such task.
        """
        self.check(task)
        settings, spaces = settings_of(task, options), self.spaces(task, options)
        from gtr_bench.environments.procgen_batch import ProcgenBatch

        return ProcgenBatch(task, members, envs, max_episode_steps, settings, spaces)

    def availability(self) -> list[Availability]:
        """One row."""
        usable = find_spec("procgen") is not None
        return [Availability("procgen", usable, None if usable else INSTALL)]
