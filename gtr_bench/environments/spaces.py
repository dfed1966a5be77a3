"""What a learner sees of an environment: shape and kind of observations and actions, in one carrier."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["ActionSpace", "ObservationSpace", "Spaces", "symmetric"]


@dataclass(frozen=True)
class ObservationSpace:
    """The observations of one environment.

    Attributes:
        shape: (D,) for a vector; (C, H, W) for an image, channels first, C = frames x channels of one frame.
        dtype: of the arrays an environment hands out. uint8 images stay uint8 until a network reads them.
        frames: how many consecutive frames are stacked in C.
    """

    shape: tuple[int, ...]
    dtype: Literal["float32", "uint8"] = "float32"
    frames: int = 1

    @property
    def is_image(self) -> bool:
        """Whether observations are (C, H, W)."""
        return len(self.shape) == 3

    @property
    def is_vector(self) -> bool:
        """Whether observations are (D,) numbers, ready for a linear layer."""
        return len(self.shape) == 1 and self.dtype == "float32"

    @property
    def size(self) -> int:
        """Numbers per observation."""
        return prod(self.shape)

    def matches(self, other: ObservationSpace) -> bool:
        """Whether a network for this space fits the other one."""
        return self == other

    def describe(self) -> str:
        """A few words for an error sentence, such as `4 numbers` or `an image of 4 x 10 x 10 (uint8)`."""
        if self.is_image:
            frames = f", {self.frames} frames" if self.frames > 1 else ""
            return f"an image of {' x '.join(map(str, self.shape))} ({self.dtype}{frames})"
        kind = "" if self.dtype == "float32" else f" ({self.dtype})"
        return f"{self.size} number{'' if self.size == 1 else 's'}{kind}"


@dataclass(frozen=True, eq=False)
class ActionSpace:
    """The actions of one environment.

    Attributes:
        kind: discrete (actions int [M, N]), multi_discrete (int [M, N, K]) or continuous (float [M, N, A]).
        sizes: discrete (choices,); multi_discrete (choices of each of the K components); continuous (A,).
        low: float32 [A], the lower bounds of continuous actions; None otherwise.
        high: float32 [A], the upper bounds of continuous actions; None otherwise.
    """

    kind: Literal["discrete", "multi_discrete", "continuous"]
    sizes: tuple[int, ...]
    low: NDArray[np.float32] | None = None
    high: NDArray[np.float32] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one action: () for discrete, (K,) for multi_discrete, (A,) for continuous."""
        if self.kind == "discrete":
            return ()
        return (len(self.sizes),) if self.kind == "multi_discrete" else self.sizes

    def matches(self, other: ActionSpace) -> bool:
        """Whether a policy for this space fits the other one: same kind, sizes and bounds."""
        if (self.kind, self.sizes) != (other.kind, other.sizes):
            return False
        return _equal(self.low, other.low) and _equal(self.high, other.high)

    def describe(self) -> str:
        """A few words for an error sentence, such as `discrete 2`."""
        return f"{self.kind} {' x '.join(str(size) for size in self.sizes)}"


def symmetric(size: int, bound: float) -> ActionSpace:
    """`size` continuous actions, each between `-bound` and `bound`."""
    high = np.full(size, bound, dtype=np.float32)
    return ActionSpace("continuous", (size,), -high, high)


def _equal(left: NDArray[np.float32] | None, right: NDArray[np.float32] | None) -> bool:
    return left is right or (left is not None and right is not None and np.array_equal(left, right))


class Spaces(NamedTuple):
    """Everything a learner, a network or a shift must know about an environment.

    Attributes:
        observation: the observations.
        action: the actions.
        has_success: whether the task flags success; None: the family does not say before it is built.
        achievements: names of what may be achieved in an episode, each once; none in most tasks.
    """

    observation: ObservationSpace
    action: ActionSpace
    has_success: bool | None = None
    achievements: tuple[str, ...] = ()
