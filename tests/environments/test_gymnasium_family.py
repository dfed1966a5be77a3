"""Gymnasium's MuJoCo tasks and other single environments: parity, physics, replay, refusals."""

from __future__ import annotations

import importlib.util
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gtr_bench.environments import gymnasium_family
from gtr_bench.environments.gymnasium_family import GymnasiumFamily
from gtr_bench.environments.gymnasium_single import GymnasiumSingle
from gtr_bench.environments.hashing import mix
from gtr_bench.environments.mujoco_physics import MUJOCO_PARAMETERS, MujocoPhysics
from gtr_bench.environments.sequence import SequenceEnvironment
from gtr_bench.environments.single import SingleBatch
from gtr_bench.errors import EnvironmentFault, MissingExtraError, RequestError, UnknownNameError
from tests.environments.helpers import assert_same

FAMILY = GymnasiumFamily()
SEEDS = np.arange(4, dtype=np.uint64).reshape(2, 2)

mujoco_only = pytest.mark.skipif(importlib.util.find_spec("mujoco") is None, reason="needs the extra `mujoco`")


def make(task: str, members: int = 2, envs: int = 2, limit: int | None = None, **options: Any) -> Any:
    return FAMILY.make(task, members=members, envs=envs, max_episode_steps=limit, options=options)


def random_actions(batch: Any, steps: int, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    shape = (steps, batch.members, batch.envs, *batch.spaces.action.shape)
    if batch.spaces.action.kind == "continuous":
        return random.uniform(-1.3, 1.3, shape).astype(np.float32)
    return random.integers(0, batch.spaces.action.sizes, shape)


@mujoco_only
@pytest.mark.parametrize("task", ["HalfCheetah-v5", "Hopper-v5"])
def test_episodes_agree_with_gymnasium_made_the_usual_way(task: str) -> None:
    batch = make(task)
    theirs = gymnasium.make(task)
    ours = batch.reset(SEEDS)[1, 0]
    episode = 0
    observation, _ = theirs.reset(seed=int(mix(SEEDS[1, 0], episode)[0]) % 2**31)
    for actions in random_actions(batch, 120):
        assert_array_equal(ours, observation.astype(np.float32))
        result = batch.step(actions)
        observation, reward, terminated, truncated, _ = theirs.step(np.clip(actions[1, 0], -1, 1))
        assert result.reward[1, 0] == reward
        assert (result.terminated[1, 0], result.truncated[1, 0]) == (terminated, truncated)
        if terminated or truncated:
            place = result.finals.rows.tolist().index(2)
            assert_array_equal(result.finals.observations[place], observation.astype(np.float32))
            episode += 1
            observation, _ = theirs.reset(seed=int(mix(SEEDS[1, 0], episode)[0]) % 2**31)
        ours = result.observation[1, 0]
    assert (task == "Hopper-v5") == (episode > 0)


@mujoco_only
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"exclude_current_positions_from_observation": False, "frame_skip": 2},
        {"forward_reward_weight": 0.7, "ctrl_cost_weight": 0.3},
    ],
)
def test_cheetahs_stepped_together_have_the_bits_of_gymnasium_s_own_step(options: dict[str, Any]) -> None:
    together, alone = make("HalfCheetah-v5", limit=40, **options), make("HalfCheetah-v5", limit=40, **options)
    alone._advance = partial(SingleBatch._advance, alone)  # the loop over `GymnasiumSingle.step`
    assert_array_equal(together.reset(SEEDS), alone.reset(SEEDS))
    for batch in (together, alone):
        batch.set_physics({"mass": np.array([1.5, 1.0]), "force": np.array([0.5, 2.0])})
    for actions in random_actions(together, 100):
        assert_same(together.step(actions), alone.step(actions))
    assert type(together)._advance is not SingleBatch._advance


