"""Procgen's C library without the package's Python side, which would import gym3 and gym.

Entry points and structures: gym3's `libenv.h` (version 1), and `get_state`, `set_state` of Procgen's `vecgame.cpp`
(environments 5).
"""

from __future__ import annotations

import ctypes
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gtr_bench.environments.procgen_games import ACTIONS, MODES, SIDE, Settings
from gtr_bench.errors import EnvironmentFault

__all__ = ["ProcgenGames"]

_VERSION = 1
_UINT8, _INT32 = 1, 2  # libenv_dtype
_OBSERVATION, _ACTION, _INFO = 1, 2, 3  # libenv_space_name
_INFORMATION = {"prev_level_seed": np.int32, "prev_level_complete": np.uint8, "level_seed": np.int32}
_LARGEST_STATE = 2**20  # bytes; the package's own MAX_STATE_SIZE


class _Option(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char * 128),
        ("dtype", ctypes.c_int),
        ("count", ctypes.c_int),
        ("data", ctypes.c_void_p),
    )


class _Options(ctypes.Structure):
    _fields_ = (("items", ctypes.POINTER(_Option)), ("count", ctypes.c_int))


class _Buffers(ctypes.Structure):
    _fields_ = (
        ("observations", ctypes.c_void_p),
        ("rewards", ctypes.c_void_p),
        ("firsts", ctypes.c_void_p),
        ("information", ctypes.c_void_p),
        ("actions", ctypes.c_void_p),
    )


@cache
def _folder() -> Path:
    """The package's `data`; the package itself is not imported."""
    package = find_spec("procgen")
    assert package is not None
    assert package.submodule_search_locations is not None
    return Path(package.submodule_search_locations[0]) / "data"


