"""The simulators alone, each in the best vectorisation it has itself: what `benchmarks/environments.py` compares with.

A simulator is a function that takes so many steps of all its environments with random actions and begins a new episode
where one ended. Nothing is done with what it shows: no batch, no clipping, no log of actions, no episode's seed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["Advance", "simulators"]

Advance = Callable[[int], None]
DRAWN = 128
"""rows of random actions, used in turn"""


def _looped(environments: list[Any], draw: Callable[[Any], Any], limit: int | None) -> Advance:
    """Gymnasium's interface in a Python loop; `limit` steps end an episode, as its wrapper would."""
    actions = [[draw(environment) for environment in environments] for _ in range(DRAWN)]
    taken = [0] * len(environments)
    for seed, environment in enumerate(environments):
        environment.reset(seed=seed)

    def advance(steps: int) -> None:
        for step in range(steps):
            row = actions[step % DRAWN]
            for place, environment in enumerate(environments):
                _, _, terminated, truncated, _ = environment.step(row[place])
                taken[place] += 1
                if terminated or truncated or taken[place] == limit:
                    environment.reset()
                    taken[place] = 0

    return advance


def _sampled(environment: Any) -> Any:
    return environment.action_space.sample()


def gym(task: str, envs: int) -> Advance:
    """Gymnasium's own vectorisation where it has one (CartPole), else a loop without its wrappers."""
    import gymnasium

    spec = gymnasium.spec(task)
    if spec.vector_entry_point is None:
        environments = [gymnasium.make(task, disable_env_checker=True).unwrapped for _ in range(envs)]
        return _looped(environments, _sampled, spec.max_episode_steps)
    vectorised: Any = gymnasium.make_vec(task, envs, vectorization_mode="vector_entry_point")
    vectorised.reset(seed=0)
    actions = [vectorised.action_space.sample() for _ in range(DRAWN)]

    def advance(steps: int) -> None:
        for step in range(steps):
            vectorised.step(actions[step % DRAWN])

    return advance


def metaworld(task: str, envs: int) -> Advance:
    """A loop over the package's classes, each with a model of its own."""
    import pickle

    from metaworld.env_dict import ENV_CLS_MAP
    from metaworld.types import Task

    kind = ENV_CLS_MAP[task]
    data = pickle.dumps({"env_cls": kind, "rand_vec": np.zeros(3), "partially_observable": False})
    environments = []
    for _ in range(envs):
        environment = kind(reward_function_version="v2")
        environment.set_task(Task(env_name=task, data=data))
        environment._freeze_rand_vec = False
        environments.append(environment)
    return _looped(environments, _sampled, environments[0].max_path_length)


def dm_control(task: str, envs: int) -> Advance:
    """A loop over the package's environments, which begin anew by themselves."""
    from dm_control import suite

    environments = [suite.load(*task.split("-", 1), task_kwargs={"random": seed}) for seed in range(envs)]
    spec = environments[0].action_spec()
    actions = np.random.default_rng(0).uniform(spec.minimum, spec.maximum, (DRAWN, envs, *spec.shape))

    def advance(steps: int) -> None:
        for step in range(steps):
            for environment, action in zip(environments, actions[step % DRAWN], strict=True):
                environment.step(action)

    return advance


def minatar(task: str, envs: int) -> Advance:
    """A loop over the game's module: what the package's front does without drawing for people."""
    from gtr_bench.environments.minatar_single import _game

    games = [_game(task).Env(ramping=True) for _ in range(envs)]
    actions = np.random.default_rng(0).integers(0, 6, (DRAWN, envs)).tolist()

    def advance(steps: int) -> None:
        for step in range(steps):
            for game, action in zip(games, actions[step % DRAWN], strict=True):
                if game.act(action)[1]:
                    game.reset()
                game.state()

    return advance


