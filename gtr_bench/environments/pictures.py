"""Pictures of environments for people: what `BatchedEnvironment.picture` draws, or the image a learner sees."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gtr_bench.environments.spaces import ObservationSpace
from gtr_bench.errors import RequestError

if TYPE_CHECKING:
    from gtr_bench.environments.sequence import SequenceEnvironment

__all__ = ["RGB", "drawn", "of_observation", "write_gif"]

RGB = NDArray[np.uint8]
"""[H, W, 3], rows from the top."""

SMALLEST_SIDE = 160  # pixels

_PALETTE = np.array(
    [
        (0, 0, 0), (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178),
        (213, 94, 0), (204, 121, 167), (160, 160, 160), (255, 255, 255), (120, 80, 40),
    ],
    dtype=np.uint8,
)  # fmt: skip
"""Okabe and Ito's colours, told apart by the colour-blind: one per channel of a game's 0 and 1."""


def drawn(environment: SequenceEnvironment, observation: NDArray[Any]) -> RGB:
    """What the first environment looks like now; `observation` `[*O]` is what it shows its learner.

    Raises:
        RequestError: it has no picture of its own, and shows no image.
    """
    picture = environment.picture(0)
    if picture is None:
        picture = of_observation(observation, environment.spaces.observation)
    if picture is None:
        raise RequestError(
            "this environment cannot be drawn: it shows its learner no image and has no picture of its own"
        )
    return picture


def of_observation(observation: NDArray[Any], space: ObservationSpace) -> RGB | None:
    """The image that an observation [C, H, W] of bytes is; None where it is none.

    The newest of stacked frames; three channels are colours, one is grey, and where all numbers are 0 and 1 every
    channel has a colour of its own, later channels over earlier ones.
    """
    if not space.is_image:
        return None
    frame = observation[-(space.shape[0] // space.frames) :]
    if frame.max(initial=0) <= 1:
        shown = np.where(frame.any(0), len(frame) - 1 - frame[::-1].argmax(0) + 1, 0)
        picture = _PALETTE[shown % len(_PALETTE)]
    elif len(frame) == 3:
        picture = frame.transpose(1, 2, 0)
    else:
        picture = np.repeat(frame[-1][:, :, None], 3, axis=2)
    return _enlarged(picture)


def _enlarged(picture: NDArray[Any]) -> RGB:
    factor = -(-SMALLEST_SIDE // min(picture.shape[:2]))
    return np.ascontiguousarray(picture.repeat(factor, 0).repeat(factor, 1), dtype=np.uint8)


def write_gif(path: Path, frames: list[RGB], *, milliseconds: int) -> None:
    """An animation that starts again when it ends; `frames` of equal size, each shown for so long.

    Raises:
        OSError: the file cannot be written.
    """
    from PIL import Image

    first, *others = [Image.fromarray(frame) for frame in frames]
    # Pillow needs a file name or a stream that can seek; the format is given, so the name may be anything.
    first.save(path, format="GIF", save_all=True, append_images=others, duration=milliseconds, loop=0)
