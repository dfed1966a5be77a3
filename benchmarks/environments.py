"""Stepping speed of the environment families beside a plain Gymnasium loop: `python benchmarks/environments.py`.

Random actions, one process, steps per second of CPU time, the best of three; ratios hold within one run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

CASES = [("CartPole-v1", 8, 4000), ("CartPole-v1", 80, 2000), ("Pendulum-v1", 80, 2000), ("HalfCheetah-v5", 8, 300)]
GAMES = [(game, 16, 500) for game in ("asterix", "breakout", "freeway", "seaquest", "space_invaders")]
PROCGEN = [(game, 64, 120) for game in ("bigfish", "coinrun", "dodgeball", "maze", "miner", "starpilot")]


def best(steps: Callable[[], int]) -> float:
    """Steps per CPU second of the fastest of three calls."""
    speeds = []
    for _ in range(3):
        start = time.process_time()
        count = steps()
        speeds.append(count / (time.process_time() - start))
    return max(speeds)


def plain(task: str, steps: int) -> Callable[[], int]:
    """A Gymnasium environment in a Python loop."""
    import gymnasium

    environment = gymnasium.make(task)
    environment.action_space.seed(0)
    actions = [environment.action_space.sample() for _ in range(100)]

    def run() -> int:
        environment.reset(seed=0)
        for step in range(steps):
            _, _, terminated, truncated, _ = environment.step(actions[step % 100])
            if terminated or truncated:
                environment.reset()
        return steps

    return run


def batched(task: str, envs: int, steps: int) -> Callable[[], int]:
    """Our batch of `envs` environments."""
    from gtr_bench.environments.registry import family_of

    family, name = family_of(f"gym:{task}")
    environment = family.make(name, members=1, envs=envs, max_episode_steps=None, options={})
    space = environment.spaces.action
    rng = np.random.default_rng(0)
    shape = (100, 1, envs)
    if space.kind == "discrete":
        actions = rng.integers(0, space.sizes[0], shape)
    else:
        actions = rng.uniform(-1, 1, (*shape, *space.shape)).astype(np.float32)

    def run() -> int:
        environment.reset(np.arange(envs, dtype=np.uint64).reshape(1, envs))
        for step in range(steps):
            environment.step(actions[step % 100])
        return steps * envs

    return run


def played(name: str, envs: int, steps: int) -> Callable[[], int]:
    """Our batch of `envs` games, `minatar:breakout`."""
    from gtr_bench.environments.registry import family_of

    family, task = family_of(name)
    environment = family.make(task, members=1, envs=envs, max_episode_steps=None, options={})
    actions = np.random.default_rng(0).integers(0, environment.spaces.action.sizes[0], (steps, 1, envs))

    def run() -> int:
        environment.reset(np.arange(envs, dtype=np.uint64).reshape(1, envs))
        for chosen in actions:
            environment.step(chosen)
        return steps * envs

    return run


def entered(game: str, envs: int, steps: int) -> Callable[[], int]:
    """Procgen's library as gym3 drives it: one handle of `envs` games, nothing done with the images."""
    import ctypes

    from gtr_bench.environments import procgen_library as binding
    from gtr_bench.environments.procgen_games import Settings

    library = binding._library()
    actions = np.random.default_rng(0).integers(0, 15, (steps, envs))

    def pointers(*tensors: np.ndarray) -> ctypes.Array[ctypes.c_void_p]:
        addresses = [array.ctypes.data + row * array.strides[0] for array in tensors for row in range(envs)]
        return (ctypes.c_void_p * len(addresses))(*addresses)

    def run() -> int:
        frames = np.zeros((envs, 64, 64, 3), np.uint8)
        rewards, firsts, chosen = np.zeros(envs, np.float32), np.zeros(envs, np.uint8), np.zeros(envs, np.int32)
        known = [np.zeros(envs, dtype) for dtype in binding._INFORMATION.values()]
        observation, information, action = pointers(frames), pointers(*known), pointers(chosen)
        buffers = binding._Buffers(
            ctypes.addressof(observation),
            rewards.ctypes.data,
            firsts.ctypes.data,
            ctypes.addressof(information),
            ctypes.addressof(action),
        )
        items, _keep = binding._items(binding._options_of(game, Settings()) | {"rand_seed": 0})
        handle = library.libenv_make(envs, binding._Options(items, len(items)))
        library.libenv_set_buffers(handle, ctypes.byref(buffers))
        for row in actions:
            chosen[:] = row
            library.libenv_act(handle)
            library.libenv_observe(handle)
        library.libenv_close(handle)
        return steps * envs

    return run


def main() -> None:
    """Print the tables."""
    print("| task | environments | steps per CPU second | x plain Gymnasium loop |")
    print("| --- | ---: | ---: | ---: |")
    for task, envs, steps in CASES:
        ours, theirs = best(batched(task, envs, steps)), best(plain(task, 4000))
        print(f"| {task} | {envs} | {ours:,.0f} | {ours / theirs:.2f} |", flush=True)
    print("\n| MinAtar game | environments | steps per CPU second |")
    print("| --- | ---: | ---: |")
    for game, envs, steps in GAMES:
        print(f"| {game} | {envs} | {best(played(f'minatar:{game}', envs, steps)):,.0f} |", flush=True)
    if find_spec("procgen") is None:
        print("\nProcgen is not installed: make games")
        return
    print("\n| Procgen game | environments | steps per CPU second | x the library alone |")
    print("| --- | ---: | ---: | ---: |")
    for game, envs, steps in PROCGEN:
        ours, theirs = best(played(f"procgen:{game}", envs, steps)), best(entered(game, envs, steps))
        print(f"| {game} | {envs} | {ours:,.0f} | {ours / theirs:.2f} |", flush=True)


if __name__ == "__main__":
    main()
