"""Training speed beside Stable-Baselines3, as ratios measured in one run: `python benchmarks/throughput.py`.

Every contender is a process of its own with one torch thread, run in turn and repeated; the figure is environment
steps per second of CPU time inside the training call (imports and construction excluded), the best of the repeats.
Logging and evaluation are off in both. `--wall` adds the whole programs, start-up included: ten CartPole seeds, two
processes at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

# settings of the issue "Run", section 6
CARTPOLE = {"env": "CartPole-v1", "num_envs": 8, "num_steps": 128, "num_minibatches": 4, "epochs": 4}
CHEETAH = {"env": "HalfCheetah-v5", "num_envs": 1, "num_steps": 2048, "num_minibatches": 32, "epochs": 10}
TASKS = {"cartpole": (CARTPOLE, 60_000), "cheetah": (CHEETAH, 8_192)}
LEARNING_RATE = 3e-4
_WARM_UP = 5


def train_sb3(task: dict[str, Any], steps: int) -> float:
    """CPU seconds of Stable-Baselines3's PPO."""
    import torch
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env

    torch.set_num_threads(1)
    batch = task["num_envs"] * task["num_steps"] // task["num_minibatches"]
    model = PPO(
        "MlpPolicy", make_vec_env(task["env"], task["num_envs"], seed=0), n_steps=task["num_steps"], batch_size=batch,
        n_epochs=task["epochs"], learning_rate=LEARNING_RATE, seed=0, device="cpu",
    )  # fmt: skip
    start = time.process_time()
    model.learn(steps)
    return time.process_time() - start


def definition(task: dict[str, Any], algorithm: str, steps: int, seed: int) -> dict[str, Any]:
    """A job like Stable-Baselines3's run."""
    from gtr_bench.algorithms.registry import algorithms

    shape = {key: task[key] for key in ("num_envs", "num_steps", "num_minibatches", "epochs")}
    kind = algorithms.get(algorithm)
    parameters = kind.Parameters(**shape, learning_rate=LEARNING_RATE, value_loss="mse").model_dump()
    return {
        "algorithm": {"name": algorithm, "version": kind.version, "parameters": parameters},
        "sequence": {
            "phases": [{"environment": f"gym:{task['env']}", "options": {}, "steps": steps, "variant": 0}],
            "shifts": [],
            "max_episode_steps": None,
        },
        "network": {"torso": "mlp", "version": 1, "hidden": [64, 64], "activation": "tanh"},
        "evaluation": {"every": steps, "episodes": 0, "deterministic": False, "all_phases": False},
        "seed": seed,
    }


def train_cohort(task: dict[str, Any], algorithm: str, steps: int, members: int) -> float:
    """CPU seconds of a cohort."""
    import torch

    from gtr_bench.learn.training import Training

    torch.set_num_threads(1)
    steps -= steps % task["num_envs"]
    training = Training([definition(task, algorithm, steps, seed) for seed in range(members)], torch.device("cpu"))
    start = time.process_time()
    training.run(lambda: True)
    seconds = time.process_time() - start
    if os.environ.get("GTR_BENCH_SHARES"):
        print(training.clock.seconds, file=sys.stderr)
    training.close()
    return seconds


def child(name: str, program: str, members: int, steps: int | None) -> None:
    """Measure one contender and print its steps per CPU second."""
    task, default = TASKS[name]
    steps = steps or default
    seconds = train_sb3(task, steps) if program == "sb3" else train_cohort(task, program, steps, members)
    print(json.dumps({"speed": steps * members / seconds}))


def measured(*arguments: str) -> float:
    """A contender's speed, from a process of its own."""
    from gtr_bench.schedule.slots import make_slots, worker_environment

    own = arguments[1] != "sb3"
    environment = worker_environment(make_slots(device="cpu")[0], 1) if own else os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--child", *arguments]
    output = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    return float(json.loads(output.splitlines()[-1])["speed"])