def atari(task: str, envs: int) -> Advance:
    """The package's `AtariVectorEnv`, in C++ and in one thread, with the preprocessing that we do."""
    from ale_py.vector_env import AtariVectorEnv

    vectorised: Any = AtariVectorEnv(
        _rom(task), envs, num_threads=1, repeat_action_probability=0.25, episodic_life=True, autoreset_mode="SameStep"
    )
    vectorised.reset(seed=0)
    actions = [vectorised.action_space.sample() for _ in range(DRAWN)]

    def advance(steps: int) -> None:
        for step in range(steps):
            vectorised.step(actions[step % DRAWN])

    return advance


def _rom(task: str) -> str:
    from gtr_bench.environments.atari_games import games

    return games()[task].rom


def procgen(task: str, envs: int) -> Advance:
    """The library as gym3 drives it: one handle of all the games, whose images lie where it drew them."""
    import ctypes

    from gtr_bench.environments import procgen_library as binding
    from gtr_bench.environments.procgen_games import Settings

    library = binding._library()
    actions = np.random.default_rng(0).integers(0, 15, (DRAWN, envs))
    frames = np.zeros((envs, 64, 64, 3), np.uint8)
    rewards, firsts, chosen = np.zeros(envs, np.float32), np.zeros(envs, np.uint8), np.zeros(envs, np.int32)
    known = [np.zeros(envs, dtype) for dtype in binding._INFORMATION.values()]

    def pointers(*tensors: np.ndarray) -> ctypes.Array[ctypes.c_void_p]:
        addresses = [binding._address(tensor, row) for tensor in tensors for row in range(envs)]
        return (ctypes.c_void_p * len(addresses))(*addresses)

    observation, information, action = pointers(frames), pointers(*known), pointers(chosen)
    buffers = binding._Buffers(
        ctypes.addressof(observation),
        rewards.ctypes.data,
        firsts.ctypes.data,
        ctypes.addressof(information),
        ctypes.addressof(action),
    )
    items, _keep = binding._items(binding._options_of(task, Settings()) | {"rand_seed": 0})
    handle = library.libenv_make(envs, binding._Options(items, len(items)))
    library.libenv_set_buffers(handle, ctypes.byref(buffers))
    written = frames, rewards, firsts, known  # the library has their addresses alone

    def advance(steps: int, _alive: Any = written) -> None:
        for step in range(steps):
            chosen[:] = actions[step % DRAWN]
            library.libenv_act(handle)
            library.libenv_observe(handle)

    return advance


def minigrid(task: str, envs: int) -> Advance:
    """A loop over the package's environments."""
    import gymnasium
    import minigrid  # noqa: F401  (registers the ids)

    from gtr_bench.environments.minigrid_tasks import TASKS

    name = f"MiniGrid-{task}-v{TASKS[task].version}"
    environments = [gymnasium.make(name, disable_env_checker=True).unwrapped for _ in range(envs)]
    return _looped(environments, _sampled, None)


def crafter(task: str, envs: int) -> Advance:
    """A loop over the package's environments."""
    import crafter as package

    environments = [package.Env(reward=task == "Reward", seed=seed) for seed in range(envs)]
    actions = np.random.default_rng(0).integers(0, 17, (DRAWN, envs)).tolist()
    for environment in environments:
        environment.reset()

    def advance(steps: int) -> None:
        for step in range(steps):
            for environment, action in zip(environments, actions[step % DRAWN], strict=True):
                if environment.step(action)[2]:
                    environment.reset()

    return advance


def craftax(task: str, envs: int) -> Advance:
    """One compiled function for all worlds, in this process instead of one of its own."""
    from gtr_bench.environments.craftax_child import Worlds

    worlds, random = Worlds(task, envs), np.random.default_rng(0)

    def keys(count: int) -> np.ndarray:
        return random.integers(0, 2**32, (count, 2), np.uint32)

    worlds.renew(list(range(envs)), keys(envs))

    def advance(steps: int) -> None:
        for _ in range(steps):
            ended = np.flatnonzero(worlds.step(keys(envs), random.integers(0, 17, envs, np.int32))[2]).tolist()
            if ended:
                worlds.renew(ended, keys(len(ended)))

    return advance


simulators: dict[str, Callable[[str, int], Advance]] = {
    each.__name__: each for each in (gym, metaworld, dm_control, minatar, atari, procgen, minigrid, crafter, craftax)
}
"""by the family's prefix"""
