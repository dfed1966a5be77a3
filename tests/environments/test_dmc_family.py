"""dm_control's suite: parity with the package, seeds, limits, replay, physics, images, refusals."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gtr_bench.environments import dmc_family
from gtr_bench.environments.dmc_family import DmControlFamily
from gtr_bench.environments.dmc_tasks import UNBOUNDED, tasks
from gtr_bench.environments.hashing import mix
from gtr_bench.environments.mujoco_physics import MUJOCO_PARAMETERS
from gtr_bench.environments.sequence import SequenceEnvironment
from gtr_bench.errors import MissingExtraError, RequestError, UnknownNameError
from tests.environments.helpers import assert_same

FAMILY = DmControlFamily()
SEEDS = np.arange(4, dtype=np.uint64).reshape(2, 2)
HEADLESS = {"pixels": True, "height": 12, "width": 16}

needs_dm_control = pytest.mark.skipif(
    importlib.util.find_spec("dm_control") is None, reason="needs the extra `dm-control`"
)
# The package looks up names of sensors with a function of NumPy that is on its way out.
of_the_package = pytest.mark.filterwarnings("ignore:`in1d` is deprecated:DeprecationWarning")


def make(task: str, members: int = 2, envs: int = 2, limit: int | None = None, **options: Any) -> Any:
    return FAMILY.make(task, members=members, envs=envs, max_episode_steps=limit, options=options)


def random_actions(batch: Any, steps: int, seed: int = 0) -> Any:
    shape = (steps, batch.members, batch.envs, *batch.spaces.action.shape)
    return np.random.default_rng(seed).uniform(-1.2, 1.2, shape).astype(np.float32)


def theirs(task: str, seed: int) -> Any:
    """The package's own environment."""
    importlib.import_module("gtr_bench.environments.dmc_single")  # chooses how the package draws, before it is imported
    from dm_control import suite

    known = tasks()[task]
    environment: Any = suite.load(known.domain, known.task, task_kwargs={"random": 0})
    environment.task.random.seed(seed)
    return environment


def flat(time: Any) -> Any:
    from dm_control.rl.control import flatten_observation

    return flatten_observation(time.observation)["observations"].astype(np.float32)


