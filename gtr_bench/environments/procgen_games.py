"""The games of Procgen and their options, without the package (procgen-mirror 0.10.7; protocols 4)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from gtr_bench.environments.options import require_flags, require_integers, settings_from
from gtr_bench.environments.tables import rows_of
from gtr_bench.errors import RequestError

__all__ = ["ACTIONS", "GAMES", "MODES", "SIDE", "Settings", "bounds_of", "settings_of"]

SIDE = 64
ACTIONS = 15
"""Nothing, eight directions, six buttons: those of every game, whether they do something in it or not."""

MODES = {"easy": 0, "hard": 1, "extreme": 2, "memory": 10}
"""Distributions of levels, by the library's number; every game has the first two."""

_EVERY = ("easy", "hard")
GAMES: dict[str, tuple[str, ...]] = {
    "bigfish": _EVERY,
    "bossfight": _EVERY,
    "caveflyer": (*_EVERY, "memory"),
    "chaser": (*_EVERY, "extreme"),
    "climber": _EVERY,
    "coinrun": _EVERY,
    "dodgeball": (*_EVERY, "extreme", "memory"),
    "fruitbot": _EVERY,
    "heist": (*_EVERY, "memory"),
    "jumper": (*_EVERY, "memory"),
    "leaper": (*_EVERY, "extreme"),
    "maze": (*_EVERY, "memory"),
    "miner": (*_EVERY, "memory"),
    "ninja": _EVERY,
    "plunder": _EVERY,
    "starpilot": (*_EVERY, "extreme"),
}
"""The modes of each game: the library ends the process when it is asked for another."""


class Settings(NamedTuple):
    """The options of a task, each with its default: the package's own.

    Attributes:
        distribution_mode: which levels there are, and how the game plays: a key of `MODES`.
        start_level: the first level, from 0; the library ignores it where `num_levels` is 0.
        num_levels: how many levels from there on; 0: all 2^31 - 1.
        use_backgrounds: draw pictures behind the game; false: black.
        use_sequential_levels: a level that is completed leads to the next one in the same episode.
        center_agent: the view follows the player; dodgeball, heist, maze and miner decide this by their mode.
        paint_vel_info: paint the player's velocity into a corner of the image (some games only).
        restrict_themes: one theme for all levels of a game that has several.
        use_monochrome_assets: rectangles of one colour instead of pictures.
        use_generated_assets: made-up pictures instead of drawn ones.
    """

    distribution_mode: str = "hard"
    start_level: int = 0
    num_levels: int = 0
    use_backgrounds: bool = True
    use_sequential_levels: bool = False
    center_agent: bool = True
    paint_vel_info: bool = False
    restrict_themes: bool = False
    use_monochrome_assets: bool = False
    use_generated_assets: bool = False


def settings_of(task: str, options: Mapping[str, Any]) -> Settings:
    """The options of a game, checked: the library ends the process where one makes no sense.

    Raises:
        RequestError: an unknown option, or a value that makes no sense.
    """
    name = f"procgen:{task}"
    found = settings_from(Settings, name, options)
    if found.distribution_mode not in GAMES[task]:
        known = ", ".join(f"`{mode}`" for mode in GAMES[task])
        raise RequestError(f"`{name}` has no distribution_mode `{found.distribution_mode}`", hint=f"there is {known}")
    require_integers(name, found, {"start_level": 0, "num_levels": 0})
    if found.start_level + found.num_levels >= 2**31:
        raise RequestError(f"the levels of `{name}` end below 2147483648 (`start_level`, `num_levels`)")
    require_flags(name, found, Settings._fields[3:])
    return found


@cache
def _scores() -> dict[str, dict[str, str]]:
    return {row["game"]: row for row in rows_of("procgen_scores.csv")}


def bounds_of(task: str, mode: str) -> tuple[float, float] | None:
    """Returns of a policy that does not look and of the best in practice (protocols 4); None where none are known."""
    row = _scores()[task]
    return (float(row[f"{mode}_min"]), float(row[f"{mode}_max"])) if mode in _EVERY else None
