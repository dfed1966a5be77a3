"""What families say before anything is built is what they build."""

from __future__ import annotations

import numpy as np
import pytest

from gtr_bench.environments.classic import CLASSIC_CONTROL
from gtr_bench.environments.offers import Spaces, misfit, options_of, spaces_of
from gtr_bench.environments.registry import families, family_of
from gtr_bench.environments.spaces import ActionSpace

TASKS = [f"gym:{task}" for task in CLASSIC_CONTROL] + ["gym:FrozenLake-v1", "gym:Ant-v5", "metaworld:reach-v3"]


@pytest.mark.parametrize("environment", TASKS)
def test_the_offered_spaces_are_those_of_the_built_environment(environment: str) -> None:
    if environment == "gym:Ant-v5":
        pytest.importorskip("mujoco")
    if environment.startswith("metaworld:"):
        pytest.importorskip("metaworld")
    spaces = spaces_of(environment, {})
    assert spaces is not None
    family, task = family_of(environment)
    built = family.make(task, members=1, envs=1, max_episode_steps=None, options={})
    assert (spaces.observation_size, spaces.has_success) == (built.observation_size, built.has_success)
    assert spaces.action_space.matches(built.action_space)
    built.close()


def test_options_change_the_offered_spaces() -> None:
    small, large = (spaces_of("gym:FrozenLake-v1", {"map_name": name}) for name in ("4x4", "8x8"))
    assert small is not None
    assert large is not None
    assert (small.observation_size, large.observation_size) == (16, 64)


def test_the_options_of_a_task_are_known_where_its_constructor_lists_them() -> None:
    pytest.importorskip("mujoco")
    assert options_of("gym:CartPole-v1") == ()
    assert options_of("metaworld:hammer-v3") == ()
    frozen, ant = options_of("gym:FrozenLake-v1"), options_of("gym:Ant-v5")
    assert frozen is not None
    assert ant is not None
    assert {"is_slippery", "map_name"} <= set(frozen)
    assert {"healthy_reward", "frame_skip", "max_geom"} <= set(ant)  # the last is of a class above
    assert not {"self", "model_path", "kwargs"} & set(ant)


def test_a_family_without_the_methods_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        name = "gym"

    monkeypatch.setattr(families, "get", lambda name: Silent)
    assert spaces_of("gym:x", {}) is None
    assert options_of("gym:x") is None


def test_spaces_that_do_not_say_whether_there_is_a_success_flag_fit_both() -> None:
    action = ActionSpace("continuous", (1,), -np.ones(1, dtype=np.float32), np.ones(1, dtype=np.float32))
    unsaid, flagged, unflagged = (Spaces(3, action, flag) for flag in (None, True, False))
    assert misfit("`x`", unsaid, flagged) is None
    assert misfit("`x`", flagged, unsaid) is None
    found = misfit("`x`", flagged, unflagged)
    assert found is not None
    assert found.sentence == "`x` has a success flag, unlike the phases before"
