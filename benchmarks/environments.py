"""Stepping speed of every environment family beside its simulator alone: `python -m benchmarks.environments`.

Random actions, one process, one thread. Ours is the whole way a learner's steps take (`SequenceEnvironment`), the other
the simulator in its own best vectorisation (`benchmarks/simulators.py`), with as many environments. The figures are
environment steps per second of CPU time. For one ratio the two take ten turns each, of `--seconds` together, because
the speed of a shared machine changes from one tenth of a second to the next; printed are medians over `--repeats`
ratios, and the range of these. The bar is 0.8 for simulators faster than 5,000 steps/s, else 0.9.

`--cohorts` measures how far two worker processes, each held to a core, take more steps than one: `--seconds` by the
clock per turn. Other work on the machine takes from the clock's figure; beside it stands what two would do on cores of
their own, by their CPU time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import psutil

from benchmarks.simulators import DRAWN, Advance, simulators
from gtr_bench.environments.registry import family_of
from gtr_bench.environments.sequence import SequenceEnvironment
from gtr_bench.environments.spaces import ActionSpace
from gtr_bench.errors import MissingExtraError

CASES = [
    ("gym:CartPole-v1", 8),
    ("gym:CartPole-v1", 80),
    ("gym:Pendulum-v1", 80),
    ("gym:HalfCheetah-v5", 8),
    ("gym:HalfCheetah-v5", 40),
    ("gym:Ant-v5", 8),
    ("gym:LunarLander-v3", 8),
    ("gym:BipedalWalker-v3", 8),
    ("metaworld:hammer-v3", 8),
    ("dm_control:walker-walk", 8),
    ("dm_control:cheetah-run", 8),
    *((f"minatar:{game}", 16) for game in ("asterix", "breakout", "freeway", "seaquest", "space_invaders")),
    *((f"atari:{game}", 8) for game in ("Pong", "Breakout", "BattleZone")),
    *((f"procgen:{game}", 64) for game in ("bigfish", "coinrun", "dodgeball", "maze", "miner", "starpilot")),
    ("minigrid:DoorKey-8x8", 16),
    ("minigrid:Empty-8x8", 16),
    ("crafter:Reward", 8),
    ("craftax:Classic-Symbolic", 64),
]
TURNS = 10
FAST = 5000
"""steps/s of a simulator from which on the lower bar holds"""
COHORTS = [("gym:HalfCheetah-v5", 8), ("procgen:starpilot", 64), ("atari:Breakout", 8)]
COHORTS_BAR = 1.8


def actions_for(space: ActionSpace, envs: int) -> np.ndarray:
    """Random actions [DRAWN, 1, N, ...] within the bounds, those of torques without any from -1 to 1."""
    random, shape = np.random.default_rng(0), (DRAWN, 1, envs, *space.shape)
    if space.low is None or space.high is None:
        return random.integers(0, space.sizes if space.shape else space.sizes[0], shape)
    return random.uniform(np.maximum(space.low, -1), np.minimum(space.high, 1), shape).astype(np.float32)


def ours(name: str, envs: int) -> Advance:
    """A sequence of one phase of the task."""
    phase = {"environment": name, "options": {}, "steps": 2**60, "variant": 0}
    sequence = {"phases": [phase], "shifts": [], "max_episode_steps": None}
    world = SequenceEnvironment(
        sequence, members=1, envs=envs, environment_seeds=[0], shift_seeds=[0], purpose="training"
    )
    actions = actions_for(world.spaces.action, envs)
    world.start_phase(0)

    def advance(steps: int) -> None:
        for step in range(steps):
            world.step(actions[step % DRAWN])

    return advance


def cpu_seconds() -> float:
    """Of this process and its children: Craftax steps in one."""
    times = [child.cpu_times() for child in psutil.Process().children()]
    return time.process_time() + sum(each.user + each.system for each in times)


def seconds_of(advance: Advance, steps: int) -> float:
    """CPU seconds of so many steps."""
    start = cpu_seconds()
    advance(steps)
    return cpu_seconds() - start


def steps_in(advance: Advance, seconds: float) -> int:
    """About how many steps fill these CPU seconds; the first ones, which warm up, are not counted."""
    steps = 4
    while (taken := seconds_of(advance, steps)) < seconds / 4:
        steps *= 2
    return max(1, round(steps * seconds / taken))


def compared(name: str, envs: int, seconds: float, repeats: int) -> str:
    """A row of the table."""
    family, task = name.split(":", 1)
    # Ours first: some of our families tell their simulator, before it is imported, to do without a display.
    own = ours(name, envs)
    contenders = simulators[family](task, envs), own
    steps = [steps_in(advance, seconds / TURNS) for advance in contenders]
    speeds = []
    for _ in range(repeats):
        spent = np.zeros(2)
        for _ in range(TURNS):
            spent += [seconds_of(advance, count) for advance, count in zip(contenders, steps, strict=True)]
        speeds.append((np.array(steps) * TURNS * envs / spent).tolist())
    raw_speed, own_speed = (statistics.median(column) for column in zip(*speeds, strict=True))
    ratios = [b / a for a, b in speeds]
    ratio, bar = statistics.median(ratios), 0.8 if raw_speed > FAST else 0.9
    verdict = "reached" if ratio >= bar else "missed"
    spread = f"{ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    return f"| {name} | {envs} | {raw_speed:,.0f} | {own_speed:,.0f} | {spread} | {bar}: {verdict} |"


def families(chosen: Sequence[str], seconds: float, repeats: int) -> None:
    """Print the table of all families, or of the tasks whose name begins with one of `chosen`."""
    print("| task | environments | raw steps per CPU second | ours | ours / raw | bar |")
    print("| --- | ---: | ---: | ---: | ---: | --- |")
    left_out = {}
    for name, envs in CASES:
        if chosen and not name.startswith(tuple(chosen)):
            continue
        family, task = family_of(name)
        try:
            family.check(task)
        except MissingExtraError as error:
            left_out[f"{name.split(':')[0]}:"] = error
            continue
        print(compared(name, envs, seconds, repeats), flush=True)
    for prefix, error in left_out.items():
        print(f"\n`{prefix}` is left out: {error}; {error.hint}")


def work(name: str, envs: int, core: int, seconds: float) -> None:
    """A worker: hold to a core, be ready, wait for a line, step; print its speeds by the clock and of CPU time."""
    os.sched_setaffinity(0, {core})
    advance = ours(name, envs)
    advance(200)
    print("ready", flush=True)
    sys.stdin.readline()
    count, started, cpu = 0, time.monotonic(), time.process_time()
    while (elapsed := time.monotonic() - started) < seconds:
        advance(20)
        count += 20 * envs
    print(json.dumps([count / elapsed, count / (time.process_time() - cpu)]), flush=True)


def together(name: str, envs: int, cores: Sequence[int], seconds: float) -> tuple[float, float]:
    """Total steps per second of a worker on each of these cores: by the clock, and of CPU time."""
    command = [sys.executable, "-m", "benchmarks.environments", "--worker", name, str(envs), "--seconds", str(seconds)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    workers = [subprocess.Popen([*command, "--core", str(core)], **pipes) for core in cores]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("\n")
        worker.stdin.flush()
    speeds = [json.loads(worker.communicate()[0]) for worker in workers]
    clock, cpu = (sum(column) for column in zip(*speeds, strict=True))
    return clock, cpu


def cohorts(seconds: float, repeats: int) -> None:
    """Print how two workers compare with one, which takes its turns on either core."""
    first, second = sorted(os.sched_getaffinity(0))[:2]
    print("| task | environments | one worker, steps/s | two | two / one | by CPU time | bar |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | --- |")
    for name, envs in COHORTS:
        rows = []
        for _ in range(repeats):
            alone, pair, other = (
                together(name, envs, cores, seconds) for cores in ([first], [first, second], [second])
            )
            rows.append([*((a + b) / 2 for a, b in zip(alone, other, strict=True)), *pair])
        one, two = (statistics.median(row[place] for row in rows) for place in (0, 2))
        ratios = [row[2] / row[0] for row in rows]
        clock, cpu = statistics.median(ratios), statistics.median(row[3] / row[1] for row in rows)
        verdict = "reached" if clock >= COHORTS_BAR else "missed"
        spread = f"{clock:.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(
            f"| {name} | {envs} | {one:,.0f} | {two:,.0f} | {spread} | {cpu:.2f} | {COHORTS_BAR}: {verdict} |",
            flush=True,
        )


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", help="beginnings of the names to measure, such as `gym: atari:Pong`")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--cohorts", action="store_true")
    parser.add_argument("--worker", nargs=2, metavar=("TASK", "ENVS"), help=argparse.SUPPRESS)
    parser.add_argument("--core", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments.worker[0], int(arguments.worker[1]), arguments.core, arguments.seconds)
    elif arguments.cohorts:
        cohorts(arguments.seconds, arguments.repeats)
    else:
        families(arguments.tasks, arguments.seconds, arguments.repeats)


if __name__ == "__main__":
    main()
