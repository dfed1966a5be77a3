"""Phases, shifts composed and drifting, seeds, streams and exact resume of a sequence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gtr_bench.environments.base import Transition
from gtr_bench.environments.classic import CLASSIC_CONTROL
from gtr_bench.environments.gymnasium_family import GymnasiumFamily
from gtr_bench.environments.sequence import SequenceEnvironment
from gtr_bench.errors import EnvironmentFault, UnknownNameError
from tests.environments.helpers import assert_same

STEPS = 400
LEFT = np.zeros((2, 4), dtype=np.int64)

EVERYTHING: list[dict[str, Any]] = [
    {"kind": "physics", "parameter": "gravity", "low": 0.5, "high": 2.0, "mode": "drift"},
    {"kind": "action_permutation"},
    {"kind": "observation_offset", "std": 2.0, "mode": "drift"},
    {"kind": "observation_noise", "std": 0.1},
    {"kind": "observation_permutation"},
    {"kind": "reward_scale", "low": 0.1, "high": 10.0, "mode": "drift"},
    {"kind": "reward_flip"},
]


def phase(variant: int = 0, environment: str = "gym:CartPole-v1", steps: int = STEPS) -> dict[str, Any]:
    return {"environment": environment, "options": {}, "steps": steps, "variant": variant}


def world(phases: list[dict[str, Any]], shifts: list[dict[str, Any]] | None = None, **changes: Any) -> Any:
    limit = changes.pop("max_episode_steps", None)
    arguments: dict[str, Any] = {
        "members": 2,
        "envs": 4,
        "environment_seeds": [11, 2**64 - 1],
        "shift_seeds": [5, 6],
        "purpose": "training",
    }
    sequence = {"phases": phases, "shifts": shifts or [], "max_episode_steps": limit}
    return SequenceEnvironment(sequence, **(arguments | changes))


def choose(environment: Any, step: int) -> Any:
    random = np.random.default_rng(step)
    return random.integers(0, environment.spaces.action.sizes[0], (environment.members, environment.envs))


def finals_of(transition: Transition) -> Any:
    """The last observations [M, N, *O] where an episode ended, zeros elsewhere."""
    assert transition.finals is not None
    result = np.zeros_like(transition.observation)
    result.reshape(-1, *result.shape[2:])[transition.finals.rows] = transition.finals.observations
    return result


def test_without_shifts_it_is_the_environment_itself() -> None:
    environment = world([phase()])
    observation = environment.start_phase(0)
    assert (environment.phases, environment.spaces.has_success) == (1, False)
    assert environment.spaces.observation.shape == (4,)
    assert environment.spaces.action.sizes == (2,)
    assert observation.shape == (2, 4, 4)
    assert np.abs(observation).max() <= 0.05
    assert (environment.step(LEFT).reward == 1.0).all()


def test_equal_arguments_give_equal_streams() -> None:
    first, second = (world([phase(), phase(1)], EVERYTHING) for _ in range(2))
    for number in (0, 1):
        assert_array_equal(first.start_phase(number), second.start_phase(number))
        for step in range(60):
            assert_same(first.step(choose(first, step)), second.step(choose(second, step)))


def test_the_values_of_a_shift_are_those_of_the_phases_environment_wherever_it_stands() -> None:
    shift: list[dict[str, Any]] = [{"kind": "physics", "parameter": "gravity", "low": 0.5, "high": 2.0}]
    cart, pendulum = phase(1), phase(1, "gym:Pendulum-v1")
    values = []
    for described in (cart, pendulum):
        environment = world([described], shift)
        environment.start_phase(0)
        values.append(environment.values()[0][1])
    assert not np.isin(values[0], values[1]).any()
    later = world([phase(0), cart], shift)
    later.start_phase(1)
    assert_array_equal(later.values()[0][1], values[0])


def test_phases_streams_purposes_and_members_have_different_episodes() -> None:
    training, evaluation = world([phase(), phase()]), world([phase(), phase()], purpose="evaluation")
    starts = [
        training.start_phase(0),
        training.start_phase(1),
        training.start_phase(0, 1),
        evaluation.start_phase(0),
        evaluation.start_phase(0, 7),
    ]
    together = np.concatenate(starts).reshape(-1, 4)
    assert len(np.unique(together, axis=0)) == len(together)


@pytest.mark.parametrize("number", [0, 1])
def test_a_member_meets_the_same_world_alone_and_among_others(number: int) -> None:
    phases = [phase(), phase(1)]
    many = world(phases, EVERYTHING)
    alone = world(phases, EVERYTHING, members=1, environment_seeds=[2**64 - 1], shift_seeds=[6])
    assert_array_equal(many.start_phase(number)[1:], alone.start_phase(number))
    for step in range(120):
        actions = choose(many, step)
        first, second = many.step(actions), alone.step(actions[1:])
        assert_array_equal(first.observation[1:], second.observation)
        assert_array_equal(first.reward[1:], second.reward)
        if second.finals is not None:
            assert first.finals is not None
            assert_array_equal(finals_of(first)[1], finals_of(second)[0])


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_saved_state_continues_bit_for_bit_with_every_shift(number: int) -> None:
    phases = [phase(), phase(1), phase(2)]
    first, second = world(phases, EVERYTHING), world(phases, EVERYTHING)
    first.start_phase(number, 3)
    for step in range(37):
        first.step(choose(first, step))
    second.load_state(first.state())
    for step in range(37, 150):
        assert_same(first.step(choose(first, step)), second.step(choose(second, step)))
    assert_array_equal(first.start_phase(0), second.start_phase(0))


def test_an_offset_is_constant_over_the_phase_and_also_in_final_observations() -> None:
    plain = world([phase(), phase(1)], max_episode_steps=7)
    shifted = world([phase(), phase(1)], [{"kind": "observation_offset", "std": 2.0}], max_episode_steps=7)
    offset = shifted.start_phase(1) - plain.start_phase(1)
    assert np.ptp(offset, axis=1).max() < 1e-6
    for _ in range(20):
        first, second = plain.step(LEFT), shifted.step(LEFT)
        assert_allclose(second.observation - first.observation, offset, atol=1e-5)
        if first.finals is not None:
            assert_allclose(finals_of(second) - finals_of(first), offset, atol=1e-5)
    assert_array_equal(plain.start_phase(0), shifted.start_phase(0))


def test_shifts_act_in_the_order_of_the_list() -> None:
    shifts = [{"kind": "observation_offset", "std": 2.0}, {"kind": "observation_permutation"}]
    plain = world([phase(1)]).start_phase(0)
    offset = world([phase(1)], shifts[:1]).start_phase(0) - plain
    both = world([phase(1)], shifts)
    observation = both.start_phase(0)
    for member in range(2):
        expected = (plain + offset)[member]
        order = [int(np.argmin(np.abs(expected[0] - number))) for number in observation[member, 0]]
        assert sorted(order) == [0, 1, 2, 3]
        assert_allclose(observation[member], expected[:, order], atol=1e-6)


def test_permuted_actions_reach_the_environment_permuted() -> None:
    plain, swapped = world([phase(1)]), world([phase(1)], [{"kind": "action_permutation"}])
    assert_array_equal(plain.start_phase(0), swapped.start_phase(0))
    for _ in range(30):
        assert_same(plain.step(LEFT), swapped.step(1 - LEFT))


def test_noise_differs_between_steps_environments_and_final_observations() -> None:
    noise = [{"kind": "observation_noise", "std": 1.0}]
    plain, noisy = world([phase(1)], max_episode_steps=1), world([phase(1)], noise, max_episode_steps=1)
    differences = [noisy.start_phase(0) - plain.start_phase(0)]
    for _ in range(10):
        first, second = plain.step(LEFT), noisy.step(LEFT)
        differences += [second.observation - first.observation, finals_of(second) - finals_of(first)]
    together = np.concatenate(differences).ravel()
    # No number is drawn twice: the rounding of the sums keeps equal draws within 1e-6.
    assert np.diff(np.sort(together)).min() >= 0
    assert len(np.unique(np.round(together, 6))) > 0.99 * together.size
    assert_allclose(together.std(), 1.0, rtol=0.1)


def test_a_drifting_reward_moves_linearly_from_phase_to_phase() -> None:
    environment = world(
        [phase(0, steps=40), phase(1, steps=40), phase(2, steps=40)],
        [{"kind": "reward_scale", "factors": [1.0, 3.0, 2.0], "mode": "drift"}],
    )
    environment.start_phase(0)
    assert (environment.step(LEFT).reward == 1.0).all()
    for number, start, end in ((1, 1.0, 3.0), (2, 3.0, 2.0)):
        environment.start_phase(number)
        rewards = [environment.step(LEFT).reward for _ in range(12)]
        # Ten steps of four environments are the 40 steps of the phase; afterwards the value stands still.
        expected = [start + (end - start) * min(1.0, step / 10) for step in range(12)]
        assert_allclose(np.array(rewards)[:, 0, 0], expected)


def test_drifting_physics_starts_at_the_old_and_ends_at_the_new_value() -> None:
    drift = {"kind": "physics", "parameter": "gravity", "values": [1.0, 3.0], "mode": "drift"}
    environment = world([phase(0, steps=40), phase(1, steps=40)], [drift])
    batch = CLASSIC_CONTROL["CartPole-v1"](2, 4)
    environment.start_phase(1)
    for step in range(15):
        state = environment.state()["environment"]
        environment.step(LEFT)
        batch.load_state(state)
        batch.set_physics({"gravity": np.full(2, 1.0 + 2.0 * min(1.0, step / 10))})
        batch.step(LEFT)
        assert_array_equal(batch.state()["state"], environment.state()["environment"]["state"])


def test_evaluation_sees_a_drifting_world_held_at_the_asked_fraction() -> None:
    phases = [phase(0), phase(1)]
    shift = [{"kind": "reward_scale", "factors": [1.0, 3.0], "mode": "drift"}]
    environment = world(phases, shift, purpose="evaluation")
    for progress, expected in ((None, 3.0), (0.0, 1.0), (0.5, 2.0)):
        environment.start_phase(1, progress=progress)
        assert all((environment.step(LEFT).reward == expected).all() for _ in range(5))


def test_factors_of_one_parameter_multiply() -> None:
    double = {"kind": "physics", "parameter": "gravity", "values": [2.0]}
    twice, fourfold = world([phase()], [double, double]), world([phase()], [double | {"values": [4.0]}])
    assert_array_equal(twice.start_phase(0), fourfold.start_phase(0))
    for _ in range(30):
        assert_same(twice.step(LEFT), fourfold.step(LEFT))


def test_physics_of_the_phase_before_do_not_leak_into_a_clean_phase() -> None:
    shifted = world([phase(1), phase(0)], [{"kind": "physics", "parameter": "length", "low": 2.0, "high": 4.0}])
    plain = world([phase(1), phase(0)])
    shifted.start_phase(0)
    shifted.step(LEFT)
    assert_array_equal(shifted.start_phase(1), plain.start_phase(1))
    for _ in range(30):
        assert_same(shifted.step(LEFT), plain.step(LEFT))


def test_a_later_phase_with_other_observations_or_actions_is_refused_before_the_first_step() -> None:
    with pytest.raises(EnvironmentFault, match=r"phase 2 \(`gym:Acrobot-v1`\) has observations of 6 numbers"):
        world([phase(), phase(1), phase(environment="gym:Acrobot-v1")])
    with pytest.raises(EnvironmentFault, match=r"other actions \(continuous 1\) than .* \(discrete 3\)"):
        world([phase(environment="gym:MountainCar-v0"), phase(environment="gym:MountainCarContinuous-v0")])


def test_a_later_phase_that_is_not_what_its_family_said_is_refused_when_it_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(GymnasiumFamily, "spaces", lambda *_: CLASSIC_CONTROL["CartPole-v1"].spaces)
    environment = world([phase(), phase(environment="gym:Acrobot-v1")])
    with pytest.raises(EnvironmentFault, match=r"phase 1 \(`gym:Acrobot-v1`\) has observations of 6 numbers"):
        environment.start_phase(1)


def test_a_switch_between_tasks_that_fit_keeps_going() -> None:
    environment = world([phase(environment="gym:CartPole-v0"), phase()])
    for number in (0, 1, 0):
        environment.start_phase(number)
        assert environment.step(LEFT).observation.shape == (2, 4, 4)


def test_unknown_families_tasks_shifts_and_parameters_are_refused_at_once() -> None:
    for phases, shifts in (
        ([phase(environment="gim:CartPole-v1")], []),
        ([phase(environment="gym:CartPole-v7")], []),
        ([phase()], [{"kind": "reward"}]),
        ([phase()], [{"kind": "physics", "parameter": "friction", "values": [1.0]}]),
        ([phase(), phase(environment="gym:MountainCar-v0")], [{"kind": "physics", "parameter": "mass", "values": [1]}]),
    ):
        with pytest.raises(UnknownNameError):
            world(phases, shifts)


def test_max_episode_steps_of_the_sequence_replaces_the_tasks_own_limit() -> None:
    environment = world([phase()], max_episode_steps=3)
    environment.start_phase(0)
    assert [bool(environment.step(LEFT).truncated.all()) for _ in range(6)] == [False, False, True] * 2


@pytest.mark.parametrize("kept", [2, 3])
def test_environments_that_are_kept_change_no_number_and_are_not_built_again(
    kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tasks in turn under physics shifts, once with a new environment for every phase and once with held ones."""
    pytest.importorskip("mujoco")
    tasks = ["gym:InvertedPendulum-v5", "gym:CartPole-v1", "gym:CartPole-v0"]
    monkeypatch.setattr("gtr_bench.environments.sequence.misfit", lambda *_: None)  # their spaces differ
    built: list[str] = []
    make = GymnasiumFamily.make

    def counted(self: GymnasiumFamily, task: str, **arguments: Any) -> Any:
        built.append(task)
        return make(self, task, **arguments)

    monkeypatch.setattr(GymnasiumFamily, "make", counted)
    phases = [phase(variant, environment) for variant, environment in enumerate([*tasks, *tasks])]
    shift = [{"kind": "physics", "parameter": "gravity", "low": 0.5, "high": 2.0}]
    runs = []
    for held in (1, kept):
        built.clear()
        environment, rows = world(phases, shift, environments_kept=held), []
        for round_, number in enumerate([0, 1, 2, 3, 4, 5, 0, 1]):
            rows.append(environment.start_phase(number, round_).sum())
            for _ in range(25):
                step = environment.step(np.zeros((2, 4, *environment._environment.spaces.action.shape), np.int64))
                rows.append(step.observation.sum() + step.reward.sum())
        environment.close()
        runs.append((rows, len(built)))
    assert runs[0][0] == runs[1][0]
    assert (runs[0][1], runs[1][1]) == (8, {2: 5, 3: 3}[kept])


def test_closing_twice_is_allowed() -> None:
    environment = world([phase()])
    environment.close()
    environment.close()
    assert environment.start_phase(0).shape == (2, 4, 4), "closing holds nothing back"


def test_an_unknown_task_of_a_later_phase_is_refused_before_the_first_one_starts() -> None:
    with pytest.raises(UnknownNameError, match="`Acrobat-v1`"):
        world([phase(), phase(environment="gym:Acrobat-v1")])