def compare(repeats: int, only: list[str]) -> None:
    """Print the table of speeds and ratios."""
    contenders = [
        ("cartpole", "sb3", 1), ("cartpole", "ppo", 1), ("cartpole", "ppo", 5), ("cartpole", "ppo", 10),
        ("cartpole", "gtr", 1), ("cartpole", "gtr", 5), ("cartpole", "gtr", 10),
        ("cheetah", "sb3", 1), ("cheetah", "ppo", 1), ("cheetah", "ppo", 5),
        ("cheetah", "gtr", 1), ("cheetah", "gtr", 5),
    ]  # fmt: skip
    best: dict[tuple[str, str, int], float] = {}
    for _ in range(repeats):
        for task, program, members in contenders:
            if not only or task in only:
                speed = measured(task, program, str(members))
                best[task, program, members] = max(speed, best.get((task, program, members), 0.0))
    print("| task | program | members | steps per CPU second | x Stable-Baselines3 |")
    print("| --- | --- | ---: | ---: | ---: |")
    for (task, program, members), speed in best.items():
        print(f"| {task} | {program} | {members} | {speed:,.0f} | {speed / best[task, 'sb3', 1]:.2f} |", flush=True)


def compare_gtr(only: list[str]) -> None:
    """Print GTR's CPU time per iteration over PPO's; the two take turns in one process, iteration by iteration."""
    import torch

    from gtr_bench.learn.training import Training

    torch.set_num_threads(1)
    print("| task | members | iterations | time of gtr / time of ppo |")
    print("| --- | ---: | ---: | ---: |")
    for name, members, iterations in (
        ("cartpole", 1, 60),
        ("cartpole", 5, 25),
        ("cartpole", 10, 15),
        ("cheetah", 1, 8),
    ):
        if only and name not in only:
            continue
        task = TASKS[name][0]
        steps = task["num_envs"] * task["num_steps"] * (iterations + _WARM_UP + 1)
        runs = [
            Training([definition(task, kind, steps, seed) for seed in range(members)], torch.device("cpu"))
            for kind in ("ppo", "gtr")
        ]
        seconds = [0.0, 0.0]
        for iteration in range(iterations + _WARM_UP):
            for index, run in enumerate(runs):
                start = time.process_time()
                run.run(lambda: False)
                # GTR has all its anchors after the first iterations
                seconds[index] += time.process_time() - start if iteration >= _WARM_UP else 0.0
        print(f"| {name} | {members} | {iterations} | {seconds[1] / seconds[0]:.2f} |", flush=True)


SUITE = """
[suite]
name = "throughput"
question = "How fast is the whole program?"
primary_metric = "lifetime_return"
[training]
learning_rate = 3e-4
[evaluation]
every = {steps}
episodes = 1
[[sequence]]
id = "cartpole"
env = "gym:CartPole-v1"
phases = 1
steps_per_phase = {steps}
[scale.laptop]
seeds = 10
[[algorithm]]
id = "ppo"
"""


def compare_wall() -> None:
    """Ten CartPole seeds on two cores, whole programs: ours against ten Stable-Baselines3 runs two at a time."""
    steps = 102_400
    with tempfile.TemporaryDirectory() as folder:
        suite = Path(folder) / "throughput.toml"
        suite.write_text(SUITE.format(steps=steps))
        start = time.perf_counter()
        command = [sys.executable, "-m", "gtr_bench.cli", "run", str(suite), "--scale", "laptop"]
        subprocess.run([*command, "--jobs", "2", "--results", f"{folder}/results"], check=True, capture_output=True)
        ours = time.perf_counter() - start
    start = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: measured("cartpole", "sb3", "1", "--steps", str(steps)), range(10)))
    theirs = time.perf_counter() - start
    print(
        f"ten CartPole seeds x {steps:,} steps, two processes: "
        f"gtr-bench {ours:.1f} s, Stable-Baselines3 {theirs:.1f} s: {theirs / ours:.1f} x"
    )


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", nargs=3, metavar=("TASK", "PROGRAM", "MEMBERS"))
    parser.add_argument("--steps", type=int)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], choices=sorted(TASKS))
    parser.add_argument("--gtr", action="store_true", help="only GTR beside PPO, in one process")
    parser.add_argument("--wall", action="store_true")
    arguments = parser.parse_args()
    if arguments.child:
        task, program, members = arguments.child
        child(task, program, int(members), arguments.steps)
        return
    if arguments.gtr:
        compare_gtr(arguments.only)
        return
    compare(arguments.repeats, arguments.only)
    if arguments.wall:
        compare_wall()


if __name__ == "__main__":
    main()
