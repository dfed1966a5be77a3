"""Training from images beside CleanRL and Stable-Baselines3, in speed and memory: `python benchmarks/pixels.py`.

`procgen`: 64 environments x 256 steps, 8 minibatches, 3 epochs, IMPALA [16, 32, 32] on a trunk that actor and critic
share, 15 actions (algorithms A.18). The contender, `plain`, is written in plain torch from those settings, the way
CleanRL's `ppo_procgen.py` does it: frames as float32, stored with the channels last, one pass for policy, value and
every minibatch. Both step the same environment, which hands out frames of noise, so that what is measured is learning.

`atari`: Pong with 8 environments x 128 steps, 4 minibatches, 4 epochs and the `nature_cnn` trunk, beside
Stable-Baselines3's PPO with `CnnPolicy` and its own wrappers of the game (which need OpenCV): all that training takes.

Every measurement is a process of its own with one thread; the two take turns, and the figure is the best of the
repeats: environment steps per second of CPU time, and the largest resident memory of the process, imports included.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

import numpy as np

ENVS, STEPS, MINIBATCHES, EPOCHS = 64, 256, 8, 3
CHANNELS, HIDDEN, ACTIONS, SIDE = (16, 32, 32), 256, 15, 64
GAMMA, LAMBDA, CLIP, ENTROPY, RATE = 0.999, 0.95, 0.2, 0.01, 5e-4
ATARI_ENVS, ATARI_STEPS, ATARI_EPOCHS, ATARI_MINIBATCHES, ATARI_RATE, ATARI_CLIP = 8, 128, 4, 4, 2.5e-4, 0.1
PROGRAMS = {"procgen": ("plain", "ours"), "atari": ("sb3", "ours")}
PER_ITERATION = {"procgen": ENVS * STEPS, "atari": ATARI_ENVS * ATARI_STEPS}


class Noise:
    """Frames `[N, 3, 64, 64]` cut out of one array of noise; episodes of about 100 steps end by themselves."""

    def __init__(self, envs: int) -> None:
        self._random = np.random.default_rng(0)
        self._pixels = self._random.integers(0, 256, 2**20 + 3 * SIDE * SIDE, np.uint8)
        self._envs = envs

    def frames(self) -> np.ndarray:
        """New ones."""
        starts = self._random.integers(0, 2**20, self._envs)
        return np.stack([self._pixels[start : start + 3 * SIDE * SIDE] for start in starts]).reshape(-1, 3, SIDE, SIDE)

    def step(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Frames, rewards and ends."""
        return self.frames(), self._random.normal(size=self._envs), self._random.random(self._envs) < 0.01