@mujoco_only
@pytest.mark.parametrize("task", ["HalfCheetah-v5", "Hopper-v5"])
def test_replay_continues_bit_for_bit_also_under_drifting_physics(task: str) -> None:
    phases = [{"environment": f"gym:{task}", "options": {}, "steps": 300, "variant": v} for v in (0, 1)]
    shifts = [
        {"kind": "physics", "parameter": "friction", "low": 0.1, "high": 10.0, "mode": "drift"},
        {"kind": "physics", "parameter": "mass", "low": 0.5, "high": 2.0, "mode": "drift"},
    ]
    first, second = (
        SequenceEnvironment(
            {"phases": phases, "shifts": shifts, "max_episode_steps": 90},
            members=2,
            envs=2,
            environment_seeds=[1, 2],
            shift_seeds=[3, 4],
            purpose="training",
        )
        for _ in range(2)
    )
    first.start_phase(1)
    actions = random_actions(first, 210)
    for action in actions[:130]:
        first.step(action)
    second.load_state(first.state())
    for action in actions[130:]:
        assert_same(first.step(action), second.step(action))


@mujoco_only
def test_a_member_moves_the_same_alone_and_among_others() -> None:
    many, alone = make("Hopper-v5", 3, 2), make("Hopper-v5", 1, 2)
    seeds = np.arange(6, dtype=np.uint64).reshape(3, 2)
    assert_array_equal(many.reset(seeds)[2:], alone.reset(seeds[2:]))
    for actions in random_actions(many, 60):
        assert_array_equal(many.step(actions).observation[2:], alone.step(actions[2:]).observation)


@mujoco_only
def test_the_time_limit_is_the_tasks_own_or_the_one_asked_for() -> None:
    batch = make("Reacher-v5", 1, 1)
    batch.reset(SEEDS[:1, :1])
    zero = np.zeros((1, 1, 2))
    assert [step for step in range(1, 101) if batch.step(zero).truncated.all()] == [50, 100]
    batch = make("Reacher-v5", 1, 1, 60)
    batch.reset(SEEDS[:1, :1])
    assert [step for step in range(1, 101) if batch.step(zero).truncated.all()] == [60]


@mujoco_only
@pytest.mark.parametrize("parameter", MUJOCO_PARAMETERS)
def test_a_physics_factor_changes_its_member_and_factor_one_restores_it(parameter: str) -> None:
    plain, changed, restored = (make("HalfCheetah-v5", limit=40) for _ in range(3))
    changed.set_physics({parameter: np.array([1.0, 1.7])})
    restored.set_physics({parameter: np.array([0.3, 1.7])})
    restored.set_physics({})
    for batch in (plain, changed, restored):
        batch.reset(SEEDS)
    for actions in random_actions(plain, 30):
        first, second, third = plain.step(actions), changed.step(actions), restored.step(actions)
    assert_array_equal(first.observation, third.observation)
    assert_array_equal(first.observation[0], second.observation[0])
    assert np.abs(first.observation[1] - second.observation[1]).max() > 1e-3


def model_arrays(model: Any) -> dict[str, Any]:
    names = (name for name in dir(model) if not name.startswith("_"))
    arrays = {name: getattr(model, name) for name in names}
    found = {name: value.copy() for name, value in arrays.items() if isinstance(value, np.ndarray)}
    return found | {"gravity": model.opt.gravity.copy(), "mean_inertia": np.array(model.stat.meaninertia)}


@mujoco_only
@pytest.mark.parametrize("task", ["Ant-v5", "Humanoid-v5"])
def test_setting_all_factors_back_restores_every_array_of_the_model(task: str) -> None:
    model = gymnasium.make(task).unwrapped.model  # type: ignore[attr-defined]
    pristine = model_arrays(model)
    physics = MujocoPhysics(model)
    physics.set(dict.fromkeys(MUJOCO_PARAMETERS, 2.0))
    shifted = model_arrays(model)
    assert_array_equal(shifted["body_mass"], 2.0 * pristine["body_mass"])
    assert_array_equal(shifted["gravity"], 2.0 * pristine["gravity"])
    assert_allclose(shifted["body_subtreemass"], 2.0 * pristine["body_subtreemass"])
    assert (shifted["dof_invweight0"] < pristine["dof_invweight0"]).any()
    physics.set({})
    for name, value in model_arrays(model).items():
        assert_array_equal(value, pristine[name], err_msg=name)


