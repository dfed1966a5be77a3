"""What families say before anything is built is what they build."""

from __future__ import annotations

import numpy as np
import pytest

from gtr_bench.environments.classic import CLASSIC_CONTROL
from gtr_bench.environments.gymnasium_spaces import KNOWN_SPACES
from gtr_bench.environments.offers import misfit, options_of, spaces_of
from gtr_bench.environments.registry import families, family_of
from gtr_bench.environments.spaces import ActionSpace, ObservationSpace, Spaces

TASKS = [f"gym:{task}" for task in CLASSIC_CONTROL] + ["metaworld:reach-v3"]
TASKS += [f"gym:{task}" for task in KNOWN_SPACES]
NEEDS = {"gym:LunarLander-v3": "Box2D", "gym:BipedalWalker-v3": "Box2D", "metaworld:reach-v3": "metaworld"}


@pytest.mark.parametrize("environment", TASKS)
def test_the_offered_spaces_are_those_of_the_built_environment(environment: str) -> None:
    if environment.removeprefix("gym:") not in CLASSIC_CONTROL:
        pytest.importorskip(NEEDS.get(environment, "mujoco"))
    spaces = spaces_of(environment, {})
    family, task = family_of(environment)
    built = family.make(task, members=1, envs=1, max_episode_steps=None, options={})
    assert spaces.observation == built.spaces.observation
    assert spaces.has_success is built.spaces.has_success
    assert spaces.action.matches(built.spaces.action)
    built.close()


def test_options_change_the_offered_spaces() -> None:
    small, large = (spaces_of("gym:FrozenLake-v1", {"map_name": name, "flatten": True}) for name in ("4x4", "8x8"))
    assert (small.observation.shape, large.observation.shape) == ((16,), (64,))


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


def test_a_family_that_does_not_know_its_options_is_not_asked_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        name = "gym"

    monkeypatch.setattr(families, "get", lambda name: Silent)
    assert options_of("gym:x") is None


def test_spaces_that_do_not_say_whether_there_is_a_success_flag_fit_both() -> None:
    action = ActionSpace("continuous", (1,), -np.ones(1, dtype=np.float32), np.ones(1, dtype=np.float32))
    unsaid, flagged, unflagged = (Spaces(ObservationSpace((3,)), action, flag) for flag in (None, True, False))
    assert misfit("`x`", unsaid, flagged) is None
    assert misfit("`x`", flagged, unsaid) is None
    found = misfit("`x`", flagged, unflagged)
    assert found is not None
    assert found.sentence == "`x` has a success flag, unlike the phases before"


@pytest.mark.parametrize(
    ("space", "sentence", "hint"),
    [
        (ObservationSpace((7, 10, 10), "uint8"), "`x` shows an image of 7 x 10 x 10 (uint8), ", "option `channels`"),
        (ObservationSpace((4, 8, 8), "uint8"), "`x` shows an image of 4 x 8 x 8 (uint8), ", "same shape and type"),
        (ObservationSpace((400,)), "`x` shows 400 numbers, ", "same shape and type"),
        (ObservationSpace((4, 10, 10), "uint8", 4), "(uint8, 4 frames), ", "same shape and type"),
    ],
)
def test_images_of_another_shape_type_or_number_of_frames_do_not_fit(
    space: ObservationSpace, sentence: str, hint: str
) -> None:
    action = ActionSpace("discrete", (6,))
    before = Spaces(ObservationSpace((4, 10, 10), "uint8"), action)
    assert misfit("`x`", before, before) is None
    found = misfit("`x`", Spaces(space, action), before)
    assert found is not None
    assert sentence in found.sentence
    assert found.sentence.endswith("the phases before an image of 4 x 10 x 10 (uint8)")
    assert hint in found.hint
