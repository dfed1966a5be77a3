"""The games of the Arcade Learning Environment and their options, without the package (ale-py 0.12.1; protocols 5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from gtr_bench.environments.options import require_flags, require_integers, settings_from
from gtr_bench.environments.tables import rows_of
from gtr_bench.errors import RequestError, UnknownNameError

__all__ = [
    "ALL_ACTIONS",
    "MAX_FRAMES",
    "SIDE",
    "Flavour",
    "Game",
    "Settings",
    "flavour_of",
    "games",
    "scores",
    "subsets",
]

SIDE = 84
ALL_ACTIONS = 18
"""Nothing, fire, eight directions, and the eight with fire: the console's; every game's minimal set is some of them."""
MAX_FRAMES = 108_000
"""Frames after which a game is cut off: half an hour of play (protocols 5)."""


class Game(NamedTuple):
    """What the package says of a game: its file, how many actions it needs, modes and difficulties, defaults first."""

    rom: str
    actions: int
    modes: tuple[int, ...]
    difficulties: tuple[int, ...]


class Flavour(NamedTuple):
    """A game in one of its modes and difficulties; `standard` when the name asked for neither."""

    name: str
    game: Game
    mode: int
    difficulty: int
    standard: bool


class Settings(NamedTuple):
    """The options of a task, each with its default.

    Attributes:
        sticky: probability that a frame repeats the action of the frame before instead of the one chosen (v5: 0.25).
        full_action_space: all 18 actions of the console instead of those the game needs, so that games can follow
            each other.
        frame_skip: frames per step; an image is the maximum of the last two.
        stack: images per observation.
        noop_max: a game starts with 0 to so many frames without an action.
        fire_to_start: before those, the fire button is pressed in games that have it.
        clip_reward: train on the sign of the rewards; evaluations always see them as they are.
        end_at_life_loss: in training an episode ends where a life is lost and the game goes on; evaluations always
            play whole games.
        mode: the game's mode; None: its default, or the one in the task's name.
        difficulty: the game's difficulty switches; likewise.
    """

    sticky: float = 0.25
    full_action_space: bool = False
    frame_skip: int = 4
    stack: int = 4
    noop_max: int = 30
    fire_to_start: bool = True
    clip_reward: bool = True
    end_at_life_loss: bool = True
    mode: int | None = None
    difficulty: int | None = None

    @classmethod
    def of(cls, task: str, options: Mapping[str, Any]) -> Settings:
        """The options of a task, checked.

        Raises:
            RequestError: an unknown option, or a value that makes no sense.
        """
        name = f"atari:{task}"
        found = settings_from(cls, name, options)
        if isinstance(found.sticky, bool) or not isinstance(found.sticky, int | float) or not 0 <= found.sticky < 1:
            raise RequestError(f"`sticky` of `{name}` should be a number from 0 to below 1")
        require_flags(name, found, ("full_action_space", "fire_to_start", "clip_reward", "end_at_life_loss"))
        require_integers(name, found, {"frame_skip": 1, "stack": 1, "noop_max": 0})
        return found


_FLAVOUR = re.compile(r"(?P<game>[^-]+)-m(?P<mode>\d+)d(?P<difficulty>\d+)")


def flavour_of(task: str, options: Mapping[str, Any]) -> Flavour:
    """The game of a task, `Breakout` or `Breakout-m4d1` (mode 4, difficulty 1), or with these two as options.

    Raises:
        RequestError: a mode or difficulty the game does not have, or one that is given twice.
        UnknownNameError: no such game.
    """
    match = _FLAVOUR.fullmatch(task)
    name = match["game"] if match else task
    if name not in games():
        raise UnknownNameError("`atari` environment", name, games())
    game = games()[name]
    chosen = []
    for option, known in (("mode", game.modes), ("difficulty", game.difficulties)):
        value = options.get(option)
        if match and value is not None:
            raise RequestError(f"`atari:{task}` names its {option} already", hint=f"leave out the option `{option}`")
        value = int(match[option]) if match else known[0] if value is None else value
        if type(value) is not int or value not in known:
            listed = ", ".join(map(str, known))
            raise RequestError(f"`atari:{name}` has no {option} `{value}`", hint=f"there is {listed}")
        chosen.append(value)
    given = match is not None or options.get("mode") is not None or options.get("difficulty") is not None
    return Flavour(name, game, chosen[0], chosen[1], not given)


@cache
def games() -> dict[str, Game]:
    """The games that the package registers, by their name there without `ALE/` and `-v5`."""
    return {
        row["game"]: Game(row["rom"], int(row["actions"]), _integers(row["modes"]), _integers(row["difficulties"]))
        for row in rows_of("atari_games.csv")
    }


@cache
def scores() -> dict[str, tuple[float, float]]:
    """Returns of a random player and of a human in 57 games (protocols 5)."""
    return {row["game"]: (float(row["random"]), float(row["human"])) for row in rows_of("atari_scores.csv")}


@cache
def subsets() -> dict[str, dict[str, float]]:
    """Games from which the median over all 57 is estimated, with their weights, by the subset's name (protocols 5)."""
    found: dict[str, dict[str, float]] = {}
    for row in rows_of("atari_subsets.csv"):
        found.setdefault(row["subset"], {})[row["game"]] = float(row["weight"])
    return found


def _integers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split()))
