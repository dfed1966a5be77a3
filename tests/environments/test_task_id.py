"""The shift `task_id`: which task a phase is, said by one number per distinct task of the sequence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pydantic import ValidationError

from gtr_bench.environments.sequence import SequenceEnvironment
from gtr_bench.environments.shift import worlds_of
from gtr_bench.environments.shifts import parse_shift
from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces
from gtr_bench.errors import EnvironmentFault, SuiteError
from gtr_bench.suite import group, parse_suite
from tests.environments.helpers import assert_same

CARTPOLE = "gym:CartPole-v1"
TASK_ID = {"kind": "task_id"}


def phase(environment: str = CARTPOLE, options: dict[str, Any] | None = None, variant: int = 0) -> dict[str, Any]:
    return {"environment": environment, "options": options or {}, "steps": 400, "variant": variant}


def world(phases: list[dict[str, Any]], *shifts: dict[str, Any], **changes: Any) -> Any:
    arguments: dict[str, Any] = {
        "members": 2,
        "envs": 4,
        "environment_seeds": [11, 12],
        "shift_seeds": [5, 6],
        "purpose": "training",
    }
    sequence = {"phases": phases, "shifts": list(shifts), "max_episode_steps": 30}
    return SequenceEnvironment(sequence, **(arguments | changes))


def choose(environment: Any, step: int) -> Any:
    return np.random.default_rng(step).integers(0, 2, (environment.members, environment.envs))


THERE_AND_BACK = [phase(variant=variant) for variant in (0, 1, 0, 2)]


def test_worlds_are_numbered_as_they_are_first_met_and_keep_their_number() -> None:
    phases = [phase(), phase(options={"b": 1}), phase(), phase(variant=1), phase("gym:Acrobot-v1"), phase(options={})]
    assert worlds_of(phases) == [0, 1, 0, 2, 3, 0]


@pytest.mark.parametrize("purpose", ["training", "evaluation"])
def test_every_observation_says_which_task_it_is_of_and_is_otherwise_unchanged(purpose: str) -> None:
    plain, told = world(THERE_AND_BACK, purpose=purpose), world(THERE_AND_BACK, TASK_ID, purpose=purpose)
    assert plain.spaces.observation.shape == (4,)
    assert told.spaces.observation == ObservationSpace((7,))
    assert told.spaces.action.matches(plain.spaces.action)
    ended = 0
    for number, place in enumerate((0, 1, 0, 2)):
        label = np.eye(3, dtype=np.float32)[place]
        first, second = plain.start_phase(number), told.start_phase(number)
        assert second.dtype == np.float32
        for step in range(40):
            assert_array_equal(second[..., :4], first)
            assert (second[..., 4:] == label).all()
            one, other = plain.step(choose(plain, step)), told.step(choose(plain, step))
            first, second = one.observation, other.observation
            assert_array_equal(one.reward, other.reward)
            assert (one.finals is None) == (other.finals is None)
            if one.finals is not None:
                ended += len(one.finals.rows)
                assert_array_equal(other.finals.observations[:, :4], one.finals.observations)
                assert (other.finals.observations[:, 4:] == label).all()
    assert ended > 30


def test_shifts_before_it_act_on_what_the_environment_shows_alone() -> None:
    offset = {"kind": "observation_offset", "std": 2.0}
    shifted, told = world(THERE_AND_BACK, offset), world(THERE_AND_BACK, offset, TASK_ID)
    assert_array_equal(told.start_phase(3)[..., :4], shifted.start_phase(3))
    assert_array_equal(told.start_phase(3)[..., 4:], np.broadcast_to([0.0, 0.0, 1.0], (2, 4, 3)))


def test_a_saved_state_continues_bit_for_bit() -> None:
    first, second = world(THERE_AND_BACK, TASK_ID), world(THERE_AND_BACK, TASK_ID)
    first.start_phase(3)
    for step in range(20):
        first.step(choose(first, step))
    second.load_state(first.state())
    for step in range(20, 60):
        assert_same(first.step(choose(first, step)), second.step(choose(second, step)))


def test_a_sequence_of_one_task_says_so_with_a_single_one() -> None:
    told = world([phase(variant=3)], TASK_ID)
    assert told.spaces.observation.shape == (5,)
    assert (told.start_phase(0)[..., 4] == 1).all()


def test_it_has_no_variants_and_does_not_drift() -> None:
    assert parse_shift(parse_shift(TASK_ID).model_dump(mode="json")) == parse_shift(TASK_ID)
    for wrong in ({"cycle": 2}, {"first_clean": False}, {"mode": "drift"}):
        with pytest.raises(ValidationError):
            parse_shift(TASK_ID | wrong)


def test_images_are_refused() -> None:
    spaces = Spaces(ObservationSpace((3, 8, 8), "uint8"), ActionSpace("discrete", (2,)))
    reason = parse_shift(TASK_ID).fits(spaces)
    assert reason == "appends to the numbers of a vector, not to an image of 3 x 8 x 8 (uint8)"


SUITE = """
[suite]
name = "told"
question = "Does it help to be told?"
primary_metric = "phase_auc"
seeds = 2

[[sequence]]
id = "swap"
env = "gym:CartPole-v1"
phases = 4
steps_per_phase = 4_000
shift = [{ kind = "action_permutation", cycle = 2 }, { kind = "task_id" }]
references = true

[[algorithm]]
id = "ppo"
"""


def test_a_suite_counts_its_distinct_tasks_and_references_are_told_of_one() -> None:
    jobs = parse_suite(SUITE, path="told.toml").jobs()
    shapes = {
        (job.role, len(job.definition["sequence"]["phases"]), seen(job.definition["sequence"]).observation.shape)
        for job in jobs
    }
    assert shapes == {("run", 4, (6,)), ("reference", 1, (5,))}
    assert len(group(jobs, slots=1)) == 3


def seen(sequence: dict[str, Any]) -> Spaces:
    environment = SequenceEnvironment(
        sequence, members=1, envs=1, environment_seeds=[0], shift_seeds=[0], purpose="training"
    )
    return environment.spaces


def test_without_another_shift_tasks_that_return_are_the_same_world() -> None:
    text = SUITE.replace('env = "gym:CartPole-v1"\nphases = 4', 'tasks = ["gym:CartPole-v1"]\nrepeats = 3')
    text = text.replace('{ kind = "action_permutation", cycle = 2 }, ', "")
    jobs = parse_suite(text, path="told.toml").jobs()
    (sequence,) = [job.definition["sequence"] for job in jobs if job.role == "run" and job.seed == 0]
    assert [each["variant"] for each in sequence["phases"]] == [0, 0, 0]
    assert len([job for job in jobs if job.role == "reference"]) == 2


def test_a_shift_after_it_is_refused() -> None:
    text = SUITE.replace('{ kind = "task_id" }]', '{ kind = "task_id" }, { kind = "reward_flip" }]')
    with pytest.raises(SuiteError) as caught:
        parse_suite(text.replace(", cycle = 2", ""), path="told.toml")
    (problem,) = caught.value.problems
    assert (problem.sentence, problem.hint) == (
        "the shift `task_id` changes what those after it would see",
        "put it last",
    )


def test_an_environment_of_images_is_refused_when_it_starts() -> None:
    pytest.importorskip("minatar")
    with pytest.raises(EnvironmentFault, match="appends to the numbers of a vector"):
        world([phase("minatar:breakout")], TASK_ID)