def train_plain(iterations: int) -> float:
    """CPU seconds of the contender."""
    import torch
    from torch import nn
    from torch.distributions.categorical import Categorical
    from torch.nn import functional

    torch.set_num_threads(1)

    class Block(nn.Module):
        def __init__(self, channels: int) -> None:
            super().__init__()
            self.first = nn.Conv2d(channels, channels, 3, padding=1)
            self.second = nn.Conv2d(channels, channels, 3, padding=1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.second(functional.relu(self.first(functional.relu(x))))

    layers: list[nn.Module] = []
    for inputs, outputs in zip((3, *CHANNELS), CHANNELS, strict=False):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.MaxPool2d(3, 2, 1), Block(outputs), Block(outputs)]
    size = CHANNELS[-1] * (SIDE // 8) ** 2
    trunk = nn.Sequential(*layers, nn.Flatten(), nn.ReLU(), nn.Linear(size, HIDDEN), nn.ReLU())
    actor, critic = nn.Linear(HIDDEN, ACTIONS), nn.Linear(HIDDEN, 1)
    nn.init.orthogonal_(actor.weight, 0.01)
    nn.init.orthogonal_(critic.weight, 1.0)
    parameters = [*trunk.parameters(), *actor.parameters(), *critic.parameters()]
    optimizer = torch.optim.Adam(parameters, RATE, eps=1e-5)

    def evaluate(frames: torch.Tensor) -> tuple[Categorical, torch.Tensor]:
        hidden = trunk(frames.permute(0, 3, 1, 2) / 255)
        return Categorical(logits=actor(hidden)), critic(hidden).squeeze(1)

    def seen(frames: np.ndarray) -> torch.Tensor:
        return torch.tensor(np.ascontiguousarray(frames.transpose(0, 2, 3, 1)), dtype=torch.float32)

    observations = torch.zeros(STEPS, ENVS, SIDE, SIDE, 3)
    actions = torch.zeros(STEPS, ENVS, dtype=torch.int64)
    log_probs, rewards, dones, values = (torch.zeros(STEPS, ENVS) for _ in range(4))
    environment = Noise(ENVS)
    observation, done = seen(environment.frames()), torch.zeros(ENVS)
    start = time.process_time()
    for _ in range(iterations):
        for t in range(STEPS):
            observations[t], dones[t] = observation, done
            with torch.no_grad():
                policy, values[t] = evaluate(observation)
                actions[t] = policy.sample()
                log_probs[t] = policy.log_prob(actions[t])
            frames, reward, ended = environment.step()
            rewards[t] = torch.from_numpy(reward)
            observation, done = seen(frames), torch.from_numpy(ended).float()
        with torch.no_grad():
            following, keep = evaluate(observation)[1], 1 - done
            advantages, running = torch.zeros(STEPS, ENVS), torch.zeros(ENVS)
            for t in reversed(range(STEPS)):
                delta = rewards[t] + GAMMA * following * keep - values[t]
                advantages[t] = running = delta + GAMMA * LAMBDA * keep * running
                following, keep = values[t], 1 - dones[t]
        returns = advantages + values
        flat = [x.flatten(0, 1) for x in (observations, actions, log_probs, advantages, returns, values)]
        for _ in range(EPOCHS):
            for places in torch.randperm(ENVS * STEPS).chunk(MINIBATCHES):
                obs, act, old, advantage, target, before = (x[places] for x in flat)
                policy, value = evaluate(obs)
                ratio = (policy.log_prob(act) - old).exp()
                advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
                surrogate = torch.min(advantage * ratio, advantage * ratio.clamp(1 - CLIP, 1 + CLIP)).mean()
                clipped = before + (value - before).clamp(-CLIP, CLIP)
                error = torch.max((value - target) ** 2, (clipped - target) ** 2).mean()
                loss = 0.25 * error - surrogate - ENTROPY * policy.entropy().mean()
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(parameters, 0.5)
                optimizer.step()
    return time.process_time() - start


class NoiseFamily:
    """The environments `noise:frames`, for this process alone."""

    name = "noise"

    def check(self, task: str) -> None:
        """There is one task."""

    def physics(self, task: str) -> dict[str, str]:
        return {}

    def spaces(self, task: str, options: Mapping[str, Any]) -> Any:
        from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces

        space = ObservationSpace((3, SIDE, SIDE), "uint8")
        return Spaces(space, ActionSpace("discrete", (ACTIONS,)), has_success=False)

    def make(self, task: str, *, members: int, envs: int, max_episode_steps: int | None, options: Any) -> Any:
        from gtr_bench.environments.base import BatchedEnvironment, Finals, Transition

        noise, spaces = Noise(members * envs), self.spaces(task, options)

        class Batch(BatchedEnvironment):
            def __init__(self) -> None:
                self.members, self.envs, self.spaces = members, envs, spaces

            def reset(self, seeds: Any) -> np.ndarray:
                return noise.frames().reshape(members, envs, 3, SIDE, SIDE)

            def step(self, actions: Any) -> Transition:
                frames, reward, ended = (x.reshape(members, envs, *x.shape[1:]) for x in noise.step())
                rows = np.flatnonzero(ended)
                finals = Finals(rows, frames.reshape(-1, 3, SIDE, SIDE)[rows]) if len(rows) else None
                return Transition(frames, reward, ended, np.zeros_like(ended), finals, None)

            def set_physics(self, values: Any) -> None:
                """There is none."""

            def state(self) -> dict[str, Any]:
                return {}

            def load_state(self, state: dict[str, Any]) -> None:
                """It is not continued."""

        return Batch()


def trained(environment: str, torso: str, steps: int, **settings: Any) -> float:
    """CPU seconds of a cohort of one PPO on a shared trunk."""
    import torch

    from gtr_bench.algorithms.registry import algorithms
    from gtr_bench.learn.training import Training

    torch.set_num_threads(1)
    kind = algorithms.get("ppo")
    definition = {
        "algorithm": {
            "name": "ppo",
            "version": kind.version,
            "parameters": kind.Parameters(entropy_coefficient=ENTROPY, gae_lambda=LAMBDA, **settings).model_dump(),
        },
        "sequence": {
            "phases": [{"environment": environment, "options": {}, "steps": steps, "variant": 0}],
            "shifts": [],
            "max_episode_steps": None,
        },
        "network": {"torso": torso, "version": 1, "shared": True},
        "evaluation": {"every": steps, "episodes": 0, "deterministic": False, "all_phases": False},
        "seed": 0,
    }
    training = Training([definition], torch.device("cpu"))
    start = time.process_time()
    training.run(lambda: True)
    seconds = time.process_time() - start
    if os.environ.get("GTR_BENCH_SHARES"):
        print(training.clock.seconds, file=sys.stderr)
    return seconds


def train_ours(iterations: int) -> float:
    """CPU seconds of ours on noise."""
    from gtr_bench.environments.registry import families

    with patch.object(families, "get", return_value=NoiseFamily):
        return trained(
            "noise:frames", "impala_cnn", iterations * ENVS * STEPS, num_envs=ENVS, num_steps=STEPS,
            num_minibatches=MINIBATCHES, epochs=EPOCHS, learning_rate=RATE, gamma=GAMMA, clip_range=CLIP,
            value_clip_range=CLIP,
        )  # fmt: skip


def train_ours_on_atari(iterations: int) -> float:
    """CPU seconds of ours on Pong, at Stable-Baselines3's settings."""
    return trained(
        "atari:Pong", "nature_cnn", iterations * ATARI_ENVS * ATARI_STEPS, num_envs=ATARI_ENVS, num_steps=ATARI_STEPS,
        num_minibatches=ATARI_MINIBATCHES, epochs=ATARI_EPOCHS, learning_rate=ATARI_RATE, clip_range=ATARI_CLIP,
        value_loss="mse",
    )  # fmt: skip


def train_sb3(iterations: int) -> float:
    """CPU seconds of Stable-Baselines3 on Pong."""
    import ale_py
    import gymnasium
    import torch
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_atari_env
    from stable_baselines3.common.vec_env import VecFrameStack

    torch.set_num_threads(1)
    gymnasium.register_envs(ale_py)
    games = make_atari_env("ALE/Pong-v5", ATARI_ENVS, seed=0, env_kwargs={"frameskip": 1})
    model = PPO(
        "CnnPolicy", VecFrameStack(games, 4), n_steps=ATARI_STEPS,
        batch_size=ATARI_ENVS * ATARI_STEPS // ATARI_MINIBATCHES,
        n_epochs=ATARI_EPOCHS, learning_rate=ATARI_RATE, clip_range=ATARI_CLIP, ent_coef=ENTROPY, gae_lambda=LAMBDA,
        seed=0, device="cpu",
    )  # fmt: skip
    start = time.process_time()
    model.learn(iterations * ATARI_ENVS * ATARI_STEPS)
    return time.process_time() - start


TRAIN = {
    ("procgen", "plain"): train_plain,
    ("procgen", "ours"): train_ours,
    ("atari", "sb3"): train_sb3,
    ("atari", "ours"): train_ours_on_atari,
}


def child(case: str, program: str, iterations: int) -> None:
    """Measure one program and print its figures."""
    seconds = TRAIN[case, program](iterations)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"speed": iterations * PER_ITERATION[case] / seconds, "peak": peak}))


