"""Observations of a rollout as they are stored: stacks of frames frame by frame, all else as it is.

Consecutive stacks share all frames but one. A stack is stored as the places of its frames, so a rollout of stacks of F
takes little more than 1 / F of the bytes; stacks are put together where they are read, a minibatch or chunk at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from gtr_bench.environments.spaces import ObservationSpace

__all__ = ["FrameStore", "Stacks", "WholeStore", "assembled", "store_of"]


@dataclass(frozen=True)
class Stacks:
    """Stacks of F frames, `[*S, *O]`, whose frames are stored once; O = (C, H, W).

    Attributes:
        frames: uint8 `[K, C / F, H, W]`.
        places: int64 `[*S, F]`, where in `frames` each stack's are, the newest last.
    """

    frames: Tensor
    places: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the stacks: `[*S, *O]`."""
        channels, *sides = self.frames.shape[1:]
        return (*self.places.shape[:-1], self.places.shape[-1] * channels, *sides)

    def __getitem__(self, index: Any) -> Stacks:
        """Some of the stacks; their frames stay where they are."""
        return Stacks(self.frames, self.places[index])

    def assembled(self) -> Tensor:
        """The stacks themselves: uint8 `[*S, *O]`."""
        return self.frames.index_select(0, self.places.reshape(-1)).view(self.shape)


def assembled(stored: Tensor | Stacks) -> Tensor:
    """Observations as a network reads them, `[*S, *O]`."""
    return stored.assembled() if isinstance(stored, Stacks) else stored


class WholeStore:
    """Keeps T steps of M x N observations as they are."""

    def __init__(self, space: ObservationSpace, members: int, length: int, envs: int) -> None:
        self._observations = np.empty((members, length, envs, *space.shape), space.dtype)

    def put(self, t: int, observation: NDArray[Any]) -> None:
        """Store step `t`, `[M, N, *O]`; steps come one after the other."""
        self._observations[:, t] = observation

    def stored(self) -> NDArray[Any]:
        """All of it, `[M, T, N, *O]`."""
        return self._observations


class FrameStore:
    """Keeps T steps of M x N stacks of bytes frame by frame.

    Whether a stack goes on from the one before is seen from its bytes: it does when all its frames but the newest are
    those. A stack that does not is stored whole. So an episode may begin with black frames or with copies of its first
    one, and a world may change what is seen as it likes, and every stack comes back to the byte.
    """

    def __init__(self, space: ObservationSpace, members: int, length: int, envs: int) -> None:
        channels, *sides = space.shape
        self._stacked = (members, envs, space.frames, channels // space.frames, *sides)
        # Room for stacks that all go on; episodes that end take more.
        room = members * envs * (length + space.frames - 1)
        self._frames: NDArray[np.uint8] = np.empty((room, *self._stacked[3:]), np.uint8)
        self._places = np.empty((members, length, envs, space.frames), np.int64)
        self._used = 0

    def put(self, t: int, observation: NDArray[Any]) -> None:
        """Store step `t`, `[M, N, *O]`; steps come one after the other."""
        stacks, places = observation.reshape(self._stacked), self._places[:, t]
        goes_on = np.zeros(stacks.shape[:2], np.bool_)
        if t:
            kept = self._places[:, t - 1, :, 1:]
            same = self._frames[kept] == stacks[:, :, :-1]
            goes_on = same.reshape(*goes_on.shape, -1).all(2)
            places[goes_on, :-1] = kept[goes_on]
            places[goes_on, -1] = self._keep(stacks[goes_on, -1])
        places[~goes_on] = self._keep(stacks[~goes_on].reshape(-1, *stacks.shape[3:])).reshape(-1, stacks.shape[2])

    def _keep(self, frames: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Store frames `[k, C / F, H, W]`; their places `[k]`."""
        end = self._used + len(frames)
        if end > len(self._frames):
            more = np.empty((max(end - len(self._frames), len(self._frames) // 8), *frames.shape[1:]), np.uint8)
            self._frames = np.concatenate([self._frames, more])
        self._frames[self._used : end] = frames
        places = np.arange(self._used, end)
        self._used = end
        return places

    def stored(self) -> Stacks:
        """All of it, `[M, T, N, *O]`."""
        return Stacks(torch.from_numpy(self._frames[: self._used]), torch.from_numpy(self._places))


def store_of(space: ObservationSpace, members: int, length: int, envs: int) -> FrameStore | WholeStore:
    """What keeps T steps of M x N observations of this space."""
    stacked = space.frames > 1 and space.dtype == "uint8"
    return (FrameStore if stacked else WholeStore)(space, members, length, envs)
