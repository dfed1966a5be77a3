"""Running normalisation of observations and rewards, per member (algorithms A.2, detail 16)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ObservationNormaliser", "RewardNormaliser", "RunningMoments"]

_CLIP = 10.0
_EPSILON = 1e-8
Array = NDArray[np.float64]


class RunningMoments:
    """Mean and variance of streams, merged batch by batch (Chan et al.); one stream per leading index."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self.reset()

    def reset(self) -> None:
        """Forget everything: mean 0, variance 1, as if from a vanishing count (as Gymnasium's wrapper)."""
        self.mean = np.zeros(self._shape)
        self.variance = np.ones(self._shape)
        self.count = 1e-4

    def update(self, batch: Array) -> None:
        """Merge `[M, n, ...]` into moments of shape `[M, ...]`."""
        size = batch.shape[1]
        mean = batch.mean(axis=1) if size > 1 else batch[:, 0]
        total = self.count + size
        gap = mean - self.mean
        squares = self.variance * self.count + gap * gap * (self.count * size / total)
        if size > 1:
            centred = batch - mean[:, None]
            squares += np.einsum("mn...,mn...->m...", centred, centred)
        self.mean = self.mean + gap * (size / total)
        self.variance = squares / total
        self.count = total

    def state(self) -> dict[str, Any]:
        """Moments for a checkpoint."""
        return {"mean": self.mean, "variance": self.variance, "count": self.count}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self.mean, self.variance, self.count = state["mean"], state["variance"], float(state["count"])


class ObservationNormaliser:
    """`(o - mean) / std`, clipped to [-10, 10]; float32 `[M, N, D]` in and out."""

    def __init__(self, members: int, size: int) -> None:
        self.moments = RunningMoments((members, size))
        self._refresh()

    def _refresh(self) -> None:
        self._shift = self.moments.mean[:, None].astype(np.float32)
        self._scale = (1 / np.sqrt(self.moments.variance[:, None] + _EPSILON)).astype(np.float32)

    def reset(self) -> None:
        """Forget the statistics."""
        self.moments.reset()
        self._refresh()

    def update(self, observations: NDArray[np.float32]) -> None:
        """Take observations `[M, N, D]` into the statistics."""
        self.moments.update(observations.astype(np.float64))
        self._refresh()

    def __call__(self, observations: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalise with the statistics in force."""
        return _scaled(observations, self._shift, self._scale)

    def of_members(self, observations: NDArray[np.float32], members: NDArray[np.int64]) -> NDArray[np.float32]:
        """The same for single observations `[E, D]`, each of the member `[E]`."""
        return _scaled(observations, self._shift[members, 0], self._scale[members, 0])

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self.moments.load_state(state)
        self._refresh()


def _scaled(
    observations: NDArray[np.float32], shift: NDArray[np.float32], scale: NDArray[np.float32]
) -> NDArray[np.float32]:
    scaled = (observations - shift) * scale
    return scaled.clip(-_CLIP, _CLIP, out=scaled)


class RewardNormaliser:
    """Divides rewards by the running std of the discounted return; the mean is not subtracted.

    Statistics are updated once per rollout, before it is scaled.
    """

    def __init__(self, members: int, envs: int) -> None:
        self.moments = RunningMoments((members,))
        self._returns = np.zeros((members, envs))

    def reset(self) -> None:
        """Forget the statistics."""
        self.moments.reset()
        self._returns[:] = 0

    def start_episodes(self) -> None:
        """All episodes start anew (a shift)."""
        self._returns[:] = 0

    def __call__(self, rewards: Array, ended: NDArray[np.bool_], gamma: Array) -> Array:
        """Scale a rollout's rewards `[T, M, N]`; `ended` `[T, M, N]`, `gamma` `[M, 1]`."""
        discounted = np.empty_like(rewards)
        for t in range(len(rewards)):
            self._returns = self._returns * gamma + rewards[t]
            discounted[t] = self._returns
            self._returns = self._returns * ~ended[t]
        self.moments.update(np.moveaxis(discounted, 0, 1).reshape(rewards.shape[1], -1))
        scale = 1 / np.sqrt(self.moments.variance + _EPSILON)
        return (rewards * scale[None, :, None]).clip(-_CLIP, _CLIP)

    def state(self) -> dict[str, Any]:
        """Moments and running returns for a checkpoint."""
        return {**self.moments.state(), "returns": self._returns}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self.moments.load_state(state)
        self._returns = state["returns"]
