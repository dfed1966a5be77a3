"""One Meta-World environment; all environments of a task share one compiled MuJoCo model.

Compiling a task's model takes about 0.3 s and copying it 24 MB. Resets move a few bodies and sites of the model and
nothing else, so each environment keeps its own `body_pos` and `site_pos` and puts them back before it is used.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import mujoco
import numpy as np
from metaworld.env_dict import ENV_CLS_MAP
from metaworld.types import Task
from numpy.typing import NDArray

from gtr_bench.environments.metaworld_tasks import SPACES
from gtr_bench.environments.mujoco_physics import MujocoPhysics, report_warnings
from gtr_bench.environments.single import Outcome, SingleBatch

__all__ = ["MetaWorldSingle", "make_batch"]

NATIVE_LIMIT = 500


def make_batch(
    task: str, members: int, envs: int, max_episode_steps: int | None, parameters: tuple[str, ...]
) -> SingleBatch:
    """M x N environments of one v3 task.

    Raises:
        EnvironmentFault: an environment could not be built.
    """
    report_warnings()
    limit = NATIVE_LIMIT if max_episode_steps is None else max_episode_steps
    return SingleBatch(
        f"metaworld:{task}",
        members,
        envs,
        limit,
        lambda: MetaWorldSingle(task, limit),
        parameters=parameters,
    )


class _SharedModel:
    """A task's compiled model, whose state it is in at the moment, and the class that builds environments on it."""

    def __init__(self, task: str) -> None:
        base = ENV_CLS_MAP[task]
        # The first environment compiles the model; it is not used for anything else.
        self.model = base(reward_function_version="v2").model
        self.physics = MujocoPhysics(self.model)
        self.positions = (self.model.body_pos.copy(), self.model.site_pos.copy())
        self.factors: dict[str, float] = {}
        self.owner: MetaWorldSingle | None = None

        def initialize(environment: Any) -> tuple[Any, Any]:
            return self.model, mujoco.MjData(self.model)

        def reset_model(environment: Any) -> NDArray[np.float64]:
            # One reset of Meta-World calls this twice. Both times must draw the same positions, because some tasks
            # read places the first call has moved; so the generator starts again from the episode's seed.
            environment.seed(environment.episode_seed)
            observation: NDArray[np.float64] = base.reset_model(environment)
            return observation

        self.environment_class = type(
            base.__name__, (base,), {"_initialize_simulation": initialize, "reset_model": reset_model}
        )
        self.task = Task(
            env_name=task,
            data=pickle.dumps({"env_cls": base, "rand_vec": np.zeros(3), "partially_observable": False}),
        )


@lru_cache(maxsize=16)  # some 25 MB each; enough for the ten tasks of Continual World
def _shared_model(task: str) -> _SharedModel:
    return _SharedModel(task)


class MetaWorldSingle:
    """A `SingleEnvironment` of a v3 task with `limit` steps per episode."""

    spaces = SPACES

    def __init__(self, task: str, limit: int) -> None:
        shared = _shared_model(task)
        self._shared = shared
        self._factors: dict[str, float] = {}
        self._positions = tuple(values.copy() for values in shared.positions)
        self._take_over()
        environment: Any = shared.environment_class(reward_function_version="v2")
        environment.set_task(shared.task)
        environment._freeze_rand_vec = False
        environment.seeded_rand_vec = True
        environment.max_path_length = limit
        self._environment = environment

    def _take_over(self) -> None:
        """Put the shared model into this environment's state, after keeping that of the one that used it last."""
        shared = self._shared
        if shared.owner is not self:
            fields = (shared.model.body_pos, shared.model.site_pos)
            if shared.owner is not None:
                for kept, field in zip(shared.owner._positions, fields, strict=True):
                    kept[:] = field
            for kept, field in zip(self._positions, fields, strict=True):
                field[:] = kept
            shared.owner = self
        if shared.factors != self._factors:
            shared.physics.set(self._factors)
            shared.factors = self._factors

    def reset(self, seed: int) -> NDArray[Any]:
        """Start an episode with positions drawn from the seed."""
        self._take_over()
        self._environment.episode_seed = seed
        observation: NDArray[Any] = self._environment.reset()[0]
        return observation

    def step(self, action: Any) -> Outcome:
        """Take one step; never terminates."""
        self._take_over()
        observation, reward, terminated, truncated, info = self._environment.step(action)
        return Outcome(observation, reward, terminated, truncated, bool(info["success"]))

    def picture(self) -> NDArray[np.uint8]:
        """The table seen from the corner that Meta-World's own videos are taken from."""
        self._take_over()
        with mujoco.Renderer(self._shared.model, 240, 320) as renderer:
            renderer.update_scene(self._environment.data, camera="corner2")
            # This camera hangs upside down.
            return np.asarray(renderer.render()[::-1, ::-1], dtype=np.uint8)

    def set_physics(self, factors: Mapping[str, float]) -> None:
        """Set the factors that hold whenever this environment is used."""
        self._factors = dict(factors)

    def close(self) -> None:
        """Give the shared model back."""
        if self._shared.owner is self:
            self._shared.owner = None
        self._environment.close()
