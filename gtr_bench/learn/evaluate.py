"""Evaluate: play whole episodes with the current policies, learning nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from gtr_bench.errors import EnvironmentFault
from gtr_bench.learn.distributions import noise_of, policy_size
from gtr_bench.learn.rollout import blinded
from gtr_bench.networks.torso import Memory

if TYPE_CHECKING:
    from gtr_bench.environments.sequence import SequenceEnvironment
    from gtr_bench.learn.learner import Learner

__all__ = ["Evaluation", "evaluate"]

_LONGEST_EPISODE = 1_000_000  # steps
_NOISE_STEPS = 64  # drawn at once: a draw per member and step costs more than the step
Array = NDArray[np.float64]


class Evaluation(NamedTuple):
    """Of E episodes, `[M]` each; `success_rate` is None where a task has no success flag.

    `achievements` are the shares of episodes that achieved each of the task's; none where it has none.
    """

    return_mean: Array
    return_std: Array
    length_mean: Array
    success_rate: Array | None
    achievements: Mapping[str, Array]


def _generator(seed: int, point: int) -> torch.Generator:
    digest = hashlib.sha256(f"gtr-bench:evaluation:{seed}:{point}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


@torch.inference_mode()
def evaluate(
    learner: Learner,
    environment: SequenceEnvironment,
    phase: int,
    point: int,
    *,
    deterministic: bool,
    progress: float | None,
    pulse: Callable[[], None],
    watch: Callable[[NDArray[Any]], None] | None = None,
) -> Evaluation:
    """One episode in each of the environments `[M, E]`.

    Args:
        learner: whose policies and observation statistics are used, unchanged.
        environment: made with purpose `evaluation`; its E environments are the episodes.
        phase: the world to evaluate in.
        point: number of the evaluation point: separates the random streams of the points.
        deterministic: the mode of the policy instead of a sample.
        progress: where a drifting world stands, in [0, 1]; None for the end of the phase.
        pulse: called at every step.
        watch: called before every step with what the worlds show, `[M, E, *O]`.
    """
    members, episodes = environment.members, environment.envs
    normaliser = learner.observation_normaliser
    generators = [_generator(seed, point) for seed in learner.seeds]
    space = environment.spaces.action
    make, size = noise_of(space), policy_size(space)
    observation = environment.start_phase(phase, stream=point, progress=progress)
    running = np.broadcast_to(~learner.frozen[:, None], (members, episodes)).copy()
    returns, lengths = np.zeros((members, episodes)), np.zeros((members, episodes))
    succeeded = np.zeros((members, episodes), np.bool_)
    names = environment.achievements
    achieved = np.zeros((members, episodes, len(names)), np.bool_)
    block = torch.empty(0)
    carry = learner.model.first_carry(episodes)
    starts = torch.ones(members, episodes, 1, dtype=torch.bool, device=learner.device)
    for taken in range(_LONGEST_EPISODE):
        if not running.any():
            break
        pulse()
        if watch is not None:
            watch(observation)
        if taken % _NOISE_STEPS == 0 and not deterministic:
            drawn = [make((_NOISE_STEPS, episodes, size), generator) for generator in generators]
            block = torch.stack(drawn).to(learner.device)
        seen = blinded(observation if normaliser is None else normaliser(observation), learner.frozen)
        memory = None if carry is None else Memory(carry, starts if taken == 0 else ~starts)
        noise = None if deterministic else block[:, taken % _NOISE_STEPS]
        actions, carry = learner.model.act(torch.from_numpy(seen).to(learner.device), memory, noise)
        step = environment.step(actions.cpu().numpy())
        returns += np.where(running, step.reward, 0)
        lengths += running
        if step.success is not None:
            succeeded |= step.success & running
        if step.achievements is not None:
            achieved |= step.achievements & running[:, :, None]
        running &= ~(step.terminated | step.truncated)
        observation = step.observation
    else:
        raise EnvironmentFault(
            f"an episode did not end within {_LONGEST_EPISODE:,} steps", hint="set `max_episode_steps` in the sequence"
        )
    rate = succeeded.mean(1) if environment.spaces.has_success else None
    achievements = dict(zip(names, achieved.mean(1).T, strict=True))
    return Evaluation(returns.mean(1), returns.std(1), lengths.mean(1), rate, achievements)
