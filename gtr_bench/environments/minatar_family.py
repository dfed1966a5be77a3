"""The `minatar:` family: five games of the size of a thumbnail (Young and Tian, arXiv 1903.03176; minatar 1.0.15)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from gtr_bench.environments.base import BatchedEnvironment
from gtr_bench.environments.minatar_games import ALL_ACTIONS, GAMES, SIDE, Settings, settings_of
from gtr_bench.environments.registry import Availability
from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.errors import MissingExtraError, UnknownNameError

__all__ = ["MinAtarFamily"]


class MinAtarFamily:
    """Games named as in the package, `minatar:breakout`.

    Images of C x 10 x 10 with 0 and 1, six actions, no success flag and no time limit but the sequence's. Freeway ends
    after 2,500 steps of its own, which the package counts as a terminal state.
    """

    name = "minatar"

    def check(self, task: str) -> None:
        """Raise UnknownNameError or MissingExtraError when the task cannot be made; imports nothing."""
        if task not in GAMES:
            raise UnknownNameError("`minatar` environment", task, GAMES)
        if find_spec("minatar") is None:
            raise MissingExtraError(f"the environment `minatar:{task}`", "minatar")

    def packages(self, task: str) -> tuple[str, ...]:
        """Distributions whose versions change the numbers."""
        return ("minatar",)

    def tasks(self) -> tuple[str, ...]:
        """The games."""
        return tuple(GAMES)

    def physics(self, task: str) -> dict[str, str]:
        """There are none."""
        return {}

    def options(self, task: str) -> tuple[str, ...]:
        """The fields of `Settings`."""
        return Settings._fields

    def spaces(self, task: str, options: Mapping[str, Any]) -> Spaces:
        """What a learner sees; imports nothing.

        Raises:
            RequestError: an unknown option, or a value that makes no sense.
        """
        settings, game = settings_of(task, options), GAMES[task]
        actions = game.minimal_actions if settings.minimal_actions else ALL_ACTIONS
        shape = (settings.channels or game.channels, SIDE, SIDE)
        return Spaces(ObservationSpace(shape, "uint8"), ActionSpace("discrete", (len(actions),)), has_success=False)

    def make(
        self, task: str, *, members: int, envs: int, max_episode_steps: int | None, options: Mapping[str, Any]
    ) -> BatchedEnvironment:
        """Build the batch.

        Raises:
            EnvironmentFault: an environment could not be built.
            MissingExtraError: MinAtar is not installed.
            RequestError: an unknown option, or a value that makes no sense.
            UnknownNameError: no such task.
        """
        self.check(task)
        from gtr_bench.environments.minatar_single import make_batch

        return make_batch(
            task, members, envs, max_episode_steps, settings_of(task, options), self.spaces(task, options)
        )

    def availability(self) -> list[Availability]:
        """One row."""
        usable = find_spec("minatar") is not None
        return [Availability("minatar", usable, None if usable else MissingExtraError("`minatar:`", "minatar").hint)]
