"""The games of MinAtar and their options, without the package (minatar 1.0.15)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from gtr_bench.environments.options import require_flags, settings_from
from gtr_bench.errors import RequestError

__all__ = ["ALL_ACTIONS", "GAMES", "SIDE", "Game", "Settings", "settings_of"]

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
    name = f"minatar:{task}"
    found = settings_from(Settings, name, options)
    probability, least = found.sticky_action_prob, GAMES[task].channels
    if isinstance(probability, bool) or not isinstance(probability, int | float) or not 0 <= probability <= 1:
        raise RequestError(f"`sticky_action_prob` of `{name}` should be a number from 0 to 1")
    require_flags(name, found, ("difficulty_ramping", "minimal_actions"))
    if found.channels is not None and (type(found.channels) is not int or found.channels < least):
        raise RequestError(f"`channels` of `{name}` should be an integer of at least {least}, the game's own")
    return found
