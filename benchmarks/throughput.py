"""Training speed beside Stable-Baselines3 and Rejax, as ratios measured in one run: `python benchmarks/throughput.py`.

Every contender is a process of its own with one thread; contenders take turns, and a repeat is one turn of each. A
speed is environment steps per second of CPU time inside the training call (imports, construction and Rejax's compiling
excluded), the median of the repeats. A ratio is taken within each repeat, where a busy machine hurts both alike: its
median, and in brackets the least and the largest. Logging of the others and evaluation are off. Rejax needs an
environment of its own (`make rejax`). `--wall` adds the whole programs, start-up included: ten CartPole seeds, two
processes at a time.

`gym_control` has the sizes of the published suite. `late` is the same with networks as they are late in a long life
under shifts, made by hand so that it takes seconds: parameters times 20, so that most units are saturated, and nine
tenths of Adam's moments at denormal numbers, where they stay once a unit's gradient is zero. `ppo` runs it as workers
do, `ppo_denormal` without flushing denormal numbers to zero; what that costs depends on the processor.
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
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gtr_bench.learn.training import Training

_SMALL = {
    "num_envs": 8, "num_steps": 128, "num_minibatches": 4, "epochs": 4,
    "hidden": [64, 64], "learning_rate": 3e-4, "entropy": 0.0, "steps": 60_000,
}  # fmt: skip
_PUBLISHED = {
    "env": "CartPole-v1", "num_envs": 8, "num_steps": 100, "num_minibatches": 25, "epochs": 5,
    "hidden": [256, 256, 256], "learning_rate": 1e-3, "entropy": 0.01, "steps": 8_000,
}  # fmt: skip
TASKS: dict[str, dict[str, Any]] = {
    "cartpole": _SMALL | {"env": "CartPole-v1"},
    "acrobot": _SMALL | {"env": "Acrobot-v1"},
    "mountain_car": _SMALL | {"env": "MountainCar-v0"},
    "pendulum": _SMALL | {"env": "Pendulum-v1"},
    "cheetah": _SMALL
    | {"env": "HalfCheetah-v5", "num_envs": 1, "num_steps": 2048, "num_minibatches": 32, "epochs": 10, "steps": 8_192},
    "gym_control": _PUBLISHED,
    "late": _PUBLISHED | {"steps": 4_000},
}
CONTENDERS: dict[str, list[tuple[str, int]]] = {
    "cartpole": [("sb3", 1), ("rejax", 1), ("rejax", 10), ("ppo", 1), ("ppo", 5), ("ppo", 10),
                 ("gtr", 1), ("gtr", 5), ("gtr", 10)],
    "acrobot": [("sb3", 1), ("rejax", 10), ("ppo", 1), ("ppo", 10)],
    "mountain_car": [("sb3", 1), ("rejax", 10), ("ppo", 1), ("ppo", 10)],
    "pendulum": [("sb3", 1), ("rejax", 10), ("ppo", 1), ("ppo", 10)],
    "cheetah": [("sb3", 1), ("ppo", 1), ("ppo", 5), ("gtr", 1), ("gtr", 5)],
    "gym_control": [("sb3", 1), ("rejax", 4), ("ppo", 1), ("ppo", 4)],
    "late": [("ppo", 4), ("ppo_denormal", 4)],
}  # fmt: skip
REJAX = Path(__file__).parent.parent / ".venv-rejax/bin/python"
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
        n_epochs=task["epochs"], learning_rate=task["learning_rate"], ent_coef=task["entropy"], seed=0, device="cpu",
        policy_kwargs={"net_arch": task["hidden"]},
    )  # fmt: skip
    start = time.process_time()
    model.learn(steps)
    return time.process_time() - start


def definition(task: dict[str, Any], algorithm: str, steps: int, seed: int) -> dict[str, Any]:
    """A job like Stable-Baselines3's run."""
    from gtr_bench.algorithms.registry import algorithms

    shape = {key: task[key] for key in ("num_envs", "num_steps", "num_minibatches", "epochs")}
    kind = algorithms.get(algorithm)
    parameters = kind.Parameters(
        **shape, learning_rate=task["learning_rate"], entropy_coefficient=task["entropy"], value_loss="mse"
    ).model_dump()
    return {
        "algorithm": {"name": algorithm, "version": kind.version, "parameters": parameters},
        "sequence": {
            "phases": [{"environment": f"gym:{task['env']}", "options": {}, "steps": steps, "variant": 0}],
            "shifts": [],
            "max_episode_steps": None,
        },
        "network": {"torso": "mlp", "version": 1, "hidden": task["hidden"], "activation": "tanh"},
        "evaluation": {"every": steps, "episodes": 0, "deterministic": False, "all_phases": False},
        "seed": seed,
    }


def grown_old(training: Training) -> None:
    """Saturate the units of a cohort and leave denormal numbers in most of Adam's moments."""
    import torch

    state = training.learner.state()
    state["parameters"] = state["parameters"] * 20
    generator = torch.Generator().manual_seed(0)
    for name, value in (("first", 5.6e-45), ("second", 1e-40)):
        moments = state["optimizer"][name]
        dead = torch.rand(moments.shape, generator=generator) < 0.9
        state["optimizer"][name] = torch.where(dead, torch.tensor(value), moments)
    training.learner.load_state(state)


