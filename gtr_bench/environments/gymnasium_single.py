"""One Gymnasium environment behind our interface of vectors and plain actions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.spaces.utils import flatdim, flatten
from numpy.typing import NDArray

from gtr_bench.environments.box2d_physics import BOX2D_PARAMETERS, Box2DPhysics
from gtr_bench.environments.mujoco_physics import MujocoPhysics, report_warnings
from gtr_bench.environments.own_modules import registered_id
from gtr_bench.environments.single import Outcome, SingleBatch
from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.errors import EnvironmentFault

__all__ = ["FLATTEN", "GymnasiumSingle", "constructor_options", "make_batch"]

FLATTEN = "flatten"
"""Our own option, beside the constructor's: make one vector of whatever the task shows."""

BOOKKEEPING = (
    gymnasium.wrappers.OrderEnforcing,
    gymnasium.wrappers.PassiveEnvChecker,
    gymnasium.wrappers.TimeLimit,
)
"""Wrappers of `gymnasium.make` whose work is done by the batch or not at all; they cost time at every step."""

BIPEDAL_WALKER = "gymnasium.envs.box2d.bipedal_walker"
"""It plays all its episodes in one Box2D world, whose solver remembers: the same seed then moves otherwise."""

CHEETAH = "gymnasium.envs.mujoco.half_cheetah_v5:HalfCheetahEnv"
"""It has a batch of its own."""


def make_batch(
    task: str,
    members: int,
    envs: int,
    max_episode_steps: int | None,
    options: Mapping[str, Any],
    parameters: tuple[str, ...],
) -> SingleBatch:
    """M x N environments of one id, `module:Id` included; `parameters` names the physics parameters.

    Raises:
        EnvironmentFault: an environment could not be built or its spaces do not fit.
    """
    name, task = f"gym:{task}", registered_id(task)
    limit = gymnasium.spec(task).max_episode_steps if max_episode_steps is None else max_episode_steps
    if "mass" in parameters:  # MuJoCo
        report_warnings()

    def build() -> GymnasiumSingle:
        return GymnasiumSingle(task, options, with_physics=bool(parameters))

    kind = SingleBatch
    if gymnasium.spec(task).entry_point == CHEETAH and not options.get("render_mode"):
        from gtr_bench.environments.cheetah_batch import CheetahBatch

        kind = CheetahBatch
    return kind(name, members, envs, limit, build, parameters=parameters)


def constructor_options(task: str) -> list[str] | None:
    """Optional arguments of the constructor of an id registered by class name; None when it takes any.

    A class that passes `**kwargs` on has those of the class above it, too.
    """
    creator: Any = gymnasium.envs.registration.load_env_creator(str(gymnasium.spec(task).entry_point))
    classes: tuple[Any, ...] = inspect.getmro(creator)
    names: list[str] = []
    for each in classes:
        arguments = inspect.signature(each.__init__).parameters.values()
        names += [argument.name for argument in arguments if argument.default is not argument.empty]
        if not any(argument.kind is argument.VAR_KEYWORD for argument in arguments):
            return names
    return None


