"""One game of the console: its emulator, its start and its images. Nothing of a game reaches the next one.

Sticky actions are drawn here and not by the emulator: its saved states hold neither its last action nor a seed of one's
own. Loading takes 0.1 s of a core, so every game starts from a state saved once after it; the chance in a game
comes from the frames without an action and from the sticky actions.
"""

from __future__ import annotations

from functools import cache
from math import gcd
from random import Random
from typing import Any, NamedTuple

import ale_py
import numpy as np
from ale_py import roms
from numpy.typing import NDArray

from gtr_bench.environments.atari_games import ALL_ACTIONS, SIDE, Flavour, Settings

__all__ = ["AtariGame", "Frames", "resized"]

_NOTHING, _FIRE = 0, 1

ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)


class Frames(NamedTuple):
    """What came of one step of `frame_skip` frames; `lost`: a life was lost and the game goes on."""

    reward: float
    over: bool
    lost: bool


class AtariGame:
    """A game in one mode and difficulty.

    Args:
        flavour: the game.
        settings: the options; clipping, ends of episodes and stacks are not its affair.
    """

    def __init__(self, flavour: Flavour, settings: Settings) -> None:
        self._emulator: Any = ale_py.ALEInterface()
        self._emulator.setInt("random_seed", 0)
        self._emulator.setFloat("repeat_action_probability", 0.0)
        path: Any = roms.get_rom_path(flavour.game.rom)
        self._emulator.loadROM(path)
        self._emulator.setMode(flavour.mode)
        self._emulator.setDifficulty(flavour.difficulty)
        self._loaded = self._emulator.cloneState(include_rng=True)
        minimal = [action.value for action in self._emulator.getMinimalActionSet()]
        self._actions = list(range(ALL_ACTIONS)) if settings.full_action_space else minimal
        self._fires = settings.fire_to_start and _FIRE in minimal
        self._noop_max = settings.noop_max
        self._skip = settings.frame_skip
        self._sticky = settings.sticky
        self._screens = [self._emulator.getScreenGrayscale() for _ in range(2)]
        self._older = 0
        self._random = Random(0)
        self._last = _NOTHING
        self._lives = 0

    def start(self, seed: int) -> None:
        """Start a game; all that is random in it follows from the seed."""
        self._random = Random(seed)
        self._last = _NOTHING
        self._begin()
        if self._fires:
            self._emulator.act(_FIRE)
        frames = int(self._random.random() * (self._noop_max + 1))
        for _ in range(frames):
            self._emulator.act(_NOTHING)
            if self._emulator.game_over():
                self._begin()
        self._see_twice()
        self._lives = self._emulator.lives()

    def _begin(self) -> None:
        """Start the game as if it had just been loaded.

        The saved state lacks two things: whether the emulator was amid a picture (corrected after ale-py 0.12.1, pull
        request 732), which it is not after the frame in between, and the picture itself, which the game's reset clears.
        """
        self._emulator.restoreState(self._loaded)
        self._emulator.act(_NOTHING)
        self._emulator.restoreState(self._loaded)
        self._emulator.reset_game()

    def step(self, action: int) -> Frames:
        """Play `frame_skip` frames, fewer where the game ends; `action` counts from 0."""
        emulator, sticky, draw = self._emulator, self._sticky, self._random.random
        act, chosen = emulator.act, self._actions[action]
        reward, first_seen = 0, self._skip - 2
        for frame in range(self._skip):
            if draw() >= sticky:
                self._last = chosen
            reward += act(self._last)
            if emulator.game_over():
                self._see_twice()
                return Frames(float(reward), True, False)
            if frame >= first_seen:
                emulator.getScreenGrayscale(self._screens[self._older])
                self._older ^= 1
        lives, before = emulator.lives(), self._lives
        self._lives = lives
        return Frames(float(reward), False, 0 < lives < before)

    def _see_twice(self) -> None:
        """Where there is one picture only, it is both of the last two."""
        self._emulator.getScreenGrayscale(self._screens[0])
        self._screens[1][:] = self._screens[0]

    def image(self) -> NDArray[np.uint8]:
        """The maximum of the last two pictures, uint8 [84, 84]."""
        return resized(np.maximum(self._screens[0], self._screens[1]))


def resized(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture [H, W] scaled to [84, 84] by the area its pixels cover: OpenCV's INTER_AREA without rounding errors.

    Every sum is of integers below 2^24, so float32 holds it exactly; halves are rounded to even.
    """
    height, width = picture.shape
    rows, columns = _weights(height), _weights(width)
    blocks = picture.reshape(-1, rows.shape[1], width).astype(np.float32)
    summed = (rows @ blocks).reshape(-1, columns.shape[1]) @ columns.T
    summed /= np.float32(rows.shape[1] * columns.shape[1])
    return np.rint(summed, out=summed).astype(np.uint8).reshape(SIDE, SIDE)


@cache
def _weights(size: int) -> NDArray[np.float32]:
    """How much of each of `size / g` pixels falls into each of `84 / g`: [84 / g, size / g], g the greatest divisor.

    A pixel counts 84 / g in all, a row of weights sums to size / g.
    """
    theirs, ours = size // gcd(size, SIDE), SIDE // gcd(size, SIDE)
    ends = np.arange(1, theirs + 1) * ours
    bounds = np.arange(1, ours + 1)[:, None] * theirs
    covered = np.minimum(ends, bounds) - np.maximum(ends - ours, bounds - theirs)
    weights: NDArray[np.float32] = np.maximum(covered, 0).astype(np.float32)
    return weights