def test_discrete_observations_become_one_hot_when_asked_to() -> None:
    batch = make("FrozenLake-v1", is_slippery=False, flatten=True)
    observation = batch.reset(SEEDS)
    assert observation.shape == (2, 2, 16)
    assert (observation.sum(axis=-1) == 1).all()
    assert (batch.spaces.action.kind, batch.spaces.action.sizes) == ("discrete", (4,))
    assert batch.step(np.full((2, 2), 2)).observation[..., 1].all()


class Mixed(gymnasium.Env[Any, Any]):
    """Spaces given from outside; the observation, of a Dict by default, says what arrived."""

    def __init__(
        self, action_space: gymnasium.spaces.Space[Any], observation_space: gymnasium.spaces.Space[Any] | None = None
    ) -> None:
        self.action_space = action_space
        self.observation_space = observation_space or gymnasium.spaces.Dict(
            {"arrived": gymnasium.spaces.Box(-9, 9, (2,)), "on": gymnasium.spaces.MultiBinary(1)}
        )

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        return {"arrived": np.zeros(2), "on": np.ones(1)}, {}

    def step(self, action: Any) -> Any:
        assert self.action_space.contains(action), action
        arrived = np.resize(np.asarray(action, dtype=np.float32).ravel(), 2)
        return {"arrived": arrived, "on": np.ones(1)}, 1.0, False, False, {}