def measured(case: str, program: str, iterations: int) -> dict[str, float]:
    """A program's figures, from a process of its own; ours as workers are started."""
    from gtr_bench.schedule.slots import make_slots, worker_environment

    environment = worker_environment(make_slots(device="cpu")[0], 1) if program == "ours" else dict(os.environ)
    command = [sys.executable, __file__, "--child", case, program, "--iterations", str(iterations)]
    output = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment | {"OMP_NUM_THREADS": "1"}
    ).stdout
    found: dict[str, float] = json.loads(output.splitlines()[-1])
    return found


def main() -> None:
    """Parse, measure, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PROGRAMS, nargs="+", default=list(PROGRAMS))
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--iterations", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.child:
        child(*arguments.child, arguments.iterations)
        return
    for case in arguments.only:
        runs: dict[str, list[dict[str, float]]] = {program: [] for program in PROGRAMS[case]}
        for _ in range(arguments.repeats):
            for program, found in runs.items():
                found.append(measured(case, program, arguments.iterations))
        other = PROGRAMS[case][0]
        best = {program: max(run["speed"] for run in found) for program, found in runs.items()}
        print(f"| {case} | steps per CPU second | x {other} | peak memory (MiB) |")
        print("| --- | ---: | ---: | ---: |")
        for program, found in runs.items():
            peak = max(run["peak"] for run in found)
            print(f"| {program} | {best[program]:,.1f} | {best[program] / best[other]:.2f} | {peak:,.0f} |")
        each = ", ".join(f"{b['speed'] / a['speed']:.2f}" for a, b in zip(*runs.values(), strict=True))
        print(
            f"\nratios of neighbours: {each}; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n"
        )


if __name__ == "__main__":
    main()
