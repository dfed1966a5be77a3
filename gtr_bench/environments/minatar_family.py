"""The `minatar:` family: five games of the size of a thumbnail (Young and Tian, arXiv 1903.03176; minatar 1.0.15)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, NamedTuple

from gtr_bench.environments.base import BatchedEnvironment
from gtr_bench.environments.registry import Availability
from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.errors import MissingExtraError, RequestError, UnknownNameError

__all__ = ["ALL_ACTIONS", "GAMES", "Game", "MinAtarFamily", "Settings", "settings_of"]

SIDE = 10
ALL_ACTIONS = tuple(range(6))
"""nothing, left, up, right, down, fire: the actions of every game"""


class Game(NamedTuple):
    """What the package says of a game: channels of its images, and the actions that have an effect of their own."""

    channels: int
    minimal_actions: tuple[int, ...]


GAMES = {
    "asterix": Game(4, (0, 1, 2, 3, 4)),
    "breakout": Game(4, (0, 1, 3)),
    "freeway": Game(7, (0, 2, 4)),
    "seaquest": Game(10, (0, 1, 2, 3, 4, 5)),
    "space_invaders": Game(6, (0, 1, 3, 5)),
}
"""Kept here so that planning imports nothing of the package."""


class Settings(NamedTuple):
    """The options of a task, each with its default: the package's own.

    Attributes:
        sticky_action_prob: probability of repeating the action before instead of the one chosen.
        difficulty_ramping: whether a game becomes harder as it goes on (asterix, seaquest, space_invaders).
        minimal_actions: leave out the actions that do nothing in the game.
        channels: fill the images up to so many channels with zeros, so that games can follow each other in one
            network (C-CHAIN: 10); None: the game's own.
    """

    sticky_action_prob: float = 0.1
    difficulty_ramping: bool = True
    minimal_actions: bool = False
    channels: int | None = None


def settings_of(task: str, options: Mapping[str, Any]) -> Settings:
    """The options of a game, checked.

    Raises:
        RequestError: an unknown option, or a value that makes no sense.
    """
    unknown = sorted(set(options) - set(Settings._fields))
    if unknown:
        known = ", ".join(f"`{name}`" for name in Settings._fields)
        raise RequestError(f"`minatar:{task}` has no option `{unknown[0]}`", hint=f"known: {known}")
    found = Settings(**options)
    probability, least = found.sticky_action_prob, GAMES[task].channels
    if isinstance(probability, bool) or not isinstance(probability, int | float) or not 0 <= probability <= 1:
        raise RequestError(f"`sticky_action_prob` of `minatar:{task}` should be a number from 0 to 1")
    for name in ("difficulty_ramping", "minimal_actions"):
        if not isinstance(getattr(found, name), bool):
            raise RequestError(f"`{name}` of `minatar:{task}` should be true or false")
    if found.channels is not None and (type(found.channels) is not int or found.channels < least):
        raise RequestError(f"`channels` of `minatar:{task}` should be an integer of at least {least}, the game's own")
    return found


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
