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


def evaluation_marks(steps: int, unit: int, every: int) -> list[int]:
    """Steps of a phase at which policies are evaluated, without its end: multiples of `every`, in whole units.

    A unit is a step of all environments, or L of them where a network has memory.

    A mark within half of `every` of the end is left out: the end is a point anyway, and the stretch between would be
    short. The marks do not depend on the length of rollouts, so algorithms of a suite share them.
    """
    return [mark - mark % unit for mark in range(every, steps, every) if 2 * (steps - mark) >= every]


def timeline(
    phases: Sequence[int], num_envs: int, num_steps: int, every: int | None, sequence_length: int = 1
) -> list[Rollout]:
    """Split a sequence into rollouts.

    Args:
        phases: steps of each phase, multiples of `num_envs`.
        num_envs: N.
        num_steps: longest rollout, T.
        every: steps between evaluation marks, counted from each phase's start; None evaluates at phase ends only.
        sequence_length: L of a network with memory; every rollout is a multiple of it.

    Raises:
        RequestError: a phase is not a multiple of `num_envs` times L, marks lie closer than one rollout (or phase), or
            a rollout is shorter than L.
    """
    if num_steps < sequence_length:
        raise RequestError(
            f"num_steps = {num_steps} is shorter than sequence_length = {sequence_length}",
            hint="raise num_steps, or lower sequence_length",
        )
    if every is not None and every < min(num_envs * num_steps, *phases):
        raise RequestError(
            f"evaluation.every = {every} is shorter than one rollout of {num_envs * num_steps} steps",
            hint="evaluate less often, or lower num_steps",
        )
    rollouts = []
    for phase, steps in enumerate(phases):
        unit = num_envs * sequence_length
        if steps % unit or steps < unit:
            raise RequestError(
                f"phase {phase} has {steps} steps, which is not a multiple of num_envs = {num_envs}"
                + (f" times sequence_length = {sequence_length}" if sequence_length > 1 else "")
            )
        whole = steps // unit
        marks = [] if every is None else [mark // unit for mark in evaluation_marks(steps, unit, every)]
        start = 0
        for mark in [*marks, whole]:
            count = -(-(mark - start) // (num_steps // sequence_length))
            lengths = [(mark - start) // count + (index < (mark - start) % count) for index in range(count)]
            for index, length in enumerate(lengths):
                last = index == count - 1
                rollout = Rollout(phase, length * sequence_length, last and mark < whole, last and mark == whole)
                rollouts.append(rollout)
            start = mark
    return rollouts
