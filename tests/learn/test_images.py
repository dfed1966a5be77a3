"""Images from bytes to learning: what is stored, what a limit bootstraps from, resuming, and that it learns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gtr_bench.learn.clock import Clock
from gtr_bench.learn.estimate import estimate
from gtr_bench.learn.training import Training
from gtr_bench.networks.conv import ConvParameters
from tests.learn.helpers import CPU, assert_same_rows, make_definition, train
from tests.learn.test_resume import assert_same_training, continued

pytest.importorskip("minatar")


def definition(task: str = "breakout", seed: int = 0, network: dict[str, Any] | None = None, **settings: Any) -> Any:
    """PPO on a game with a small torso."""
    shape = ConvParameters(**({"channels": (4,), "hidden": (16,)} if network is None else network))
    conv = {"torso": "conv", "version": 1, **shape.model_dump(mode="json")}
    return make_definition("ppo", f"minatar:{task}", seed=seed, network=conv, **settings)


def collected(training: Training, steps: int) -> Any:
    """A rollout that nothing is learned from."""
    learner = training.learner
    training.collector.start_phase(0, None)
    return training.collector.collect(
        steps, learner.model, None, learner.generators, None, learner.frozen, Clock(), lambda: None
    )


def test_images_stay_bytes_until_the_network_reads_them() -> None:
    training = Training([definition(max_episode_steps=5, seed=seed) for seed in (0, 1)], CPU)
    trajectory = collected(training, 12)
    for array, shape in ((trajectory.observations, (2, 12, 4)), (trajectory.last_observation, (2, 4))):
        assert array.dtype == np.uint8
        assert array.shape == (*shape, 4, 10, 10)
    assert trajectory.cuts.observations.dtype == np.uint8
    assert trajectory.finite.all()
    with torch.no_grad():
        experience = estimate(training.learner, trajectory, 0.0, 0)[0]
    assert experience.observations.dtype == torch.uint8


def test_an_episode_cut_by_a_limit_bootstraps_from_its_last_image() -> None:
    """With lambda 0 the advantage is `r + gamma V(last image) - V(s)` where cut, `r - V(s)` where the ball was lost."""
    training = Training([definition(max_episode_steps=9, gae_lambda=0.0, gamma=0.9, seed=s) for s in (0, 1)], CPU)
    trajectory = collected(training, 30)
    learner, cuts = training.learner, trajectory.cuts
    with torch.no_grad():
        experience = estimate(learner, trajectory, 0.0, 0)[0]
        values = experience.values.view(2, 30, 4).numpy()
        advantages = experience.advantages.view(2, 30, 4).numpy()
        for place in zip(cuts.member, cuts.step, cuts.env, cuts.observations, strict=True):
            member, step, env, image = place
            every = torch.from_numpy(np.stack([image, image])[:, None])  # one image for both members
            final = float(learner.model.value(every)[member, 0])
            expected = trajectory.rewards[member, step, env] + 0.9 * final - values[member, step, env]
            assert advantages[member, step, env] == pytest.approx(expected, abs=1e-5)
    cut = trajectory.truncated & ~trajectory.terminated
    assert sorted(zip(*np.nonzero(cut), strict=True)) == sorted(zip(cuts.member, cuts.step, cuts.env, strict=True))
    assert len(cuts.member) > 4
    lost = trajectory.terminated
    assert lost.any()
    np.testing.assert_allclose(advantages[lost], trajectory.rewards[lost] - values[lost], atol=1e-5)


def test_a_diverged_member_sees_black_images_and_the_other_does_not_notice() -> None:
    training = Training([definition(seed=seed) for seed in (0, 1)], CPU)
    training.learner.frozen = np.array([False, True])
    trajectory = collected(training, 6)
    assert not trajectory.observations[1].any()
    assert trajectory.observations[0].any(axis=(-1, -2, -3)).all()


def test_a_cohort_of_images_continues_exactly_from_checkpoints(tmp_path: Path) -> None:
    definitions = [
        definition("asterix", seed, phases=(256, 256), shifts=({"kind": "observation_permutation"},), episodes=2)
        for seed in (0, 1)
    ]
    for one in definitions:
        one["sequence"]["max_episode_steps"] = 60
    whole = train(*definitions)
    assert_same_training(continued(definitions, [1, 2, 3], tmp_path), whole)


def test_a_member_learns_the_same_alone_and_in_a_cohort() -> None:
    """To rounding: linear layers multiply the cohort's matrices in one operation."""
    together, alone = train(*(definition(seed=seed) for seed in (0, 1, 2))), train(definition(seed=1))
    for left, right in zip(together.rows_of(1), alone.rows_of(0), strict=True):
        left.pop("point", None), right.pop("point", None)
        assert_same_rows(left, right, relative=1e-3, absolute=1e-4, rows=2)


@pytest.mark.slow
def test_ppo_learns_breakout_from_images() -> None:
    """A small torso, 30,720 steps: at first 0.3 bricks an episode, in the end between 2 and 3."""
    training = train(
        definition(
            network={"channels": (8,), "hidden": (64,)}, phases=(30_720,), evaluate_every=30_720, episodes=20,
            max_episode_steps=1000, options={"minimal_actions": True}, num_envs=16, num_steps=64, epochs=3,
            learning_rate=2e-3, entropy_coefficient=0.01,
        )
    )  # fmt: skip
    evaluations, iterations = training.rows_of(0)
    assert evaluations["return_mean"][-1] > evaluations["return_mean"][0] + 1
    assert iterations["dormant_fraction"][0] < 0.5
    assert iterations["feature_rank"][0] > 5


@pytest.mark.parametrize("torso", ["conv", "impala_cnn"])
def test_a_shared_torso_tells_policies_and_values_while_it_acts(torso: str) -> None:
    """They are those of the network on the stored images, and learning continues from them."""
    sizes: dict[str, Any] = {
        "conv": {"channels": [4], "hidden": [16]},
        "impala_cnn": {"channels": [4, 4], "hidden": 16},
    }
    network = {"torso": torso, "version": 1, "shared": True, **sizes[torso]}
    definitions = [make_definition("ppo", "minatar:breakout", seed=seed, network=network) for seed in (0, 1)]
    training = Training(definitions, CPU)
    trajectory = collected(training, 12)
    with torch.no_grad():
        experience = estimate(training.learner, trajectory, 0.0, 0)[0]
        policy, value = training.learner.model.evaluate(experience.observations)
    torch.testing.assert_close(experience.behaviour.packed, policy.packed, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(experience.values, value, rtol=1e-4, atol=1e-5)
    assert trajectory.told.shape == (2, 12, 4, policy.packed.shape[-1] + 1)


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["gtr", "trpo"])
def test_every_kind_of_update_learns_with_impalas_torso_alone_as_in_a_cohort(algorithm: str) -> None:
    network = {"torso": "impala_cnn", "version": 1, "channels": [4], "hidden": 8}

    def of(seed: int) -> Any:
        return make_definition(algorithm, "minatar:breakout", seed=seed, network=network)

    together, alone = train(*(of(seed) for seed in (0, 1))), train(of(1))
    for left, right in zip(together.rows_of(1), alone.rows_of(0), strict=True):
        left.pop("point", None), right.pop("point", None)
        assert_same_rows(left, right, relative=1e-3, absolute=1e-4, rows=2)
