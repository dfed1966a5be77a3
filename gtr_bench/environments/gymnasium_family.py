"""The `gym:` family: Gymnasium's classic control vectorised by us, every other registered id as single environments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

from gtr_bench.environments.base import BatchedEnvironment
from gtr_bench.environments.box2d_physics import BOX2D_PARAMETERS
from gtr_bench.environments.classic import CLASSIC_CONTROL
from gtr_bench.environments.gymnasium_spaces import KNOWN_SPACES
from gtr_bench.environments.mujoco_physics import MUJOCO_PARAMETERS
from gtr_bench.environments.own_modules import distribution_of, registered_id
from gtr_bench.environments.registry import Availability
from gtr_bench.environments.spaces import Spaces
from gtr_bench.errors import MissingExtraError, RequestError, UnknownNameError

__all__ = ["GymnasiumFamily"]


class _Group(NamedTuple):
    """Tasks of Gymnasium that need one more package: what to import, its distribution and our extra."""

    module: str
    distribution: str
    extra: str


_GROUPS = {
    "gymnasium.envs.mujoco": _Group("mujoco", "mujoco", "mujoco"),
    "gymnasium.envs.box2d": _Group("Box2D", "box2d", "box2d"),
    "gymnasium.envs.phys2d": _Group("jax", "jax", "craftax"),
    "gymnasium.envs.tabular": _Group("jax", "jax", "craftax"),
}
_LISTED = {f"gymnasium.envs.{part}" for part in ("box2d", "mujoco", "toy_text")}
"""Packages whose constructors list all their arguments; elsewhere `**kwargs` may go anywhere."""

_looked_at: dict[tuple[str, str], Spaces] = {}
"""The spaces of tasks that had to be built, by task and options: planning asks more than once."""


class GymnasiumFamily:
    """Tasks named by their Gymnasium id, `gym:CartPole-v1`, or `gym:package.module:Id-v0` of an installed package."""

    name = "gym"

    def check(self, task: str) -> None:
        """Raise UnknownNameError or MissingExtraError when the task cannot be made; builds nothing.

        The module of a task that names one is imported, and may be refused as `registered_id` says.
        """
        if task in CLASSIC_CONTROL:
            return
        task = registered_id(task)
        package = _package_of(task)
        if not package:
            raise UnknownNameError("`gym` environment", task, _tasks())
        group = _GROUPS.get(package)
        if group is not None and find_spec(group.module) is None:
            raise MissingExtraError(f"the environment `gym:{task}`", group.extra)

    def packages(self, task: str) -> tuple[str, ...]:
        """Distributions whose versions change the numbers."""
        own = distribution_of(task)
        if own is not None:
            return ("gymnasium", own)
        group = None if task in CLASSIC_CONTROL else _GROUPS.get(_package_of(task))
        return ("gymnasium",) if group is None else ("gymnasium", group.distribution)

    def tasks(self) -> list[str]:
        """Every id that this Gymnasium can make, those included for which a package is missing here."""
        return _tasks()

    def physics(self, task: str) -> dict[str, str]:
        """The physics parameters a shift may change: name -> meaning."""
        if task in CLASSIC_CONTROL:
            return dict(CLASSIC_CONTROL[task].parameters)
        task = registered_id(task)
        package = _package_of(task)
        if package == "gymnasium.envs.box2d":
            return dict(BOX2D_PARAMETERS.get(_class_of(task), {}))
        return dict(MUJOCO_PARAMETERS) if package == "gymnasium.envs.mujoco" else {}

    def options(self, task: str) -> Sequence[str] | None:
        """Those of the constructor and `flatten`; none in classic control, unknown for other people's tasks."""
        if task in CLASSIC_CONTROL:
            return ()
        task = registered_id(task)
        if _package_of(task) not in _LISTED:
            return None
        from gtr_bench.environments.gymnasium_single import FLATTEN, constructor_options

        names = constructor_options(task)
        return None if names is None else [*names, FLATTEN]

    def spaces(self, task: str, options: Mapping[str, Any]) -> Spaces:
        """What a learner sees; of tasks not known here, or with options, one environment is built and looked at.

        Raises:
            EnvironmentFault: the environment could not be built, or no learner could use it.
            RequestError: options for vectorised classic control, which has none.
        """
        if task in CLASSIC_CONTROL:
            _refuse_options(task, options)
            return CLASSIC_CONTROL[task].spaces
        if task in KNOWN_SPACES and not options:
            return KNOWN_SPACES[task]
        key = task, json.dumps(options, sort_keys=True, default=repr)
        if key not in _looked_at:
            environment = self.make(task, members=1, envs=1, max_episode_steps=None, options=options)
            environment.close()
            _looked_at[key] = environment.spaces
        return _looked_at[key]

    def make(
        self, task: str, *, members: int, envs: int, max_episode_steps: int | None, options: Mapping[str, Any]
    ) -> BatchedEnvironment:
        """Build the batch; `options` are the keyword arguments of the environment's constructor, and `flatten`.

        Raises:
            EnvironmentFault: an environment could not be built, or no learner could use it.
            MissingExtraError: a package is missing.
            RequestError: options for vectorised classic control, which has none.
            UnknownNameError: no such task.
        """
        self.check(task)
        if task in CLASSIC_CONTROL:
            _refuse_options(task, options)
            return CLASSIC_CONTROL[task](members, envs, max_episode_steps)
        from gtr_bench.environments.gymnasium_single import make_batch

        parameters = tuple(self.physics(task))
        return make_batch(task, members, envs, max_episode_steps, options, parameters)

    def availability(self) -> list[Availability]:
        """A row for classic control, which always works, and one each for MuJoCo and Box2D."""
        rows = [Availability("gym-classic", True, None)]
        for part in ("mujoco", "box2d"):
            group = _GROUPS[f"gymnasium.envs.{part}"]
            usable = find_spec(group.module) is not None
            hint = None if usable else MissingExtraError(f"`gym:` ({part})", group.extra).hint
            rows.append(Availability(f"gym-{part}", usable, hint))
        return rows


def _refuse_options(task: str, options: Mapping[str, Any]) -> None:
    if options:
        given = ", ".join(f"`{name}`" for name in sorted(options))
        raise RequestError(f"`gym:{task}` has no options, given: {given}")


def _tasks() -> list[str]:
    """Every registered id that this Gymnasium can make."""
    from gymnasium.envs.registration import registry

    return [task for task in registry if _package_of(task)]


def _package_of(task: str) -> str:
    """The package a task's class lives in, such as `gymnasium.envs.mujoco`; empty when the task cannot be made."""
    from gymnasium.envs.registration import registry

    entry = registry[task].entry_point if task in registry else None
    if isinstance(entry, str):
        return entry.partition(":")[0].rpartition(".")[0]
    # Gymnasium registers names it has dropped with a function `_raise_...` that explains.
    if entry is None or getattr(entry, "__name__", "").startswith("_raise_"):
        return ""
    return entry.__module__


def _class_of(task: str) -> str:
    """The name of the class that plays a task registered by a path, such as `LunarLander`."""
    from gymnasium.envs.registration import registry

    return str(registry[task].entry_point).rpartition(":")[2]
