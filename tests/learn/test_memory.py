"""Learning with memory: units in order, carries stored and reset, values bootstrapped with what was carried."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gtr_bench.learn.clock import Clock
from gtr_bench.learn.estimate import _by_step, _by_unit, estimate
from gtr_bench.learn.experience import Experience
from gtr_bench.learn.learner import Learner
from gtr_bench.learn.training import Training
from gtr_bench.networks.torso import Memory
from tests.learn.helpers import CPU, GRU, make_definition, train

HIDDEN_VELOCITIES = ({"kind": "observation_mask", "coordinates": [1, 3], "first_clean": False},)


def begun(**settings: Any) -> tuple[Learner, Any, Experience, Memory]:
    """A learner with memory after its second rollout: `(learner, trajectory, experience, each sample's memory)`."""
    training = Training([make_definition(seed=seed, network=GRU, **settings) for seed in (0, 1)], CPU)
    learner = training.learner
    training.collector.start_phase(0, None)
    for _ in range(2):
        trajectory = training.collector.collect(
            32, learner.model, learner.carry, learner.generators, None, learner.frozen, Clock(), lambda: None
        )
        before = None if learner.carry is None else learner.carry.clone()
        with torch.no_grad():
            experience, single_steps = estimate(learner, trajectory, 0.0, 0)
    training.close()
    assert before is not None
    assert before.any(), "the second rollout goes on where the first one ended"
    assert single_steps is not None
    return learner, trajectory, experience, single_steps


@pytest.mark.parametrize("length", [1, 2, 3, 6])
def test_units_are_consecutive_steps_of_one_environment(length: int) -> None:
    steps = torch.arange(6).view(1, 6, 1).expand(2, 6, 5)
    envs = torch.arange(5).view(1, 1, 5).expand(2, 6, 5)
    by_unit = [_by_unit(each, length).view(2, -1, length) for each in (steps, envs)]
    assert (by_unit[0].diff(dim=2) == 1).all()
    assert (by_unit[1] == by_unit[1][:, :, :1]).all()
    found = torch.rand(2, 6, 5)
    assert np.array_equal(_by_step(_by_unit(found, length), length, 6), found.numpy())


def test_a_minibatch_takes_whole_units_with_their_memory() -> None:
    _, _, experience, _ = begun()
    assert (experience.length, experience.units, experience.log_probs.shape[1]) == (8, 16, 128)
    batch = experience.take(torch.tensor([[3, 0], [5, 15]]))
    assert batch.memory is not None
    assert experience.memory is not None
    for member, order in enumerate(([3, 0], [5, 15])):
        for place, unit in enumerate(order):
            taken, whole = slice(place * 8, place * 8 + 8), slice(unit * 8, unit * 8 + 8)
            assert torch.equal(batch.observations[member, taken], experience.observations[member, whole])
            assert torch.equal(batch.behaviour.packed[member, taken], experience.behaviour.packed[member, whole])
            assert torch.equal(batch.memory.carry[member, place], experience.memory.carry[member, unit])
            assert torch.equal(batch.memory.starts[member, place], experience.memory.starts[member, unit])


def test_the_policy_remembered_is_the_one_that_acted_and_a_single_step_with_its_memory_says_the_same() -> None:
    learner, _, experience, single_steps = begun(max_episode_steps=11)
    assert experience.memory is not None
    policy, value = learner.model.evaluate(experience.observations, experience.memory)
    torch.testing.assert_close(policy.packed, experience.behaviour.packed, rtol=0, atol=1e-6)
    alone = learner.model.evaluate(experience.observations, single_steps)
    torch.testing.assert_close(alone.policy.packed, policy.packed, rtol=0, atol=1e-6)
    torch.testing.assert_close(alone.value, value, rtol=0, atol=1e-6)


def test_truncated_episodes_bootstrap_with_the_memory_of_their_last_step() -> None:
    """CartPole cut after 5 steps: with lambda 0 the advantage is `1 + gamma V(s_final, carry) - V(s)`."""
    learner, trajectory, experience, single_steps = begun(max_episode_steps=5, gae_lambda=0.0, gamma=0.9)
    cuts = trajectory.cuts
    checked = 0
    for member, step, env, seen_last in zip(cuts.member, cuts.step, cuts.env, cuts.observations, strict=True):

        def place(of: Tensor, m: int = member, t: int = step, n: int = env) -> Tensor:
            return of[m, ((t // 8) * 4 + n) * 8 + t % 8]

        seen, carried = torch.zeros(2, 1, 4), torch.zeros(2, 1, 16)
        seen[member, 0] = place(experience.observations)
        carried[member, 0] = place(single_steps.carry)
        starts = torch.zeros(2, 1, 1, dtype=torch.bool)
        starts[member, 0] = place(single_steps.starts)
        after = learner.model.carries(seen, Memory(carried, starts))[:, :, 0]
        final = torch.zeros(2, 1, 4)
        final[member, 0] = torch.from_numpy(seen_last)
        value = learner.model.value(final, Memory(after, torch.zeros_like(starts)))[member, 0]
        expected = 1 + 0.9 * value - place(experience.values)
        torch.testing.assert_close(place(experience.advantages), expected.detach(), rtol=1e-4, atol=1e-5)
        checked += 1
    assert checked > 40


@pytest.mark.slow
def test_memory_balances_a_cartpole_without_velocities_which_a_memoryless_policy_cannot() -> None:
    settings: dict[str, Any] = {
        "phases": (40_960,), "shifts": HIDDEN_VELOCITIES, "episodes": 20, "evaluate_every": 40_960,
        "num_envs": 8, "num_steps": 128, "epochs": 4, "learning_rate": 1e-3,
    }  # fmt: skip
    gru = GRU | {"hidden": [32], "units": 32, "sequence_length": 16}
    last = {
        name: [
            training.rows_of(member)[0]["return_mean"][-1]
            for training in [train(*(make_definition(seed=seed, **settings, **network) for seed in (0, 1)))]
            for member in (0, 1)
        ]
        for name, network in (("gru", {"network": gru}), ("mlp", {"hidden": (64, 64)}))
    }
    assert max(last["mlp"]) < 80
    assert min(last["gru"]) > 1.4 * max(last["mlp"])
