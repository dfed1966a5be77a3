"""A sequence as a list of rollouts: when to collect how much, when to evaluate, when the world shifts.

Phases and evaluation marks are hit exactly: each stretch between two marks is split into rollouts of equal length
(to within one step) of at most `num_steps`, so no stretch ends in a tiny batch. No torch here: suites are checked with
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gtr_bench.errors import RequestError

__all__ = ["Rollout", "evaluation_marks", "timeline"]


class Rollout(NamedTuple):
    """One iteration: `length` steps in each environment of `phase`, then perhaps an evaluation or the phase's end."""

    phase: int
    length: int
    evaluate: bool
    ends_phase: bool


def evaluation_marks(steps: int, num_envs: int, every: int) -> list[int]:
    """Steps of a phase at which policies are evaluated, without its end: multiples of `every`, in whole vector steps.

    A mark within half of `every` of the end is left out: the end is a point anyway, and the stretch between would be
    short. The marks do not depend on the length of rollouts, so algorithms of a suite share them.
    """
    return [mark - mark % num_envs for mark in range(every, steps, every) if 2 * (steps - mark) >= every]


def timeline(phases: Sequence[int], num_envs: int, num_steps: int, every: int | None) -> list[Rollout]:
    """Split a sequence into rollouts.

    Args:
        phases: steps of each phase, multiples of `num_envs`.
        num_envs: N.
        num_steps: longest rollout, T.
        every: steps between evaluation marks, counted from each phase's start; None evaluates at phase ends only.

    Raises:
        RequestError: a phase is not a multiple of `num_envs`, or marks lie closer than one rollout (or phase).
    """
    if every is not None and every < min(num_envs * num_steps, *phases):
        raise RequestError(
            f"evaluation.every = {every} is shorter than one rollout of {num_envs * num_steps} steps",
            hint="evaluate less often, or lower num_steps",
        )
    rollouts = []
    for phase, steps in enumerate(phases):
        if steps % num_envs or steps < num_envs:
            raise RequestError(f"phase {phase} has {steps} steps, which is not a multiple of num_envs = {num_envs}")
        per_env = steps // num_envs
        marks = [] if every is None else [mark // num_envs for mark in evaluation_marks(steps, num_envs, every)]
        start = 0
        for mark in [*marks, per_env]:
            count = -(-(mark - start) // num_steps)
            lengths = [(mark - start) // count + (index < (mark - start) % count) for index in range(count)]
            for index, length in enumerate(lengths):
                last = index == count - 1
                rollouts.append(Rollout(phase, length, last and mark < per_env, last and mark == per_env))
            start = mark
    return rollouts
