"""Finding families, and environments that misbehave, through an entry point of another package."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from gtr_bench.environments.registry import availability, families, family_of
from gtr_bench.errors import EnvironmentFault, RequestError, UnknownNameError
from tests.helpers import FAULTS

ACTIONS = np.zeros((2, 2), dtype=np.int64)
SEEDS = np.arange(4, dtype=np.uint64).reshape(2, 2)


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The family `fault:`, found through the entry point of the package in tests/fault_package."""
    monkeypatch.syspath_prepend(str(FAULTS))
    monkeypatch.setattr(families, "_loaded", {})
    return family_of("fault:none")[0]


def make(family: Any, task: str, **options: Any) -> Any:
    return family.make(task, members=2, envs=2, max_episode_steps=None, options=options)


def test_a_name_is_split_into_family_and_task() -> None:
    family, task = family_of("gym:CartPole-v1")
    assert (family.name, task) == ("gym", "CartPole-v1")


@pytest.mark.parametrize("name", ["CartPole-v1", ":CartPole-v1", "gym:", ""])
def test_a_name_without_a_family_or_a_task_is_refused(name: str) -> None:
    with pytest.raises(RequestError, match="has no family") as caught:
        family_of(name)
    assert caught.value.hint is not None
    assert "`gym`" in caught.value.hint


def test_an_unknown_family_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UnknownNameError) as caught:
        family_of("metawrld:hammer-v3")
    assert caught.value.hint == "did you mean `metaworld`?"


def test_availability_has_a_row_per_group_and_a_command_for_each_that_is_missing() -> None:
    rows = {row.name: row for row in availability()}
    assert {"gym-classic", "gym-mujoco", "gym-box2d", "metaworld"} <= set(rows)
    for row in rows.values():
        assert row.usable == (row.hint is None)
        assert row.hint is None or row.hint.startswith(("pip install ", "make "))


def test_third_parties_register_families_by_entry_point(faults: Any) -> None:
    assert faults.name == "fault"
    assert "fault" in families.names()


def test_a_worker_process_finds_the_family_on_its_path() -> None:
    code = "from gtr_bench.environments.registry import family_of; print(family_of('fault:raise')[0].name)"
    path = os.pathsep.join([str(FAULTS), str(FAULTS.parent.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "fault\n"


def test_an_exception_in_a_step_names_environment_member_and_message(faults: Any) -> None:
    batch = make(faults, "raise", after=3, member=1)
    batch.reset(SEEDS)
    for _ in range(3):
        batch.step(ACTIONS)
    expected = r"^`fault:raise` \(member 1, environment 0, step 3 of episode 0\) raised ValueError: the floor gave way$"
    with pytest.raises(EnvironmentFault, match=expected):
        batch.step(ACTIONS)


def test_an_exception_at_construction_says_so(faults: Any) -> None:
    with pytest.raises(EnvironmentFault, match="`fault:startup` could not be built: RuntimeError: the environment"):
        make(faults, "startup")


def test_running_out_of_memory_is_not_disguised_as_an_environment_fault(faults: Any) -> None:
    batch = make(faults, "memory", after=0)
    batch.reset(SEEDS)
    with pytest.raises(MemoryError):
        batch.step(ACTIONS)


def test_numbers_that_are_not_finite_are_passed_on_for_their_member_only(faults: Any) -> None:
    batch = make(faults, "nan", after=2, member=0)
    batch.reset(SEEDS)
    transitions = [batch.step(ACTIONS) for _ in range(4)]
    assert all(np.isfinite(transition.reward).all() for transition in transitions[:2])
    for transition in transitions[2:]:
        assert np.isnan(transition.reward[0]).all()
        assert np.isnan(transition.observation[0]).all()
        assert np.isfinite(transition.reward[1]).all()
        assert np.isfinite(transition.observation[1]).all()


def test_an_action_log_without_a_time_limit_grows_and_stays_exact(faults: Any) -> None:
    # Episodes of ten steps and no limit: the log is reused in turn, far beyond its first length.
    first, second = make(faults, "none"), make(faults, "none")
    first.reset(SEEDS)
    for _ in range(1234):
        first.step(ACTIONS)
    second.load_state(first.state())
    for _ in range(15):
        np.testing.assert_array_equal(first.step(ACTIONS).observation, second.step(ACTIONS).observation)
