"""One update: ratios start at 1, losses are the written ones, members stop and freeze alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from gtr_bench.learn.clock import Clock
from gtr_bench.learn.estimate import estimate
from gtr_bench.learn.experience import normalised
from gtr_bench.learn.learner import Learner
from gtr_bench.learn.training import Training
from gtr_bench.learn.update import Update
from tests.learn.helpers import CPU, make_definition

LEARNERS: list[tuple[str, dict[str, Any]]] = [
    ("gym:CartPole-v1", {}),
    ("gym:Pendulum-v1", {"observation_normalisation": True, "reward_normalisation": True}),
    ("gym:Pendulum-v1", {"activation": "relu"}),
]


def begun(*definitions: dict[str, Any]) -> tuple[Training, Learner, Any]:
    """A cohort with one rollout collected and nothing learned: `(training, learner, trajectory)`."""
    training = Training(list(definitions), CPU)
    learner = training.learner
    training.collector.start_phase(0, learner.observation_normaliser)
    trajectory = training.collector.collect(
        32,
        learner.model,
        None,
        learner.generators,
        learner.observation_normaliser,
        learner.frozen,
        Clock(),
        lambda: None,
    )
    training.close()
    return training, learner, trajectory


def experience_of(learner: Learner, trajectory: Any) -> Any:
    with torch.no_grad():
        return estimate(learner, trajectory, 0.0, 0)[0]


def update_of(learner: Learner) -> Update:
    return Update(
        learner.model,
        learner.optimizer,
        learner.algorithm,
        generators=learner.generators,
        rate=1e-3,
        active=torch.ones(learner.members, dtype=torch.bool),
    )


@pytest.mark.parametrize(("environment", "changes"), LEARNERS)
@pytest.mark.parametrize("seeds", [[0], [0, 1, 2]])
def test_every_minibatch_starts_at_ratio_one(environment: str, changes: dict[str, Any], seeds: list[int]) -> None:
    """Otherwise collecting and learning see different policies (algorithms A.2, pitfalls)."""
    _, learner, trajectory = begun(*(make_definition("ppo", environment, seed=seed, **changes) for seed in seeds))
    experience = experience_of(learner, trajectory)
    batch = experience.take(torch.randperm(experience.units)[:50].expand(len(seeds), -1))
    sample = batch.sample(learner.model.policy(batch.observations))
    torch.testing.assert_close(sample.ratio, torch.ones_like(sample.ratio), rtol=0, atol=1e-5)
    # the policy that acted, step by step in small batches, is the one remembered
    acted = learner.model.policy(torch.from_numpy(trajectory.observations[:, 5])).packed
    remembered = experience.behaviour.packed.view(len(seeds), 32, 4, -1)[:, 5]
    torch.testing.assert_close(acted, remembered, rtol=0, atol=1e-5)


def test_value_targets_are_advantages_plus_values() -> None:
    _, learner, trajectory = begun(make_definition())
    experience = experience_of(learner, trajectory)
    torch.testing.assert_close(experience.returns, experience.advantages + experience.values)


def test_truncated_episodes_bootstrap_from_their_final_observation() -> None:
    """CartPole cut after 5 steps: with lambda 0 the advantage is `1 + gamma V(s_final) - V(s)`."""
    _, learner, trajectory = begun(make_definition(max_episode_steps=5, gae_lambda=0.0, gamma=0.9))
    experience = experience_of(learner, trajectory)
    cut = trajectory.truncated[0] & ~trajectory.terminated[0]
    assert cut.sum() == 4 * 6
    assert cut[4].all()
    first = trajectory.cuts.step == 4
    assert trajectory.cuts.env[first].tolist() == [0, 1, 2, 3]
    final = learner.model.value(torch.from_numpy(trajectory.cuts.observations[first][None])).detach()
    own = experience.values.view(1, 32, 4)[:, 4]
    torch.testing.assert_close(experience.advantages.view(1, 32, 4)[:, 4], 1 + 0.9 * final - own)


def test_the_last_step_bootstraps_from_what_comes_next() -> None:
    _, learner, trajectory = begun(make_definition(gae_lambda=0.0, gamma=0.9))
    experience = experience_of(learner, trajectory)
    following = learner.model.value(torch.from_numpy(trajectory.last_observation)).detach()
    running = torch.from_numpy(~(trajectory.terminated | trajectory.truncated)[:, -1])
    expected = 1 + 0.9 * following - experience.values.view(1, 32, 4)[:, -1]
    torch.testing.assert_close(experience.advantages.view(1, 32, 4)[:, -1][running], expected[running])


@pytest.mark.parametrize(
    ("changes", "factor", "clipped"),
    [({}, 0.5, False), ({"value_loss": "mse"}, 1.0, False), ({"value_clip_range": 0.05}, 0.5, True)],
)
def test_losses_are_the_written_ones(changes: dict[str, Any], factor: float, clipped: bool) -> None:
    settings = {"entropy_coefficient": 0.01, "value_coefficient": 0.7} | changes
    _, learner, trajectory = begun(make_definition(**settings))
    experience = experience_of(learner, trajectory)
    batch = replace(experience, values=experience.values + 0.1)
    learner.model.data.add_(0.01 * torch.randn(learner.model.data.shape, generator=torch.Generator().manual_seed(0)))
    sample = batch.sample(learner.model.policy(batch.observations))
    found = learner.algorithm.loss(update_of(learner), batch)

    ratio, advantage = sample.ratio, batch.advantages
    policy = -torch.minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).mean()
    value, target, old = learner.model.value(batch.observations), batch.returns, batch.values
    error = (value - target) ** 2
    if clipped:
        error = torch.maximum(error, (old + (value - old).clamp(-0.05, 0.05) - target) ** 2)
    total = policy + 0.7 * factor * error.mean() - 0.01 * sample.policy.entropy().mean()
    torch.testing.assert_close(found.policy.squeeze(), policy)
    torch.testing.assert_close(found.value.squeeze(), factor * error.mean())
    torch.testing.assert_close(found.total.squeeze(), total)


def test_normalised_advantages_use_the_sample_deviation_of_each_member() -> None:
    advantages = (
        torch.randn(3, 20, generator=torch.Generator().manual_seed(0)) * torch.tensor([[1.0], [9.0], [0.1]]) + 4
    )
    expected = torch.stack([(row - row.mean()) / (row.std() + 1e-8) for row in advantages])
    torch.testing.assert_close(normalised(advantages), expected)
    assert normalised(torch.tensor([[3.0]])).item() == 0


@pytest.mark.parametrize("algorithm", ["ppo", "ppo_kl", "gtr"])
def test_the_exact_kl_is_from_the_policy_before_to_the_policy_after(algorithm: str) -> None:
    """Widths included: a Gaussian policy's deviations move too."""
    _, learner, trajectory = begun(make_definition(algorithm, "gym:Pendulum-v1", learning_rate=1e-2))
    observations = torch.from_numpy(trajectory.observations).flatten(1, 2)
    policy = learner.model.policy(observations)
    before = policy.like(policy.packed.detach())
    found = learner.learn(trajectory, 0.0, 0, Clock())
    after = learner.model.policy(observations)
    assert not torch.equal(before.packed[..., 1], after.packed[..., 1])
    torch.testing.assert_close(found["exact_kl"], before.kl(after).mean(1), rtol=1e-3, atol=1e-7)