@needs_dm_control
@of_the_package
@pytest.mark.parametrize(
    "task",
    [
        "walker-walk",
        "quadruped-run",
        "finger-turn_easy",
        "lqr-lqr_6_2",
        "reacher-hard",
        "cartpole-swingup",
    ],  # the last: Runge-Kutta
)
def test_episodes_agree_with_the_package(task: str) -> None:
    batch = make(task, limit=20)
    peer = theirs(task, int(mix(SEEDS[1, 0], 0)[0]) % 2**31)
    spec = peer.action_spec()
    ours, time = batch.reset(SEEDS)[1, 0], peer.reset()
    for step, actions in enumerate(random_actions(batch, 45), 1):
        assert ours.dtype == np.float32
        assert_array_equal(ours, flat(time))
        chosen = actions[1, 0].astype(np.float64)
        if not task.startswith("lqr"):
            chosen = np.clip(chosen, -1, 1)
            chosen = (spec.maximum + spec.minimum) / 2 + (spec.maximum - spec.minimum) / 2 * chosen
        time, result = peer.step(chosen), batch.step(actions)
        assert result.reward[1, 0] == time.reward
        ours = result.observation[1, 0]
        if step % 20 == 0:
            assert_array_equal(result.finals.observations[2], flat(time))
            peer.task.random.seed(int(mix(SEEDS[1, 0], step // 20)[0]) % 2**31)
            time = peer.reset()


@needs_dm_control
@of_the_package
@pytest.mark.slow
@pytest.mark.parametrize("task", tasks())
def test_the_table_says_what_the_package_has_and_every_task_steps(task: str) -> None:
    known, batch, peer = tasks()[task], make(task, 1, 1), theirs(task, 0)
    assert known.observations == sum(int(np.prod(part.shape)) for part in peer.observation_spec().values())
    spec = peer.action_spec()
    assert spec.shape == (known.actions,)
    units = bool((spec.minimum == -1).all() and (spec.maximum == 1).all())
    free = bool((spec.minimum == -UNBOUNDED).all() and (spec.maximum == UNBOUNDED).all())
    assert known.bounds == ("unit" if units else "none" if free else "other")
    assert peer._step_limit == (float("inf") if known.steps is None else known.steps)
    first = batch.reset(SEEDS[:1, :1])
    assert first.shape == (1, 1, known.observations)
    again = make(task, 1, 1)
    again.reset(SEEDS[1:, 1:])
    again.step(random_actions(again, 1)[0])
    assert_array_equal(again.reset(SEEDS[:1, :1]), first)
    for actions in random_actions(batch, 5):
        found, expected = batch.step(actions), again.step(actions)
        assert_same(found, expected)
        assert np.isfinite(found.observation).all()


@needs_dm_control
@pytest.mark.slow
def test_the_table_names_every_task_of_the_package() -> None:
    importlib.import_module("gtr_bench.environments.dmc_single")
    from dm_control import suite

    assert sorted(tasks()) == sorted(f"{domain}-{task}" for domain, task in suite.ALL_TASKS)


@needs_dm_control
def test_an_episode_is_cut_after_1000_control_steps_and_not_terminated() -> None:
    cut, free = make("cartpole-balance", 1, 1), make("cartpole-balance", 1, 1, 2000)
    for batch in (cut, free):
        batch.reset(SEEDS[:1, :1])
    for step, actions in enumerate(random_actions(cut, 1000), 1):
        found, expected = cut.step(actions), free.step(actions)
        assert found.truncated.all() == (step == 1000)
        assert not found.terminated.any()
        assert not expected.truncated.any()
    assert_array_equal(found.finals.observations[0], expected.observation[0, 0])
    assert not np.array_equal(found.observation, expected.observation)


@needs_dm_control
def test_a_task_that_ends_by_itself_terminates() -> None:
    batch = make("lqr-lqr_2_1", 1, 1)
    batch.reset(SEEDS[:1, :1])
    assert not batch.step(np.zeros((1, 1, 1))).terminated.any()
    with batch._singles[0]._simulator.reset_context():
        pass  # at rest in the middle
    result = batch.step(np.zeros((1, 1, 1)))
    assert result.terminated.all()
    assert not result.truncated.any()
    assert_allclose(result.finals.observations, 0, atol=1e-6)
    assert np.abs(result.observation).max() > 0.1


@needs_dm_control
def test_actions_reach_the_bounds_the_quadruped_declares() -> None:
    batch = make("quadruped-walk", 1, 1)
    batch.reset(SEEDS[:1, :1])
    simulator = batch._singles[0]._simulator
    for place, sign in enumerate((-1, 1)):
        batch.step(np.full((1, 1, 12), sign, dtype=np.float32))
        assert_allclose(simulator.data.ctrl, simulator.model.actuator_ctrlrange[:, place])
    assert "rescale_action" in FAMILY.adapters("quadruped-walk", {})
    assert FAMILY.adapters("walker-walk", {}) == ("flatten",)


@needs_dm_control
def test_repeated_actions_add_up_their_rewards_and_the_last_step_ends_with_the_episode() -> None:
    plain, repeated = make("cheetah-run", 1, 1), make("cheetah-run", 1, 1, action_repeat=6)
    assert_array_equal(plain.reset(SEEDS[:1, :1]), repeated.reset(SEEDS[:1, :1]))
    for step, actions in enumerate(random_actions(repeated, 167), 1):
        found = repeated.step(actions)
        taken = [plain.step(actions) for _ in range(6 if step < 167 else 4)]
        assert_allclose(found.reward, sum(each.reward for each in taken), rtol=1e-12)
        assert_array_equal(found.observation, taken[-1].observation)
    assert found.truncated.all()
    assert taken[-1].truncated.all()
    assert_array_equal(found.finals.observations, taken[-1].finals.observations)


@needs_dm_control
def test_replay_continues_bit_for_bit_also_under_drifting_physics() -> None:
    phases = [{"environment": "dm_control:walker-run", "options": {}, "steps": 300, "variant": v} for v in (0, 1)]
    shifts = [
        {"kind": "physics", "parameter": name, "low": 0.5, "high": 2.0, "mode": "drift"}
        for name in ("friction", "mass")
    ]
    first, second = (
        SequenceEnvironment(
            {"phases": phases, "shifts": shifts, "max_episode_steps": 30},
            members=2,
            envs=2,
            environment_seeds=[1, 2],
            shift_seeds=[3, 4],
            purpose="training",
        )
        for _ in range(2)
    )
    first.start_phase(1)
    actions = random_actions(first, 80)
    for action in actions[:45]:
        first.step(action)
    second.load_state(first.state())
    for action in actions[45:]:
        assert_same(first.step(action), second.step(action))


@needs_dm_control
def test_a_member_moves_the_same_alone_and_among_others() -> None:
    many, alone = make("hopper-hop", 3, 2), make("hopper-hop", 1, 2)
    seeds = np.arange(6, dtype=np.uint64).reshape(3, 2)
    assert_array_equal(many.reset(seeds)[2:], alone.reset(seeds[2:]))
    for actions in random_actions(many, 30):
        assert_array_equal(many.step(actions).observation[2:], alone.step(actions[2:]).observation)


@needs_dm_control
def test_the_same_seed_gives_the_same_episode_in_two_processes() -> None:
    code = (
        "import numpy as np\n"
        "from gtr_bench.environments.dmc_family import DmControlFamily\n"
        "batch = DmControlFamily().make('walker-walk', members=1, envs=1, max_episode_steps=7, options={})\n"
        "seen = [batch.reset(np.array([[5]], dtype=np.uint64))]\n"
        "seen += [batch.step(np.full((1, 1, 6), 0.3)).observation for _ in range(15)]\n"
        "print(np.concatenate(seen).tobytes().hex())"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(2)]
    assert len(runs[0].stdout) > 1000
    assert runs[0].stdout == runs[1].stdout


@needs_dm_control
@pytest.mark.parametrize("parameter", MUJOCO_PARAMETERS)
def test_a_physics_factor_changes_its_member_and_factor_one_restores_it(parameter: str) -> None:
    plain, changed, restored = (make("walker-walk", limit=40) for _ in range(3))
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


def draws() -> bool:
    """Whether images can be rendered here, asked in a process of its own: a driver that is missing may end it."""
    code = (
        "from gtr_bench.environments import dmc_single\n"
        "from dm_control import suite\n"
        "suite.load('pendulum', 'swingup').physics.render(8, 8)"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


@needs_dm_control
@pytest.mark.filterwarnings("ignore:The 'warn' function is deprecated")  # of logging, which the package calls
@pytest.mark.parametrize(("task", "factors"), [("fish-swim", {"mass": 0.1}), ("walker-run", {"force": 10.0})])
def test_an_unstable_simulation_goes_on_and_is_replayed(task: str, factors: dict[str, float], capfd: Any) -> None:
    first, second = make(task), make(task)
    first.set_physics({name: np.array([1.0, factor]) for name, factor in factors.items()})
    first.reset(SEEDS)
    actions = np.sign(random_actions(first, 220))
    for action in actions[:180]:
        result = first.step(action)
        assert np.isfinite(result.observation).all()
        assert np.isfinite(result.reward).all()
    assert "unstable" in capfd.readouterr().err
    second.load_state(first.state())
    for action in actions[180:]:
        assert_same(first.step(action), second.step(action))


@needs_dm_control
@pytest.mark.slow
def test_a_picture_for_people_changes_nothing() -> None:
    drawn, plain = make("cheetah-run"), make("cheetah-run")
    drawn.reset(SEEDS)
    plain.reset(SEEDS)
    for action in random_actions(drawn, 5):
        picture = drawn.picture(1)
        assert (picture.shape, picture.dtype) == ((240, 320, 3), np.uint8)
        assert picture.std() > 10
        assert_same(drawn.step(action), plain.step(action))


@needs_dm_control
@pytest.mark.slow
def test_images_are_stacked_channels_first_and_continue_after_replay() -> None:
    if not draws():
        pytest.skip("needs OpenGL")
    first, second = (make("cartpole-swingup", 1, 2, 9, **HEADLESS, frames=2) for _ in range(2))
    start = first.reset(SEEDS[:1])
    assert start.shape == (1, 2, 6, 12, 16)
    assert start.dtype == np.uint8
    assert first.spaces.observation.frames == 2
    assert_array_equal(start[:, :, :3], start[:, :, 3:])
    before = start
    actions = random_actions(first, 24)
    for action in actions[:13]:
        result = first.step(action)
        if result.finals is None:
            assert_array_equal(result.observation[:, :, :3], before[:, :, 3:])
        before = result.observation
    single = first._singles[0]._simulator
    assert_array_equal(before[0, 0, 3:], single.render(height=12, width=16, camera_id=0).transpose(2, 0, 1))
    second.load_state(first.state())
    for action in actions[13:]:
        assert_same(first.step(action), second.step(action))
    assert FAMILY.adapters("cartpole-swingup", HEADLESS) == ("pixels", "channels_first", "stack_frames")


def test_chains_of_one_body_fit_one_network_and_nothing_is_imported_to_know_it() -> None:
    code = (
        "import sys\n"
        "from gtr_bench.environments.registry import family_of\n"
        "family, task = family_of('dm_control:dog-run')\n"
        "print(family.spaces(task, {}).observation.shape, sorted({'dm_control', 'mujoco', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "(223,) []\n"
    for domain in ("walker", "quadruped", "dog"):
        shown = [FAMILY.spaces(name, {}) for name in tasks() if name in (f"{domain}-walk", f"{domain}-run")]
        assert shown[0].observation.matches(shown[1].observation)
        assert shown[0].action.matches(shown[1].action)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"camera": 1}, "`dm_control:walker-walk` has no option `camera`"),
        ({"pixels": 1}, "`pixels` of `dm_control:walker-walk` should be true or false"),
        ({"action_repeat": 0}, "should be an integer of at least 1"),
        ({"action_repeat": True}, "should be an integer of at least 1"),
        ({"pixels": True, "camera_id": -2}, "should be an integer of at least -1"),
        ({"height": 64}, "says what images look like, and there are none"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        FAMILY.spaces("walker-walk", options)


def test_unknown_tasks_and_a_missing_package_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError) as caught:
        FAMILY.check("walker-wakl")
    assert caught.value.hint == "did you mean `walker-walk`?"
    monkeypatch.setattr(dmc_family, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError) as missing:
        FAMILY.check("walker-walk")
    assert missing.value.extra == "dm-control"
    assert not FAMILY.availability()[0].usable