@cache
def _library() -> ctypes.CDLL:
    """The library, loaded once in a process and kept: loading it again costs 0.3 s.

    Raises:
        EnvironmentFault: it cannot be loaded, or is not the one this was written for.
    """
    path = _folder() / "prebuilt" / "libenv.so"
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise EnvironmentFault(
            f"the library of Procgen cannot be loaded: {error}",
            hint="it needs libGL and glib: `apt-get install libgl1 libglib2.0-0` on Debian and Ubuntu",
        ) from error
    if library.libenv_version() != _VERSION:
        raise EnvironmentFault(
            f"the library of Procgen has version {library.libenv_version()} of libenv, not {_VERSION}"
        )
    handle = ctypes.c_void_p
    library.libenv_make.argtypes, library.libenv_make.restype = [ctypes.c_int, _Options], handle
    library.libenv_get_tensortypes.argtypes = [handle, ctypes.c_int, ctypes.c_void_p]
    library.libenv_set_buffers.argtypes = [handle, ctypes.POINTER(_Buffers)]
    library.get_state.argtypes = [handle, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    library.set_state.argtypes = [handle, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    for name in ("libenv_observe", "libenv_act", "libenv_close"):
        getattr(library, name).argtypes = [handle]
    for name in ("libenv_set_buffers", "set_state", "libenv_observe", "libenv_act", "libenv_close"):
        getattr(library, name).restype = None
    return library


class ProcgenGames:
    """B games of one task, each with a handle and so a stream of levels of its own, stepped one by one.

    Args:
        task: name of the game.
        settings: the options, checked.
        size: B.

    Attributes:
        frames: uint8 [B, 64, 64, 3], what each game shows now; the library writes here.
        rewards: float32 [B], of the last step.
        firsts: uint8 [B], 1 where the last step ended an episode: the frame is the next one's first.
        actions: int32 [B], what `act` carries out; -1 does nothing for a step and then ends the episode.
        levels: int32 [B], the level that each game plays.

    Raises:
        EnvironmentFault: the library cannot be loaded.
    """

    def __init__(self, task: str, settings: Settings, size: int) -> None:
        self._library = _library()
        self._act, self._observe = self._library.libenv_act, self._library.libenv_observe
        self._options = _options_of(task, settings)
        self._handles: list[int] = []
        self.frames = np.zeros((size, SIDE, SIDE, 3), np.uint8)
        self.rewards = np.zeros(size, np.float32)
        self.firsts = np.zeros(size, np.uint8)
        self.actions = np.zeros(size, np.int32)
        self._information = {name: np.zeros(size, dtype) for name, dtype in _INFORMATION.items()}
        self.levels: NDArray[np.int32] = self._information["level_seed"]

    def open(self, seeds: NDArray[np.int64]) -> None:
        """Begin new games whose levels are drawn from `seeds` [B], each in 0..2^31-1, and close those there were.

        Raises:
            EnvironmentFault: the library has other tensors than it should.
        """
        self.close()
        for row, seed in enumerate(seeds.tolist()):
            items, keep = _items(self._options | {"rand_seed": seed})
            handle = self._library.libenv_make(1, _Options(items, len(items)))
            del keep  # the library has copied the options' values
            self._handles.append(handle)
            counts = [
                self._library.libenv_get_tensortypes(handle, space, None) for space in (_OBSERVATION, _ACTION, _INFO)
            ]
            if counts != [1, 1, len(_INFORMATION)]:
                raise EnvironmentFault(
                    f"the library of Procgen has {counts} tensors instead of [1, 1, {len(_INFORMATION)}]"
                )
            # The library copies these addresses; what they point to are the arrays, which live as long as the games.
            observation = (ctypes.c_void_p * 1)(_address(self.frames, row))
            information = (ctypes.c_void_p * 3)(*(_address(array, row) for array in self._information.values()))
            action = (ctypes.c_void_p * 1)(_address(self.actions, row))
            buffers = _Buffers(
                ctypes.addressof(observation),
                _address(self.rewards, row),
                _address(self.firsts, row),
                ctypes.addressof(information),
                ctypes.addressof(action),
            )
            self._library.libenv_set_buffers(handle, ctypes.byref(buffers))
            self._observe(handle)

    @property
    def is_open(self) -> bool:
        """Whether there are games."""
        return bool(self._handles)

    def act_all(self) -> None:
        """Carry out every game's action."""
        act, observe = self._act, self._observe
        for handle in self._handles:
            act(handle)
            observe(handle)

    def act(self, row: int) -> None:
        """Carry out one game's action."""
        self._act(self._handles[row])
        self._observe(self._handles[row])

    def states(self) -> list[bytes]:
        """Every game as bytes, its coming levels included."""
        buffer = ctypes.create_string_buffer(_LARGEST_STATE)
        found = []
        for handle in self._handles:
            length = self._library.get_state(handle, 0, buffer, _LARGEST_STATE)
            found.append(ctypes.string_at(buffer, length))
        return found

    def restore(self, row: int, state: bytes) -> None:
        """Continue a game from one of `states()` of the same task and settings; its frame is drawn again."""
        self._library.set_state(self._handles[row], 0, state, len(state))

    def close(self) -> None:
        """Free the games; calling it twice is allowed."""
        for handle in self._handles:
            self._library.libenv_close(handle)
        self._handles = []


def _address(array: NDArray[Any], row: int) -> int:
    return array.ctypes.data + row * array.strides[0]


def _options_of(task: str, settings: Settings) -> dict[str, Any]:
    options = settings._asdict() | {"distribution_mode": MODES[settings.distribution_mode]}
    return options | {
        "env_name": task,
        "num_actions": ACTIONS,
        "debug_mode": 0,
        "num_threads": 0,
        "render_human": False,
        "resource_root": str(_folder() / "assets") + "/",
    }


def _items(options: dict[str, Any]) -> tuple[Any, list[Any]]:
    """The options as the library reads them, and the memory they point to."""
    items, keep = (_Option * len(options))(), []
    for item, (name, value) in zip(items, options.items(), strict=True):
        item.name, item.count, item.dtype = name.encode(), 1, _UINT8
        data: Any
        if isinstance(value, str):
            text = value.encode()
            item.count, data = len(text), ctypes.create_string_buffer(text)
        elif isinstance(value, bool):
            data = ctypes.c_uint8(value)
        else:
            item.dtype, data = _INT32, ctypes.c_int32(value)
        item.data = ctypes.addressof(data)
        keep.append(data)
    return items, keep