def test_the_penalty_does_not_move_the_policy_it_is_measured_from() -> None:
    """At the behaviour policy the KL is flat: its gradient is zero, in the deviations as well."""
    _, learner, trajectory = begun(make_definition("ppo_kl", "gym:Pendulum-v1"))
    experience = experience_of(learner, trajectory)
    assert not experience.behaviour.packed.requires_grad
    sample = experience.sample(learner.model.policy(experience.observations))
    (slope,) = torch.autograd.grad(learner.algorithm.objective(sample)[1].sum(), learner.model.log_std)
    torch.testing.assert_close(slope, torch.zeros_like(slope), rtol=0, atol=1e-4)


def test_inactive_members_keep_their_parameters() -> None:
    _, learner, trajectory = begun(make_definition(seed=0), make_definition(seed=1))
    before = learner.model.data.clone()
    learner.frozen = np.array([False, True])
    learner.learn(trajectory, 0.0, 0, Clock())
    assert not torch.equal(learner.model.data[0], before[0])
    assert torch.equal(learner.model.data[1], before[1])


def test_target_kl_ends_a_members_updates() -> None:
    """A tiny target allows the first step, whose ratio is 1, and few more."""
    reached = []
    for target in (1e-7, None):
        _, learner, trajectory = begun(make_definition(target_kl=target, learning_rate=1e-2, epochs=10))
        reached.append(float(learner.learn(trajectory, 0.0, 0, Clock())["exact_kl"]))
    assert 0 < reached[0] < 0.2 * reached[1]


@pytest.mark.parametrize("kind", ["minibatch", "batch", "none"])
def test_advantage_normalisation_makes_learning_blind_to_the_rewards_scale_or_not(kind: str) -> None:
    found = []
    for factor in (1.0, 100.0):
        definition = make_definition(advantage_normalisation=kind, value_coefficient=0.0, max_grad_norm=0.0)
        _, learner, trajectory = begun(definition)
        learner.model.value_head.weight.data.zero_()
        trajectory.rewards = trajectory.rewards * factor
        found.append(float(learner.learn(trajectory, 0.0, 0, Clock())["grad_norm"]))
    ratio = found[1] / found[0]
    assert ratio == pytest.approx(1.0, rel=1e-2) if kind != "none" else ratio > 20


def test_the_linear_schedule_ends_at_zero() -> None:
    rates = []
    for progress in (0.0, 0.25, 0.75):
        _, learner, trajectory = begun(make_definition(learning_rate_schedule="linear", learning_rate=1e-3))
        rates.append(float(learner.learn(trajectory, progress, 0, Clock())["learning_rate"]))
    assert rates == pytest.approx([1e-3, 7.5e-4, 2.5e-4])
