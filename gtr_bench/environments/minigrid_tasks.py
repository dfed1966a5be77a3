"""The tasks of MiniGrid and their options, without the package (minigrid 3.2.0)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

from gtr_bench.environments.options import require_flags, settings_from
from gtr_bench.errors import RequestError

__all__ = ["CODES", "SIDE", "TASKS", "Settings", "Task", "settings_of"]

SIDE = 7
"""cells along each side of what the agent sees"""
CODES = (11, 6, 3)
"""how many codes a cell's object, colour and state have"""
DIRECTIONS = 4
Observation = Literal["image", "one_hot"]


class Task(NamedTuple):
    """What the package says of a task.

    Attributes:
        max_steps: its own time limit, which its reward depends on.
        actions: how many there are: turn left, turn right, forward, pick up, drop, toggle, done.
        version: the newest one.
    """

    max_steps: int
    actions: int = 7
    version: int = 0


TASKS = {
    "BlockedUnlockPickup": Task(576),
    "DistShift1": Task(252),
    "DistShift2": Task(252),
    "DoorKey-16x16": Task(2560),
    "DoorKey-5x5": Task(250),
    "DoorKey-6x6": Task(360),
    "DoorKey-8x8": Task(640),
    "Dynamic-Obstacles-16x16": Task(1024, actions=3),
    "Dynamic-Obstacles-5x5": Task(100, actions=3),
    "Dynamic-Obstacles-6x6": Task(144, actions=3),
    "Dynamic-Obstacles-8x8": Task(256, actions=3),
    "Dynamic-Obstacles-Random-5x5": Task(100, actions=3),
    "Dynamic-Obstacles-Random-6x6": Task(144, actions=3),
    "Empty-16x16": Task(1024),
    "Empty-5x5": Task(100),
    "Empty-6x6": Task(144),
    "Empty-8x8": Task(256),
    "Empty-Random-5x5": Task(100),
    "Empty-Random-6x6": Task(144),
    "Fetch-5x5-N2": Task(125),
    "Fetch-6x6-N2": Task(180),
    "Fetch-8x8-N3": Task(320),
    "FourRooms": Task(100),
    "GoToDoor-5x5": Task(100),
    "GoToDoor-6x6": Task(144),
    "GoToDoor-8x8": Task(256),
    "GoToObject-6x6-N2": Task(180),
    "GoToObject-8x8-N2": Task(320),
    "KeyCorridorS3R1": Task(270),
    "KeyCorridorS3R2": Task(270),
    "KeyCorridorS3R3": Task(270),
    "KeyCorridorS4R3": Task(480),
    "KeyCorridorS5R3": Task(750),
    "KeyCorridorS6R3": Task(1080),
    "LavaCrossingS11N5": Task(484),
    "LavaCrossingS9N1": Task(324),
    "LavaCrossingS9N2": Task(324),
    "LavaCrossingS9N3": Task(324),
    "LavaGapS5": Task(100),
    "LavaGapS6": Task(144),
    "LavaGapS7": Task(196),
    "LockedRoom": Task(190),
    "MemoryS11": Task(605),
    "MemoryS13": Task(845),
    "MemoryS13Random": Task(845),
    "MemoryS17Random": Task(1445),
    "MemoryS7": Task(245),
    "MemoryS9": Task(405),
    "MultiRoom-N2-S4": Task(40),
    "MultiRoom-N4-S5": Task(80, version=1),
    "MultiRoom-N6": Task(120),
    "ObstructedMaze-1Dl": Task(288),
    "ObstructedMaze-1Dlh": Task(288),
    "ObstructedMaze-1Dlhb": Task(288),
    "ObstructedMaze-1Q": Task(720, version=1),
    "ObstructedMaze-2Dl": Task(576),
    "ObstructedMaze-2Dlh": Task(576),
    "ObstructedMaze-2Dlhb": Task(576, version=1),
    "ObstructedMaze-2Q": Task(1584, version=1),
    "ObstructedMaze-Full": Task(3600, version=1),
    "PutNear-6x6-N2": Task(30),
    "PutNear-8x8-N3": Task(40),
    "RedBlueDoors-6x6": Task(720),
    "RedBlueDoors-8x8": Task(1280),
    "SimpleCrossingS11N5": Task(484),
    "SimpleCrossingS9N1": Task(324),
    "SimpleCrossingS9N2": Task(324),
    "SimpleCrossingS9N3": Task(324),
    "Unlock": Task(288),
    "UnlockPickup": Task(288),
}
"""Kept here so that planning imports nothing of the package. Left out: Playground, which pays no reward, and the mazes
of wave function collapse, which need packages beside MiniGrid."""


class Settings(NamedTuple):
    """The options of a task, each with its default.

    Attributes:
        observation: `image`: the package's three codes per cell, object, colour and state; `one_hot`: one channel of
            0 and 1 per code instead.
        direction: also show where the agent looks, as further channels: the same code, or 0 and 1, in every cell.
        flatten: all numbers in one row of float32, for networks that read vectors.
    """

    observation: Observation = "image"
    direction: bool = False
    flatten: bool = False

    @property
    def channels(self) -> int:
        """Channels of an image."""
        if self.observation == "image":
            return len(CODES) + self.direction
        return sum(CODES) + DIRECTIONS * self.direction


def settings_of(task: str, options: Mapping[str, Any]) -> Settings:
    """The options of a task, checked.

    Raises:
        RequestError: an unknown option, or a value that makes no sense.
    """
    name = f"minigrid:{task}"
    found = settings_from(Settings, name, options)
    if found.observation not in get_args(Observation):
        raise RequestError(f"`observation` of `{name}` should be `image` or `one_hot`")
    require_flags(name, found, ("direction", "flatten"))
    return found
