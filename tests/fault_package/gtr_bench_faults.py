"""Environments that misbehave on purpose; usable wherever this folder is on PYTHONPATH.

`fault:raise`, `fault:hang`, `fault:nan` and `fault:memory` work for `after` steps of one environment (option, default
20) and then raise, sleep for an hour, return NaN, or raise MemoryError; so do `fault:crash` (SIGSEGV), `fault:exit`
(`sys.exit(75)`), `fault:fork` (leaves a child in a session of its own, which sleeps, and raises) and `fault:leak`
(keeps 50 MB more at every step). `fault:startup` raises when it is built; `fault:none` never misbehaves. The option
`member` restricts the misbehaviour to one member; with `GTR_BENCH_FAULTS=off` there is none. Steps are counted in the
running process, so a worker that continues gets as far again.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from gtr_bench.environments.base import BatchedEnvironment
from gtr_bench.environments.single import Outcome, SingleBatch
from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.errors import UnknownNameError

TASKS = ("crash", "exit", "fork", "hang", "leak", "memory", "none", "nan", "raise", "startup")
EPISODE = 10


class FaultSingle:
    """Four random numbers, two actions, reward 1 per step, episodes of ten steps."""

    spaces = Spaces(ObservationSpace((4,)), ActionSpace("discrete", (2,)), has_success=False)

    def __init__(self, task: str, after: int) -> None:
        if task == "startup":
            raise RuntimeError("the environment refuses to start")
        self._task = "none" if os.environ.get("GTR_BENCH_FAULTS") == "off" else task
        self._kept: list[bytearray] = []
        self._left = after
        self._elapsed = 0
        self._random = np.random.default_rng(0)

    def reset(self, seed: int) -> Any:
        self._elapsed = 0
        self._random = np.random.default_rng(seed)
        return self._random.normal(size=4)

    def step(self, action: Any) -> Outcome:
        self._left -= 1
        self._elapsed += 1
        number = 1.0
        if self._left < 0:
            self._misbehave()
            if self._task == "nan":
                number = float("nan")
        observation = self._random.normal(size=4) * number
        return Outcome(observation, number, self._elapsed >= EPISODE, False, False)

    def _misbehave(self) -> None:
        if self._task == "raise":
            raise ValueError("the floor gave way")
        if self._task == "memory":
            raise MemoryError("no room for the next step")
        if self._task == "hang":
            time.sleep(3600)
        if self._task == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self._task == "exit":
            sys.exit(75)
        if self._task == "leak":
            self._kept.append(bytearray(b"x") * (50 << 20))
        if self._task == "fork":
            if os.fork() == 0:
                os.setsid()
                time.sleep(60)
                os._exit(0)
            raise ValueError("a child is left behind")

    def set_physics(self, factors: Mapping[str, float]) -> None:
        pass

    def close(self) -> None:
        pass


class FaultFamily:
    """The family `fault:`."""

    name = "fault"

    def check(self, task: str) -> None:
        if task not in TASKS:
            raise UnknownNameError("`fault` environment", task, TASKS)

    def packages(self, task: str) -> tuple[str, ...]:
        return ()

    def physics(self, task: str) -> dict[str, str]:
        return {}

    def options(self, task: str) -> tuple[str, ...]:
        return ("after", "member")

    def spaces(self, task: str, options: Mapping[str, Any]) -> Spaces:
        return FaultSingle.spaces

    def make(
        self, task: str, *, members: int, envs: int, max_episode_steps: int | None, options: Mapping[str, Any]
    ) -> BatchedEnvironment:
        self.check(task)
        after, faulty = int(options.get("after", 20)), options.get("member")
        rows = iter(range(members * envs))

        def build() -> FaultSingle:
            affected = faulty is None or next(rows) // envs == faulty
            return FaultSingle(task if affected else "none", after)

        return SingleBatch(f"fault:{task}", members, envs, max_episode_steps, build)