@pytest.fixture
def mixed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Builds a single environment of `Mixed` with the action space given."""
    from gymnasium.envs.registration import registry

    gymnasium.register("GtrBenchMixed-v0", entry_point=Mixed)

    def built(space: Any, shows: Any = None, flatten: bool = True) -> GymnasiumSingle:
        options = {"action_space": space, "observation_space": shows, "flatten": flatten}
        return GymnasiumSingle("GtrBenchMixed-v0", options, with_physics=False)

    yield built
    del registry["GtrBenchMixed-v0"]


@pytest.mark.parametrize(
    ("space", "kind", "sizes", "action", "arrived"),
    [
        (gymnasium.spaces.Discrete(3, start=5), "discrete", (3,), np.int64(2), [7, 7]),
        (gymnasium.spaces.MultiDiscrete([3, 4]), "multi_discrete", (3, 4), np.array([2, 3]), [2, 3]),
        (gymnasium.spaces.MultiBinary(2), "multi_discrete", (2, 2), np.array([0, 1]), [0, 1]),
        (
            gymnasium.spaces.Box(-2.0, 2.0, (2, 1), np.float64),
            "continuous",
            (2,),
            np.array([-2, 0.5], dtype=np.float32),
            [-2, 0.5],
        ),
    ],
)
def test_every_kind_of_action_arrives_as_the_environment_wants_it(
    mixed: Any, space: Any, kind: str, sizes: tuple[int, ...], action: Any, arrived: list[float]
) -> None:
    single = mixed(space)
    assert (single.spaces.action.kind, single.spaces.action.sizes) == (kind, sizes)
    assert single.spaces.observation.shape == (3,)
    assert_array_equal(single.reset(0), [0, 0, 1])
    assert_array_equal(single.step(action).observation, [*arrived, 1])


def test_actions_that_cannot_be_learned_are_refused(mixed: Any) -> None:
    with pytest.raises(EnvironmentFault, match="actions of the kind `Text`"):
        mixed(gymnasium.spaces.Text(3))


@pytest.mark.parametrize(
    ("space", "shown", "hint"),
    [
        (gymnasium.spaces.Discrete(3), "of the kind `Discrete`", "one number per choice"),
        (gymnasium.spaces.Box(0, 255, (9, 8, 3), np.uint8), "of the kind `Box` of 9 x 8 x 3", "in one row"),
        (gymnasium.spaces.Dict({"a": gymnasium.spaces.Box(-1, 1, (2,))}), "of the kind `Dict`", "in one row"),
        (gymnasium.spaces.Tuple([gymnasium.spaces.Discrete(2)]), "of the kind `Tuple`", "in one row"),
    ],
)
def test_what_is_no_vector_is_refused_with_the_way_out(mixed: Any, space: Any, shown: str, hint: str) -> None:
    with pytest.raises(EnvironmentFault, match=shown) as caught:
        mixed(gymnasium.spaces.Discrete(2), shows=space, flatten=False)
    assert caught.value.hint is not None
    assert "flatten = true" in caught.value.hint
    assert hint in caught.value.hint
    assert mixed(gymnasium.spaces.Discrete(2), shows=space).spaces.observation.size == gymnasium.spaces.flatdim(space)


def test_a_constructor_that_raises_ends_in_one_sentence() -> None:
    with pytest.raises(EnvironmentFault, match=r"`gym:FrozenLake-v1` could not be built: .*nonsense"):
        make("FrozenLake-v1", nonsense=1)


def test_unknown_and_dropped_tasks_are_refused_with_a_suggestion() -> None:
    with pytest.raises(UnknownNameError) as caught:
        FAMILY.check("HalfCheeta-v5")
    assert caught.value.hint is not None
    assert "`HalfCheetah-v" in caught.value.hint
    with pytest.raises(UnknownNameError):
        FAMILY.check("HalfCheetah-v2")


def test_missing_packages_are_named_with_their_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gymnasium_family, "find_spec", lambda module: None)
    for task, extra in (("HalfCheetah-v5", "mujoco"), ("LunarLander-v3", "box2d")):
        with pytest.raises(MissingExtraError) as caught:
            FAMILY.check(task)
        assert caught.value.extra == extra
    FAMILY.check("CartPole-v1")
    rows = {row.name: row for row in FAMILY.availability()}
    assert rows["gym-classic"].usable
    assert not rows["gym-mujoco"].usable
    assert rows["gym-mujoco"].hint is not None


def test_packages_are_those_whose_version_changes_the_numbers() -> None:
    assert FAMILY.packages("CartPole-v1") == ("gymnasium",)
    assert FAMILY.packages("HalfCheetah-v5") == ("gymnasium", "mujoco")
    assert FAMILY.packages("LunarLander-v3") == ("gymnasium", "box2d")


def test_physics_parameters_are_known_without_building_anything() -> None:
    assert set(FAMILY.physics("CartPole-v1")) == {"gravity", "mass", "length", "force"}
    assert set(FAMILY.physics("Ant-v5")) == {"gravity", "friction", "mass", "force"}
    assert FAMILY.physics("FrozenLake-v1") == {}


def test_vectorised_classic_control_has_no_options() -> None:
    with pytest.raises(RequestError, match="`gym:CartPole-v1` has no options, given: `wind`"):
        make("CartPole-v1", wind=1)


@mujoco_only
def test_actions_that_are_not_numbers_do_not_bring_down_the_other_members() -> None:
    plain, broken = make("HalfCheetah-v5"), make("HalfCheetah-v5")
    plain.reset(SEEDS)
    broken.reset(SEEDS)
    for actions in random_actions(plain, 20):
        expected = plain.step(actions)
        actions[0] = np.nan
        found = broken.step(actions)
    assert_array_equal(found.observation[1], expected.observation[1])
    assert np.isfinite(found.observation).all()


@mujoco_only
def test_closing_frees_the_environments_and_twice_is_allowed() -> None:
    batch = make("HalfCheetah-v5")
    closed: list[int] = []
    for number, single in enumerate(batch._singles):
        single.close = lambda number=number: closed.append(number)
    count = len(batch._singles)
    batch.close()
    batch.close()
    assert closed == list(range(count))