class GymnasiumSingle:
    """A `SingleEnvironment` of a registered id, without the wrappers that only keep books.

    Observations are Box vectors. With the option `flatten = true` anything else becomes one, as
    `gymnasium.spaces.utils` does it: parts one after the other, images row by row, discrete ones one-hot. Actions may
    be Box, Discrete, MultiDiscrete or MultiBinary.
    """

    def __init__(self, task: str, options: Mapping[str, Any], *, with_physics: bool) -> None:
        own = {name: value for name, value in options.items() if name != FLATTEN}
        environment: Any = gymnasium.make(task, disable_env_checker=True, max_episode_steps=-1, **own)
        while isinstance(environment, BOOKKEEPING):
            environment = environment.env
        self._environment = environment
        size, self._flatten = _observations(f"gym:{task}", environment.observation_space, options.get(FLATTEN) is True)
        action, self._convert = _actions(f"gym:{task}", environment.action_space)
        self.spaces = Spaces(ObservationSpace((size,)), action, has_success=False)
        self.environment: Any = environment.unwrapped
        self._step = environment.step
        self._physics: MujocoPhysics | Box2DPhysics | None = None
        self._box2d: Box2DPhysics | None = None
        if with_physics and type(environment.unwrapped).__name__ in BOX2D_PARAMETERS:
            self._physics = self._box2d = Box2DPhysics(environment)
            self._step = self._box2d.step
        elif with_physics:
            self._physics = MujocoPhysics(environment.unwrapped.model)
        self._keeps_world = type(environment.unwrapped).__module__ == BIPEDAL_WALKER

    def reset(self, seed: int) -> NDArray[Any]:
        """Start an episode."""
        if self._keeps_world:
            _renew_world(self._environment.unwrapped)
        if self._box2d is not None:
            self._box2d.renew()
        observation, _ = self._environment.reset(seed=seed)
        return self._flatten(observation)

    def step(self, action: Any) -> Outcome:
        """Take one step; success is always false, Gymnasium's tasks have no such flag."""
        observation, reward, terminated, truncated, _ = self._step(self._convert(action))
        return Outcome(self._flatten(observation), reward, terminated, truncated, False)

    def set_physics(self, factors: Mapping[str, float]) -> None:
        """Set the factors of the simulator."""
        if self._physics is not None:
            self._physics.set(factors)

    def picture(self) -> NDArray[np.uint8]:
        """What Gymnasium draws of it."""
        environment = self._environment.unwrapped
        environment.render_mode = "rgb_array"
        return np.asarray(environment.render(), dtype=np.uint8)

    def close(self) -> None:
        """Close the environment."""
        self._environment.close()


def _renew_world(walker: Any) -> None:
    """Give a walker an empty world, as LunarLander gives itself one at every reset."""
    walker._destroy()
    walker.world = type(walker.world)()


def _observations(name: str, space: spaces.Space[Any], flattened: bool) -> tuple[int, Callable[[Any], NDArray[Any]]]:
    """How many numbers an observation has, and how it becomes a vector."""
    if isinstance(space, spaces.Box) and len(space.shape) == 1:
        return space.shape[0], np.asarray
    if flattened:
        if isinstance(space, spaces.Box):
            return int(flatdim(space)), np.ravel
        return int(flatdim(space)), lambda observation: np.asarray(flatten(space, observation))
    kind = type(space).__name__
    shape = f" of {' x '.join(map(str, space.shape))}" if isinstance(space, spaces.Box) else ""
    into = "one number per choice" if isinstance(space, spaces.Discrete) else "all its numbers in one row"
    raise EnvironmentFault(
        f"`{name}` shows observations of the kind `{kind}`{shape}, not a vector",
        hint=f"`options = {{ flatten = true }}` makes a vector of them: {into}",
    )


def _actions(name: str, space: spaces.Space[Any]) -> tuple[ActionSpace, Callable[[Any], Any]]:
    """Our description of an action space and the way from one of our actions to one of its."""
    if isinstance(space, spaces.Discrete):
        start = int(space.start)
        return ActionSpace("discrete", (int(space.n),)), lambda action: int(action) + start
    if isinstance(space, spaces.MultiDiscrete) and len(space.shape) == 1:
        first = space.start
        sizes = tuple(int(size) for size in space.nvec)
        return ActionSpace("multi_discrete", sizes), lambda action: action + first
    if isinstance(space, spaces.MultiBinary) and len(space.shape) == 1:
        return ActionSpace("multi_discrete", (2,) * space.shape[0]), lambda action: action.astype(np.int8)
    if isinstance(space, spaces.Box):
        low, high = (bound.astype(np.float32).ravel() for bound in (space.low, space.high))
        shape, dtype = space.shape, space.dtype
        described = ActionSpace("continuous", (low.size,), low, high)
        if len(shape) == 1 and dtype == np.float32:
            return described, lambda action: action
        return described, lambda action: action.astype(dtype).reshape(shape)
    raise EnvironmentFault(
        f"`{name}` has actions of the kind `{type(space).__name__}`",
        hint="discrete, multi-discrete, multi-binary and box actions can be learned",
    )
