"""HalfCheetah whose bodies are simulated one after the other, and seen and paid all at once.

Of one step of Gymnasium's environment more than a third is Python around MuJoCo: checks of the action, a dictionary,
rows put together. Here one call simulates an environment, and what follows is computed for all of them, from the
formulas of `gymnasium/envs/mujoco/half_cheetah_v5.py` (1.4.0) in their order: the bits are those of its `step`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import mujoco
import numpy as np
from gymnasium.envs.mujoco.half_cheetah_v5 import HalfCheetahEnv
from numpy.typing import NDArray

from gtr_bench.environments.base import FloatArray
from gtr_bench.environments.single import SingleBatch, SingleEnvironment

__all__ = ["CheetahBatch"]


class CheetahBatch(SingleBatch):
    """M x N environments of the id `HalfCheetah-v5`.

    What Gymnasium computes after the simulation for contact forces (`mj_rnePostConstraint`) is left out: neither the
    observation nor the next step reads it.

    Args:
        name: the environment's name in error sentences.
        members: M.
        envs: N.
        limit: steps after which an episode is truncated.
        build: makes one environment, which hands out Gymnasium's as `environment`.
        parameters: names of the physics parameters.

    Raises:
        EnvironmentFault: an environment could not be built.
    """

    def __init__(
        self,
        name: str,
        members: int,
        envs: int,
        limit: int | None,
        build: Callable[[], SingleEnvironment],
        *,
        parameters: tuple[str, ...] = (),
    ) -> None:
        super().__init__(name, members, envs, limit, build, parameters=parameters)
        cheetahs: list[HalfCheetahEnv] = [cast(Any, single).environment for single in self._singles]
        # MuJoCo keeps these arrays in their places as long as an environment lives, resets included.
        self._bodies = [(each.model, each.data, each.data.ctrl, each.data.qpos, each.data.qvel) for each in cheetahs]
        first = cheetahs[0]
        self._frame_skip, self._seconds = first.frame_skip, first.dt
        self._forward_weight, self._control_weight = first._forward_reward_weight, first._ctrl_cost_weight
        self._positions = int(first.model.nq)
        self._hidden = int(first._exclude_current_positions_from_observation)
        self._steps_checked = True  # it does not step the single environments
        self._moved: FloatArray = np.empty((members * envs, self._positions + int(first.model.nv)))

    def _advance(
        self, taken: NDArray[Any], observation: NDArray[Any], reward: FloatArray, flags: NDArray[np.bool_]
    ) -> list[int]:
        moved, count, steps, simulate = self._moved, self._positions, self._frame_skip, mujoco.mj_step
        before = np.empty(len(moved))
        row = 0
        try:
            for row, (model, data, control, position, velocity) in enumerate(self._bodies):
                before[row] = position[0]
                control[:] = taken[row]
                simulate(model, data, steps)
                moved[row, :count] = position
                moved[row, count:] = velocity
        except MemoryError:
            raise
        except Exception as error:
            raise self._fault(row, error) from error
        observation[:] = moved[:, self._hidden :]
        forward = self._forward_weight * ((moved[:, 0] - before) / self._seconds)
        reward[:] = forward - self._control_weight * np.square(taken).sum(1)
        return []

    def close(self) -> None:
        super().close()
        self._bodies = []
