"""PPO on CartPole by hand, in plain torch: `python examples/ppo_by_hand.py --seed 0 --steps 40000`

A job of the algorithm `ppo` with these settings, those of the suite `quickstart`, learns the same: both draw from the
same random streams in the same order. Actions are equal and parameters differ by float32 rounding, which learning
magnifies until, many updates later, an action differs. A rollout is T steps in N environments, B = T x N samples.
"""

import argparse
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor, nn

# Gymnasium's own CartPole is seeded otherwise: of gtr-bench only the world is used, whose episodes follow from hashes
# of a job's seed.
from gtr_bench.environments.sequence import SequenceEnvironment
from gtr_bench.suite.seeds import derive_seeds

ENVS, STEPS, EPOCHS, MINIBATCHES = 8, 128, 4, 4  # N and the longest T
LEARNING_RATE, ADAM_EPSILON, MAX_GRADIENT = 1e-3, 1e-5, 0.5
GAMMA, LAMBDA = 0.99, 0.95
CLIP, VALUE_COEFFICIENT, ENTROPY_COEFFICIENT = 0.2, 0.5, 0.01


class Agent(nn.Module):
    """Actor and critic, two hidden layers of 64 tanh units each; orthogonal weights, zero biases."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()

        def layer(inputs: int, outputs: int, gain: float) -> nn.Linear:
            linear = nn.Linear(inputs, outputs)
            nn.init.orthogonal_(linear.weight, gain, generator=generator)
            nn.init.zeros_(linear.bias)
            return linear

        self.actor = nn.Sequential(layer(4, 64, 2**0.5), nn.Tanh(), layer(64, 64, 2**0.5), nn.Tanh())
        self.critic = nn.Sequential(layer(4, 64, 2**0.5), nn.Tanh(), layer(64, 64, 2**0.5), nn.Tanh())
        self.actor.append(layer(64, 2, 0.01))  # small logits: the first policy is nearly uniform
        self.critic.append(layer(64, 1, 1.0))

    def log_policy(self, observations: Tensor) -> Tensor:
        """`log pi(a|s)` of both actions, `[..., 2]`."""
        return self.actor(observations).log_softmax(-1)

    def value(self, observations: Tensor) -> Tensor:
        """`V(s)`, `[...]`."""
        return self.critic(observations).squeeze(-1)


class Rollout(NamedTuple):
    """Samples `[T, N, ...]`; `following` is the state a step led to, also where it ended an episode."""

    observations: Tensor
    actions: Tensor
    rewards: Tensor
    terminated: Tensor  # the pole fell
    ended: Tensor  # it fell, or the time limit cut the episode
    following: Tensor
    last: Tensor  # seen after the rollout, `[N, 4]`


@torch.no_grad()
def collect(world: SequenceEnvironment, agent: Agent, seen: Tensor, length: int, generator: Generator) -> Rollout:
    """Act `length` times, from the observations `seen` `[N, 4]` on; where an episode ends, the next one starts."""
    noise = -torch.empty(length, ENVS, 2).exponential_(generator=generator).log()  # Gumbel
    samples = []
    for t in range(length):
        action = (agent.log_policy(seen) + noise[t]).argmax(-1)  # a sample of the policy
        step = world.step(action[None].numpy())  # the first axis of the world counts the members of a cohort: one
        ended, following = step.terminated | step.truncated, step.observation.copy()
        if step.finals is not None:
            following[0, step.finals.rows] = step.finals.observations
        arrays = (step.reward.astype(np.float32), step.terminated, ended, following)
        samples.append((seen, action, *(torch.from_numpy(array[0]) for array in arrays)))
        seen = torch.from_numpy(step.observation[0])
    return Rollout(*map(torch.stack, zip(*samples, strict=True)), seen)


def advantages_of(rollout: Rollout, values: Tensor, following: Tensor) -> Tensor:
    """Generalised advantages from `V(s)` and `V(s')`, all `[T, N]`.

    After a fall nothing follows. A time limit is no fall: the state it cut keeps its value, only the sum ends there.
    """
    delta = rollout.rewards + GAMMA * following * ~rollout.terminated - values
    keep = GAMMA * LAMBDA * ~rollout.ended
    advantages, running = torch.empty_like(delta), torch.zeros(ENVS)
    for t in reversed(range(len(delta))):
        running = delta[t] + keep[t] * running
        advantages[t] = running
    return advantages


def improve(agent: Agent, adam: torch.optim.Adam, rollout: Rollout, generator: Generator) -> None:
    """Epochs of minibatch steps that maximise `min(r A, clip(r, 1 - eps, 1 + eps) A)` (Schulman et al. 2017)."""
    observations, actions = rollout.observations.flatten(0, 1), rollout.actions.flatten().unsqueeze(1)
    with torch.no_grad():
        values, following = agent.value(rollout.observations), agent.value(rollout.following)
        advantages = advantages_of(rollout, values, following).flatten()
        returns = values.flatten() + advantages
        old = agent.log_policy(observations).gather(1, actions).squeeze(1)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(returns), generator=generator).chunk(MINIBATCHES):
            advantage = (advantages[rows] - advantages[rows].mean()) / (advantages[rows].std() + 1e-8)
            log_policy = agent.log_policy(observations[rows])
            ratio = (log_policy.gather(1, actions[rows]).squeeze(1) - old[rows]).exp()
            objective = torch.minimum(ratio * advantage, ratio.clamp(1 - CLIP, 1 + CLIP) * advantage).mean()
            error = 0.5 * (agent.value(observations[rows]) - returns[rows]).square().mean()
            entropy = -(log_policy.exp() * log_policy).sum(1).mean()
            adam.zero_grad()
            (VALUE_COEFFICIENT * error - objective - ENTROPY_COEFFICIENT * entropy).backward()
            nn.utils.clip_grad_norm_(agent.parameters(), MAX_GRADIENT)
            adam.step()


def train(seed: int, steps: int, limit: int = 500) -> Iterator[tuple[int, Agent, Rollout]]:
    """After each update: the steps so far, the agent, the rollout it learned from; episodes last `limit` at most."""
    phase = {"environment": "gym:CartPole-v1", "options": {}, "steps": steps, "variant": 0}
    sequence = {"phases": [phase], "shifts": [], "max_episode_steps": limit}
    learner, environment, shift = derive_seeds({"seed": seed, "algorithm": {"name": "ppo"}, "sequence": sequence})
    world = SequenceEnvironment(
        sequence, members=1, envs=ENVS, environment_seeds=[environment], shift_seeds=[shift], purpose="training"
    )
    generator = Generator().manual_seed(learner)  # of the weights, the actions and the minibatches
    agent = Agent(generator)
    adam = torch.optim.Adam(agent.parameters(), LEARNING_RATE, eps=ADAM_EPSILON)
    seen, done, total = torch.from_numpy(world.start_phase(0)[0]), 0, steps // ENVS
    count = -(-total // STEPS)
    for index in range(count):  # rollouts of equal length, to within one step
        rollout = collect(world, agent, seen, total // count + (index < total % count), generator)
        improve(agent, adam, rollout, generator)
        seen, done = rollout.last, done + rollout.actions.numel()
        yield done, agent, rollout


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="PPO on CartPole by hand.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=40_000)
    options, score, scores = parser.parse_args(), torch.zeros(ENVS), []
    for number, (done, _, rollout) in enumerate(train(options.seed, options.steps), 1):
        for reward, ended in zip(rollout.rewards, rollout.ended, strict=True):
            score += reward
            scores += score[ended].tolist()
            score[ended] = 0
        if number % 5 == 0 and scores:
            print(f"{done:7,} steps: mean return {np.mean(scores):5.1f} of {len(scores)} episodes", flush=True)
            scores = []