def train_cohort(task: dict[str, Any], program: str, steps: int, members: int, *, late: bool) -> float:
    """CPU seconds of a cohort; `ppo_denormal` is `ppo` with denormal numbers kept."""
    import torch

    from gtr_bench.learn.training import Training

    torch.set_num_threads(1)
    algorithm = program.removesuffix("_denormal")
    rollout = task["num_envs"] * task["num_steps"] if late else 0
    steps -= steps % task["num_envs"]
    definitions = [definition(task, algorithm, steps + rollout, seed) for seed in range(members)]
    training = Training(definitions, torch.device("cpu"))
    if late:
        training.run(lambda: False)  # the first rollout: moments there are none before it
        grown_old(training)
    torch.set_flush_denormal(algorithm == program)
    start = time.process_time()
    training.run(lambda: True)
    seconds = time.process_time() - start
    if os.environ.get("GTR_BENCH_SHARES"):
        print(training.clock.seconds, file=sys.stderr)
    training.close()
    return seconds


def child(name: str, program: str, members: int, steps: int | None) -> None:
    """Measure one contender and print its steps per CPU second."""
    task = TASKS[name]
    steps = steps or task["steps"]
    seconds = (
        train_sb3(task, steps) if program == "sb3" else train_cohort(task, program, steps, members, late=name == "late")
    )
    print(json.dumps({"speed": steps * members / seconds}))


def measured(name: str, program: str, members: int, steps: int | None = None) -> float:
    """A contender's speed, from a process of its own."""
    from gtr_bench.schedule.slots import make_slots, worker_environment

    command = [sys.executable, __file__, "--child", name, program, str(members)]
    command += [] if steps is None else ["--steps", str(steps)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    if program == "rejax":
        command = [REJAX, str(Path(__file__).with_name("rejax_ppo.py")), json.dumps(TASKS[name]), str(members)]
        command += [str(steps or TASKS[name]["steps"])]
    elif program != "sb3":
        environment = worker_environment(make_slots(device="cpu")[0], 1)
    output = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    return float(json.loads(output.splitlines()[-1])["speed"])


def ratio_of(own: list[float], other: list[float]) -> str:
    """The median of the ratios within each repeat, and their range."""
    ratios = [mine / theirs for mine, theirs in zip(own, other, strict=True)]
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def compare(repeats: int, only: list[str], programs: list[str]) -> None:
    """Print the table of speeds and ratios, and how busy the machine was."""
    chosen = [
        (task, program, members)
        for task, contenders in CONTENDERS.items()
        for program, members in contenders
        if (not only or task in only) and (not programs or program in programs)
    ]
    if not REJAX.exists() and any(program == "rejax" for _, program, _ in chosen):
        print("Rejax is left out: `make rejax` installs it\n")
        chosen = [contender for contender in chosen if contender[1] != "rejax"]
    loads = [os.getloadavg()[0]]
    speeds: dict[tuple[str, str, int], list[float]] = {contender: [] for contender in chosen}
    for repeat in range(repeats):
        for contender in chosen if repeat % 2 == 0 else reversed(chosen):  # who comes first meets another machine
            speeds[contender].append(measured(*contender))
        loads.append(os.getloadavg()[0])
    print("| task | program | members | steps per CPU second | x Stable-Baselines3 | x Rejax |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for (task, program, members), own in speeds.items():
        others = speeds.get((task, "sb3", 1)), speeds.get((task, "rejax", members))
        ratios = " | ".join("-" if other is None else ratio_of(own, other) for other in others)
        print(f"| {task} | {program} | {members} | {median(own):,.0f} | {ratios} |")
    print(f"\nload of the machine: {', '.join(f'{load:.1f}' for load in loads)} on {os.cpu_count()} cores")


def compare_gtr(only: list[str]) -> None:
    """Print GTR's CPU time per iteration over PPO's, the median over iterations, in which the two take turns."""
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
        task = TASKS[name]
        steps = task["num_envs"] * task["num_steps"] * (iterations + _WARM_UP + 1)
        runs = [
            Training([definition(task, kind, steps, seed) for seed in range(members)], torch.device("cpu"))
            for kind in ("ppo", "gtr")
        ]
        ratios = []
        for iteration in range(iterations + _WARM_UP):
            seconds = []
            for run in runs:
                start = time.process_time()
                run.run(lambda: False)
                seconds.append(time.process_time() - start)
            if iteration >= _WARM_UP:  # GTR has all its anchors after the first iterations
                ratios.append(seconds[1] / seconds[0])
        print(f"| {name} | {members} | {iterations} | {median(ratios):.2f} |", flush=True)


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
        list(pool.map(lambda _: measured("cartpole", "sb3", 1, steps), range(10)))
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
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--only", nargs="*", default=[], choices=sorted(TASKS))
    parser.add_argument("--programs", nargs="*", default=[], help="only these contenders")
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
    compare(arguments.repeats, arguments.only, arguments.programs)
    if arguments.wall:
        compare_wall()


if __name__ == "__main__":
    main()
