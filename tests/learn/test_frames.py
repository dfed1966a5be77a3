"""Stacks of frames stored frame by frame: every stack comes back to the byte, and learning does not notice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gtr_bench.environments.spaces import ObservationSpace
from gtr_bench.learn import rollout
from gtr_bench.learn.estimate import estimate
from gtr_bench.learn.frames import FrameStore, Stacks, WholeStore, store_of
from gtr_bench.learn.training import Training
from tests.learn.helpers import CPU, make_definition
from tests.learn.test_images import collected
from tests.learn.test_resume import assert_same_training, continued

SPACE = ObservationSpace((6, 5, 4), "uint8", frames=3)  # frames of two channels
NATURE = {"torso": "nature_cnn", "version": 1, "channels": (4, 4, 4), "hidden": (8,), "pixels": "byte"}


def stacks(padding: str, steps: int, members: int = 2, envs: int = 3) -> NDArray[np.uint8]:
    """Steps `[T, M, N, *O]` of episodes that end by chance and begin with black frames or copies of the first one."""
    random = np.random.default_rng(0)
    found = np.zeros((steps, members, envs, 3, 2, 5, 4), np.uint8)
    for t in range(steps):
        newest = random.integers(0, 256, (members, envs, 2, 5, 4))
        starts = random.random((members, envs)) < (0.2 if t else 1)
        padded = newest if padding == "copies" else np.zeros_like(newest)
        found[t, :, :, :-1] = np.where(starts[..., None, None, None, None], padded[:, :, None], found[t - 1, :, :, 1:])
        found[t, :, :, -1] = newest
    return found.reshape(steps, members, envs, *SPACE.shape)


def stored(observations: NDArray[np.uint8]) -> Stacks:
    store = FrameStore(SPACE, *observations.shape[1:2], len(observations), observations.shape[2])
    for t, observation in enumerate(observations):
        store.put(t, observation)
        observation[:] = 77  # what an environment does with its array afterwards is its own affair
    return store.stored()


@pytest.mark.parametrize("padding", ["black", "copies"])
def test_every_stack_comes_back_whatever_an_episode_begins_with(padding: str) -> None:
    observations = stacks(padding, 50)
    found = stored(observations.copy())
    assert found.shape == (2, 50, 3, *SPACE.shape)
    np.testing.assert_array_equal(found.assembled().numpy(), observations.swapaxes(0, 1))


def test_a_frame_is_stored_once_and_the_stack_an_episode_begins_with_whole() -> None:
    observations = stacks("black", 50)
    goes_on = (observations[1:, :, :, :-2] == observations[:-1, :, :, 2:]).all((3, 4, 5))
    found = stored(observations.copy())
    assert len(found.frames) == 2 * 3 * 3 + goes_on.sum() + 3 * (~goes_on).sum()
    assert 0 < (~goes_on).sum() < 100


def test_stacks_that_change_throughout_come_back_too() -> None:
    """Such as a world that shifts what is seen at every step: they take their whole room."""
    observations = np.random.default_rng(0).integers(0, 256, (20, 2, 3, *SPACE.shape), np.uint8)
    found = stored(observations.copy())
    assert len(found.frames) == 20 * 2 * 3 * 3
    np.testing.assert_array_equal(found.assembled().numpy(), observations.swapaxes(0, 1))


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        (SPACE, FrameStore),
        (ObservationSpace((3, 5, 4), "uint8"), WholeStore),
        (ObservationSpace((6, 5, 4), "float32", frames=3), WholeStore),
        (ObservationSpace((4,)), WholeStore),
    ],
)
def test_what_is_no_stack_of_bytes_is_stored_as_it_is(space: ObservationSpace, expected: type) -> None:
    assert type(store_of(space, 1, 2, 3)) is expected


def game(algorithm: str = "ppo", seed: int = 0, **settings: Any) -> Any:
    """Breakout whose episodes end with lives and with a limit."""
    small = {"phases": (128, 64), "num_envs": 2, "num_minibatches": 3, "max_episode_steps": 50}
    return make_definition(algorithm, "atari:Breakout", seed=seed, network=NATURE, **(small | settings))


def trained(definitions: list[Any]) -> Training:
    training = Training(definitions, CPU)
    training.run(lambda: True)
    return training


def test_a_minibatch_and_a_chunk_hold_the_stacks_of_their_samples() -> None:
    pytest.importorskip("ale_py")
    training = Training([game(seed=seed) for seed in (0, 1)], CPU)
    trajectory = collected(training, 60)
    assert isinstance(trajectory.observations, Stacks)
    whole = trajectory.observations.assembled().flatten(1, 2)
    with torch.no_grad():
        experience = estimate(training.learner, trajectory, 0.0, 0)[0]
    assert torch.equal(experience.observations, whole)
    order = torch.stack([torch.randperm(120)[:7] for _ in range(2)])
    batch = experience.take(order)
    for member in (0, 1):
        assert torch.equal(batch.observations[member], whole[member, order[member]])


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["ppo", "trpo"])
def test_learning_from_frames_stored_once_is_learning_from_whole_stacks(
    algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the bit: TRPO reads the whole rollout, ReDo too, and a permutation changes the pixels after the shift."""
    pytest.importorskip("ale_py")
    shifts = ({"kind": "observation_permutation"},)
    one = [game(algorithm, seed, shifts=shifts, plasticity={"redo": {"period": 1}}) for seed in (0, 1)]
    once = trained(one)
    monkeypatch.setattr(rollout, "store_of", WholeStore)
    assert_same_training(once, trained(one))


@pytest.mark.slow
def test_a_cohort_of_stacks_continues_exactly_from_checkpoints(tmp_path: Path) -> None:
    """In the middle of episodes: the stacks of the next rollout reach back into the one before the checkpoint."""
    pytest.importorskip("ale_py")
    definitions = [game(seed=seed) for seed in (0, 1)]
    assert_same_training(continued(definitions, [1, 2, 3], tmp_path), trained(definitions))
