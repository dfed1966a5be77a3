"""Shift kinds: validation, values per member and variant, and what they do to arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from pydantic import ValidationError

from gtr_bench.environments.hashing import mix
from gtr_bench.environments.shift import World
from gtr_bench.environments.shifts import parse_shift, shifts
from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.errors import EnvironmentFault, RequestError, UnknownNameError


def numbers(members: int, size: int, action: ActionSpace) -> World:
    """A world of vectors of `size` numbers."""
    return World(members, Spaces(ObservationSpace((size,)), action))


BOUND = np.array([1.0, 1.0, 0.4], dtype=np.float32)
DISCRETE = numbers(3, 4, ActionSpace("discrete", (2,)))
MULTIPLE = numbers(3, 4, ActionSpace("multi_discrete", (3, 1, 4)))
CONTINUOUS = numbers(3, 4, ActionSpace("continuous", (3,), -BOUND, BOUND))
IMAGES = World(3, Spaces(ObservationSpace((4, 3, 5), "uint8"), ActionSpace("discrete", (2,))))
KEYS = mix(np.array([5, 6, 7], dtype=np.uint64), 0)

EVERY_KIND: list[dict[str, Any]] = [
    {"kind": "observation_offset", "std": 2.0},
    {"kind": "observation_noise", "std": 0.5},
    {"kind": "observation_permutation"},
    {"kind": "observation_mask", "coordinates": [0, 2]},
    {"kind": "action_permutation"},
    {"kind": "reward_scale", "low": 0.1, "high": 10},
    {"kind": "reward_scale", "factors": [1, 0.5, 2]},
    {"kind": "reward_flip"},
    {"kind": "physics", "parameter": "gravity", "low": 0.5, "high": 2.0},
    {"kind": "physics", "parameter": "gravity", "values": [1.0, 2.0]},
]


def test_every_registered_kind_is_in_these_tests() -> None:
    assert {shift["kind"] for shift in EVERY_KIND} | {"task_id"} == set(shifts.names())  # test_task_id.py


@pytest.mark.parametrize("mapping", EVERY_KIND)
def test_a_shift_survives_the_way_through_a_job_definition(mapping: dict[str, Any]) -> None:
    shift = parse_shift(mapping)
    dumped = shift.model_dump(mode="json")
    assert dumped["first_clean"] is True
    assert dumped["cycle"] is None
    assert dumped["mode"] == "abrupt"
    assert parse_shift(dumped) == shift


@pytest.mark.parametrize(
    "mapping",
    [
        {"kind": "observation_offset", "std": 0.0},
        {"kind": "observation_offset", "std": -1.0},
        {"kind": "observation_offset", "std": float("nan")},
        {"kind": "observation_offset", "std": float("inf")},
        {"kind": "observation_offset", "std": "2"},
        {"kind": "observation_offset", "std": True},
        {"kind": "observation_offset"},
        {"kind": "observation_offset", "std": 1.0, "sdt": 1.0},
        {"kind": "observation_permutation", "mode": "drift"},
        {"kind": "action_permutation", "mode": "drift"},
        {"kind": "reward_flip", "mode": "sudden"},
        {"kind": "reward_flip", "cycle": 0},
        {"kind": "reward_scale"},
        {"kind": "reward_scale", "low": 1.0},
        {"kind": "reward_scale", "low": 2.0, "high": 1.0},
        {"kind": "reward_scale", "low": 1.0, "high": 2.0, "factors": [1.0]},
        {"kind": "reward_scale", "factors": []},
        {"kind": "reward_scale", "factors": [1.0, -1.0]},
        {"kind": "reward_scale", "factors": ["1.0"]},
        {"kind": "physics", "low": 1.0, "high": 2.0},
        {"kind": "physics", "parameter": "gravity", "values": [0.0]},
    ],
)
def test_impossible_parameters_are_refused(mapping: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        parse_shift(mapping)


def test_a_drifting_permutation_is_refused_with_a_sentence_that_names_it() -> None:
    with pytest.raises(ValidationError, match="`action_permutation` cannot drift"):
        parse_shift({"kind": "action_permutation", "mode": "drift"})


def test_a_missing_and_an_unknown_kind_are_refused_with_what_there_is() -> None:
    with pytest.raises(RequestError, match="needs a `kind`"):
        parse_shift({"std": 1.0})
    with pytest.raises(UnknownNameError) as caught:
        parse_shift({"kind": "reward_flipp"})
    assert caught.value.hint == "did you mean `reward_flip`?"


@pytest.mark.parametrize("world", [DISCRETE, MULTIPLE, CONTINUOUS])
@pytest.mark.parametrize("mapping", EVERY_KIND)
def test_variant_zero_is_the_unshifted_world_and_the_next_one_is_not(mapping: dict[str, Any], world: World) -> None:
    shift = parse_shift(mapping)
    identity = shift.identity(world)
    assert_array_equal(shift.resolve(KEYS, 0, world), identity)
    for member in range(3):
        assert not np.array_equal(shift.resolve(KEYS, 1, world)[member], identity[member])


@pytest.mark.parametrize("mapping", EVERY_KIND)
def test_a_members_values_do_not_depend_on_the_others(mapping: dict[str, Any]) -> None:
    shift = parse_shift(mapping)
    alone = World(1, CONTINUOUS.spaces)
    assert_array_equal(shift.resolve(KEYS, 1, CONTINUOUS)[1:2], shift.resolve(KEYS[1:2], 1, alone))


def test_drawn_values_differ_between_variants_and_members() -> None:
    shift = parse_shift({"kind": "observation_offset", "std": 2.0})
    first, second = shift.resolve(KEYS, 1, DISCRETE), shift.resolve(KEYS, 2, DISCRETE)
    assert len(np.unique(np.concatenate([first, second]))) == 24


def test_without_first_clean_variant_zero_is_shifted_too() -> None:
    shift = parse_shift({"kind": "observation_offset", "std": 2.0, "first_clean": False})
    assert np.abs(shift.resolve(KEYS, 0, DISCRETE)).min() > 0


def test_offsets_have_the_asked_standard_deviation() -> None:
    world = numbers(1, 20_000, DISCRETE.spaces.action)
    offsets = parse_shift({"kind": "observation_offset", "std": 2.0}).resolve(KEYS[:1], 3, world)
    assert_allclose(offsets.std(), 2.0, rtol=0.03)
    assert_allclose(offsets.mean(), 0.0, atol=0.06)


def test_noise_is_fresh_for_every_key_and_has_the_asked_standard_deviation() -> None:
    shift = parse_shift({"kind": "observation_noise", "std": 0.5})
    world = numbers(3, 1000, DISCRETE.spaces.action)
    clean = np.zeros((3, 8, 1000), dtype=np.float32)
    noisy = shift.change_observation(clean, shift.resolve(KEYS, 1, world), mix(KEYS[:, None], np.arange(8)))
    assert noisy.dtype == np.float32
    assert_allclose(noisy.std(), 0.5, rtol=0.05)
    assert len(np.unique(noisy)) > 0.99 * noisy.size


def test_two_actions_are_swapped() -> None:
    shift = parse_shift({"kind": "action_permutation"})
    values = shift.resolve(KEYS, 1, DISCRETE)
    assert_array_equal(values, [[1, 0]] * 3)
    actions = np.array([[0, 1, 1], [1, 0, 0], [0, 0, 1]])
    assert_array_equal(shift.change_action(actions, values, DISCRETE.spaces.action), 1 - actions)


def test_multi_discrete_choices_are_permuted_within_each_component() -> None:
    shift = parse_shift({"kind": "action_permutation"})
    values = shift.resolve(KEYS, 1, MULTIPLE)
    every = np.stack(np.meshgrid(range(3), range(1), range(4), indexing="ij"), axis=-1).reshape(1, -1, 3)
    changed = shift.change_action(np.tile(every, (3, 1, 1)), values, MULTIPLE.spaces.action)
    for member in range(3):
        assert sorted(map(tuple, changed[member].tolist())) == sorted(map(tuple, every[0].tolist()))
        assert not np.array_equal(changed[member], every[0])
        # The outcome of a component depends on that component alone.
        for component in range(3):
            assert_array_equal(changed[member][:, component], values[member, component][every[0][:, component]])


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(1, 5))
def test_continuous_actions_stay_within_unequal_bounds_and_keep_their_size(seed: int, variant: int) -> None:
    shift = parse_shift({"kind": "action_permutation"})
    values = shift.resolve(mix(seed, np.arange(3)), variant, CONTINUOUS)
    actions = np.random.default_rng(seed).uniform(-1, 1, (3, 5, 3)).astype(np.float32) * BOUND
    changed = shift.change_action(actions, values, CONTINUOUS.spaces.action)
    assert (np.abs(changed) <= BOUND * (1 + 1e-6)).all()
    assert_allclose(np.sort(np.abs(changed / BOUND)), np.sort(np.abs(actions / BOUND)), rtol=1e-5)


def test_a_single_continuous_action_is_turned_around() -> None:
    world = numbers(3, 4, ActionSpace("continuous", (1,), -BOUND[:1], BOUND[:1]))
    shift = parse_shift({"kind": "action_permutation"})
    actions = np.full((3, 2, 1), 0.25, dtype=np.float32)
    assert_allclose(shift.change_action(actions, shift.resolve(KEYS, 1, world), world.spaces.action), -actions)


def test_there_must_be_something_to_permute() -> None:
    one = numbers(3, 1, ActionSpace("discrete", (1,)))
    for kind in ("observation_permutation", "action_permutation"):
        shift = parse_shift({"kind": kind})
        assert (shift.fits(one.spaces) or "").startswith("has nothing to permute: ")
        with pytest.raises(EnvironmentFault, match=f"the shift `{kind}` has nothing to permute"):
            shift.resolve(KEYS, 1, one)


def test_nothing_can_be_added_to_the_bytes_of_an_image() -> None:
    for mapping in ({"kind": "observation_offset", "std": 1.0}, {"kind": "observation_noise", "std": 1.0}):
        shift = parse_shift(mapping)
        assert shift.fits(IMAGES.spaces) == "adds to numbers, which means nothing to an image of 4 x 3 x 5 (uint8)"
        with pytest.raises(EnvironmentFault, match="means nothing to an image"):
            shift.resolve(KEYS, 1, IMAGES)


def test_only_coordinates_of_a_vector_that_exist_can_be_hidden() -> None:
    shift = parse_shift({"kind": "observation_mask", "coordinates": [1, 4]})
    assert shift.fits(DISCRETE.spaces) == "has no coordinate 4 to hide: the observation has 4 numbers, counted from 0"
    assert shift.fits(IMAGES.spaces) == "hides single numbers of a vector, not of an image of 4 x 3 x 5 (uint8)"
    assert shift.fits(numbers(1, 5, DISCRETE.spaces.action).spaces) is None


def test_the_pixels_of_all_channels_of_an_image_move_together() -> None:
    shift = parse_shift({"kind": "observation_permutation"})
    values = shift.resolve(KEYS, 1, IMAGES)
    assert [sorted(row) for row in values.tolist()] == [list(range(15))] * 3
    image = np.random.default_rng(0).integers(0, 256, (3, 2, 4, 3, 5), dtype=np.uint8)
    changed = shift.change_observation(image, values, KEYS[:, None])
    assert changed.dtype == np.uint8
    for member in range(3):
        for channel in range(4):
            assert_array_equal(changed[member, 1, channel].ravel(), image[member, 1, channel].ravel()[values[member]])
    assert_array_equal(shift.change_observation(image, shift.identity(IMAGES), KEYS[:, None]), image)


def test_observations_are_reordered_for_each_member_by_its_own_permutation() -> None:
    shift = parse_shift({"kind": "observation_permutation"})
    values = shift.resolve(KEYS, 1, DISCRETE)
    observation = np.random.default_rng(0).normal(size=(3, 2, 4)).astype(np.float32)
    changed = shift.change_observation(observation, values, KEYS[:, None])
    for member in range(3):
        assert_array_equal(changed[member], observation[member][:, values[member]])


def test_listed_factors_are_used_by_variant_and_their_end_is_reported() -> None:
    shift = parse_shift({"kind": "physics", "parameter": "friction", "values": [0.5, 2.0]})
    assert shift.variants == 2
    assert_array_equal(shift.resolve(KEYS, 0, DISCRETE), [0.5] * 3)
    assert_array_equal(shift.resolve(KEYS, 1, DISCRETE), [2.0] * 3)
    with pytest.raises(EnvironmentFault, match="variant 2 of the shift `physics` does not exist"):
        shift.resolve(KEYS, 2, DISCRETE)


def test_drawn_factors_are_log_uniform_in_their_range() -> None:
    world = numbers(20_000, 1, DISCRETE.spaces.action)
    shift = parse_shift({"kind": "reward_scale", "low": 0.01, "high": 100.0})
    exponents = np.log10(shift.resolve(mix(np.arange(20_000)), 1, world))
    assert exponents.min() >= -2
    assert exponents.max() < 2
    assert_allclose(np.histogram(exponents, bins=4, range=(-2, 2))[0] / 20_000, 0.25, atol=0.02)


def test_flipping_and_scaling_rewards() -> None:
    reward = np.array([[1.0, -2.0], [0.5, 3.0], [0.0, 1.0]])
    flip = parse_shift({"kind": "reward_flip"})
    assert_array_equal(flip.change_reward(reward, flip.resolve(KEYS, 1, DISCRETE)), -reward)
    scale = parse_shift({"kind": "reward_scale", "factors": [1.0, 4.0]})
    assert_array_equal(scale.change_reward(reward, scale.resolve(KEYS, 1, DISCRETE)), 4.0 * reward)
