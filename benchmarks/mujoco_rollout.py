"""`mujoco.rollout` beside other ways of stepping HalfCheetah-v5: `python -m benchmarks.mujoco_rollout`.

`gymnasium` calls each environment's `step`; `mj_step` is our batch (`environments/cheetah_batch.py`), one call of
MuJoCo per environment and the rest for all at once; `rollout` simulates all of them in one call on this thread, and
computes observations and rewards for all at once. Random actions, no ends of episodes; the three take turns of 50 ms.
Printed are environment steps per second of CPU time, medians over `--repeats`, and ratios to `gymnasium` with their
range; and by how much observations differ from Gymnasium's, which starts from the same states, after some steps.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from typing import Any

import gymnasium
import mujoco
import numpy as np
from mujoco import rollout

from benchmarks.environments import seconds_of, steps_in
from gtr_bench.environments.hashing import mix
from gtr_bench.environments.registry import family_of

TASK, FRAME_SKIP, ACTIONS, TURNS = "HalfCheetah-v5", 5, 128, 10
SHOWN = (1, 2, 10, 50, 200)
Step = Callable[[np.ndarray], np.ndarray]


def ways(envs: int) -> dict[str, Step]:
    """Functions from actions float32 [N, 6] to observations float64 [N, 17], all begun in the same states."""
    environments: list[Any] = [gymnasium.make(TASK, disable_env_checker=True).unwrapped for _ in range(envs)]
    family, task = family_of(f"gym:{TASK}")
    batch = family.make(task, members=1, envs=envs, max_episode_steps=2**60, options={})
    seeds = np.arange(envs, dtype=np.uint64)
    batch.reset(seeds[None])
    for environment, seed in zip(environments, mix(seeds, 0), strict=True):
        environment.reset(seed=int(seed) % 2**31)
    model, full = environments[0].model, mujoco.mjtState.mjSTATE_FULLPHYSICS
    states = np.empty((envs, mujoco.mj_stateSize(model, full)))
    for row, environment in zip(states, environments, strict=True):
        mujoco.mj_getState(model, environment.data, row, full)
    warm = np.stack([environment.data.qacc_warmstart for environment in environments])
    pool, data, seconds = rollout.Rollout(nthread=0), mujoco.MjData(model), environments[0].dt
    passed = np.empty((envs, FRAME_SKIP, states.shape[1]))
    sensed, control = np.empty((envs, FRAME_SKIP, model.nsensordata)), np.empty((envs, FRAME_SKIP, model.nu))
    models = [model] * envs

    def loop(actions: np.ndarray) -> np.ndarray:
        return np.stack([each.step(action)[0] for each, action in zip(environments, actions, strict=True)])

    def together(actions: np.ndarray) -> np.ndarray:
        return batch.step(actions[None]).observation[0]

    def rolled(actions: np.ndarray) -> np.ndarray:
        before = states[:, 1].copy()  # a state is the time, then positions and velocities
        control[:] = actions[:, None]
        pool.rollout(
            models, [data], states, control, nstep=FRAME_SKIP, initial_warmstart=warm, state=passed, sensordata=sensed,
            skip_checks=True, control_spec=mujoco.mjtState.mjSTATE_CTRL.value,
        )  # fmt: skip
        states[:] = passed[:, -1]
        _reward = (states[:, 1] - before) / seconds - 0.1 * np.square(actions).sum(1)
        return states[:, 2 : 1 + model.nq + model.nv].copy()

    return {"gymnasium": loop, "mj_step": together, "rollout": rolled}


def report(envs: int, seconds: float, repeats: int) -> None:
    """Print the rows of so many environments."""
    actions = np.random.default_rng(0).uniform(-1, 1, (ACTIONS, envs, 6)).astype(np.float32)
    steps = ways(envs)
    shown = {name: [step(actions[count % ACTIONS]) for count in range(max(SHOWN))] for name, step in steps.items()}

    def advancing(step: Step) -> Callable[[int], None]:
        def advance(count: int) -> None:
            for place in range(count):
                step(actions[place % ACTIONS])

        return advance

    advances = {name: advancing(step) for name, step in steps.items()}
    counts = {name: steps_in(advance, seconds / TURNS) for name, advance in advances.items()}
    speeds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repeats):
        spent = dict.fromkeys(steps, 0.0)
        for _ in range(TURNS):
            for name, advance in advances.items():
                spent[name] += seconds_of(advance, counts[name])
        for name in steps:
            speeds[name].append(TURNS * counts[name] * envs / spent[name])
    for name, found in speeds.items():
        ratios = [own / other for own, other in zip(found, speeds["gymnasium"], strict=True)]
        apart = [
            np.abs(shown[name][n - 1] - shown["gymnasium"][n - 1].astype(shown[name][0].dtype)).max() for n in SHOWN
        ]
        differ = ", ".join(f"{value:.0e}" if value else "0" for value in apart)
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"| {name} | {envs} | {statistics.median(found):,.0f} | {spread} | {differ} |", flush=True)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    print(
        f"| way | environments | steps per CPU second | x gymnasium | apart after {', '.join(map(str, SHOWN))} steps |"
    )
    print("| --- | ---: | ---: | ---: | --- |")
    for envs in (8, 40):
        report(envs, arguments.seconds, arguments.repeats)


if __name__ == "__main__":
    main()
