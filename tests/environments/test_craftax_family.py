"""Craftax: what is known without it, the process it runs in, and, where it is installed, the worlds themselves."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gtr_bench.environments import craftax_batch, craftax_family
from gtr_bench.environments.craftax_child import Worlds
from gtr_bench.environments.craftax_family import CraftaxFamily
from gtr_bench.environments.craftax_process import CraftaxProcess, compiled, environment_of
from gtr_bench.environments.hashing import mix
from gtr_bench.errors import EnvironmentFault, MissingExtraError, RequestError, UnknownNameError
from tests.environments.helpers import assert_same

FAMILY = CraftaxFamily()
SEEDS = np.arange(4, dtype=np.uint64).reshape(2, 2)
FAKE = """
import os, time
from gtr_bench.environments.craftax_child import main

class Fake:
    def __init__(self, task, size):
        if task == "broken":
            raise RuntimeError("no such world")
        self.size = size

    def double(self, number):
        return self.size, 2 * number

    def fail(self):
        raise ValueError("the sky fell down.")

    def sleep(self):
        time.sleep(600)

main(Fake)
"""

needs_craftax = pytest.mark.skipif(importlib.util.find_spec("craftax") is None, reason="needs the extra `craftax`")


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script that serves something simple as Craftax would be served."""
    script = tmp_path / "fake.py"
    script.write_text(FAKE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    return script


def test_a_step_hands_over_what_the_worlds_hold_as_achieved(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the compiled step, here one of numpy, to the transition; a new world has achieved nothing."""
    achieved = np.arange(4 * 22).reshape(4, 22) % 5 == 0
    worlds = Worlds.__new__(Worlds)
    worlds._state = "before"
    worlds._step = lambda keys, state, actions: (np.zeros((4, 1345)), "after", np.ones(4), actions == 1, achieved)

    class Process:
        def __init__(self, name: str, task: str, size: int) -> None:
            assert (task, size) == ("Classic-Symbolic", 4)

        def call(self, method: str, *arguments: Any) -> Any:
            return np.zeros((len(arguments[0]), 1345)) if method == "renew" else getattr(worlds, method)(*arguments)

    monkeypatch.setattr(craftax_batch, "CraftaxProcess", Process)
    batch = craftax_batch.CraftaxBatch("Classic-Symbolic", 2, 2, 9, FAMILY.spaces("Classic-Symbolic", {}))
    batch.reset(SEEDS)
    transition = batch.step(np.array([[0, 1], [0, 0]]))
    assert transition.achievements is not None
    assert transition.achievements.dtype == np.bool_
    assert_array_equal(transition.achievements, achieved.reshape(2, 2, 22))
    assert_array_equal(transition.terminated, [[False, True], [False, False]])
    assert worlds._state == "after"


@pytest.mark.parametrize(("task", "numbers", "actions"), [("Symbolic", 8268, 43), ("Classic-Symbolic", 1345, 17)])
def test_the_spaces_are_known_without_the_package(task: str, numbers: int, actions: int) -> None:
    spaces = FAMILY.spaces(task, {})
    assert spaces.observation.is_vector
    assert spaces.observation.shape == (numbers,)
    assert spaces.action.sizes == (actions,)
    assert spaces.has_success is False
    assert len(spaces.achievements) == {"Symbolic": 67, "Classic-Symbolic": 22}[task]
    assert FAMILY.packages(task) == ("craftax", "jax", "jaxlib")


def test_options_unknown_tasks_and_a_missing_package_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RequestError, match="`craftax:Symbolic` has no option `pixels`"):
        FAMILY.spaces("Symbolic", {"pixels": True})
    with pytest.raises(UnknownNameError) as caught:
        FAMILY.check("Symbolik")
    assert caught.value.hint == "did you mean `Symbolic`?"
    monkeypatch.setattr(craftax_family, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError) as missing:
        FAMILY.check("Symbolic")
    assert missing.value.extra == "craftax"
    assert not FAMILY.availability()[0].usable


def test_compiled_code_is_kept_in_the_user_s_cache_and_settings_of_the_user_win() -> None:
    assert compiled({"XDG_CACHE_HOME": "/x", "HOME": "/h"}).parent == Path("/x/gtr-bench/jax")
    assert compiled({"HOME": "/h"}).parent == Path("/h/.cache/gtr-bench/jax")
    plain = environment_of({"HOME": "/h", "OMP_NUM_THREADS": "3"})
    assert plain["JAX_PLATFORMS"] == "cpu"
    assert plain["JAX_COMPILATION_CACHE_DIR"] == str(compiled({"HOME": "/h"}))
    assert plain["NPROC"] == "3"
    chosen = {"JAX_PLATFORMS": "cuda", "JAX_COMPILATION_CACHE_DIR": "/c", "NPROC": "2", "OMP_NUM_THREADS": "1"}
    assert chosen.items() <= environment_of(chosen).items()
    assert "NPROC" not in environment_of({})


def test_the_process_answers_and_is_gone_after_closing(fake: Path) -> None:
    process = CraftaxProcess("craftax:fake", "fake", 3, fake)
    assert process.call("double", np.arange(3))[0] == 3
    assert_array_equal(process.call("double", np.arange(3))[1], [0, 2, 4])
    process.close()
    process.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_a_process_that_fails_is_a_fault_with_its_last_words(fake: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        CraftaxProcess("craftax:fake", "broken", 3, fake)
    assert caught.value.sentence == "the process of `craftax:fake` ended with code 1: RuntimeError: no such world"
    process = CraftaxProcess("craftax:fake", "fake", 3, fake)
    with pytest.raises(EnvironmentFault, match=r"ended with code 1: ValueError: the sky fell down$"):
        process.call("fail")
    assert "Traceback" in capfd.readouterr().err
    killed = CraftaxProcess("craftax:fake", "fake", 3, fake)
    os.kill(killed.pid, signal.SIGKILL)
    with pytest.raises(EnvironmentFault, match=r"the process of `craftax:fake` was killed by signal 9$"):
        killed.call("double", 1)


def test_the_process_ends_when_its_parent_is_killed_even_while_it_works(fake: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from gtr_bench.environments.craftax_process import CraftaxProcess\n"
        f"process = CraftaxProcess('craftax:fake', 'fake', 1, Path({str(fake)!r}))\n"
        "print(process.pid, flush=True)\n"
        "process.call('sleep')"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(0.2)  # until it sleeps; it must end all the same if it does not yet
        parent.kill()
    assert _gone(child)


def _gone(pid: int) -> bool:
    """Whether a process that is nobody's child of ours ends within half a minute."""
    for _ in range(300):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":  # ended; whoever inherited it has not looked yet
            return True
        time.sleep(0.1)
    return False


@pytest.fixture(scope="module", params=["Symbolic", "Classic-Symbolic"])
def batch(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two members of two worlds; compiled once for this module."""
    pytest.importorskip("craftax")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
        made = FAMILY.make(request.param, members=2, envs=2, max_episode_steps=None, options={})
        made.task = request.param  # type: ignore[attr-defined]
        yield made
        made.close()


def random_actions(batch: Any, steps: int) -> Any:
    shape = (steps, batch.members, batch.envs)
    return np.random.default_rng(0).integers(0, batch.spaces.action.sizes[0], shape)


@needs_craftax
@pytest.mark.slow
def test_worlds_agree_with_the_package_and_jax_stays_out_of_this_process(batch: Any, tmp_path: Path) -> None:
    actions = random_actions(batch, 40)
    keys = np.concatenate([mix(SEEDS[1, 0], 0, step) for step in range(len(actions) + 1)])[:, None].view(np.uint32)
    np.savez(tmp_path / "asked.npz", keys=keys, actions=actions[:, 1, 0])
    code = (
        "import numpy as np\n"
        "from craftax.craftax_env import make_craftax_env_from_name\n"
        f"asked = np.load({str(tmp_path / 'asked.npz')!r})\n"
        f"env = make_craftax_env_from_name('Craftax-{batch.task}-v1', auto_reset=False)\n"
        "observation, state = env.reset(asked['keys'][0])\n"
        "seen, paid, achieved = [observation], [], []\n"
        "for key, action in zip(asked['keys'][1:], asked['actions']):\n"
        "    observation, state, reward, done, _ = env.step(key, state, int(action))\n"
        "    seen.append(observation), paid.append(reward), achieved.append(state.achievements)\n"
        "    assert not done\n"
        "found = {'seen': np.stack(seen), 'paid': np.stack(paid), 'achieved': np.stack(achieved)}\n"
        f"np.savez({str(tmp_path / 'found.npz')!r}, **found)"
    )
    environment = environment_of(dict(os.environ))
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)
    found = np.load(tmp_path / "found.npz")
    assert_array_equal(batch.reset(SEEDS)[1, 0], found["seen"][0])
    for step, chosen in enumerate(actions):
        result = batch.step(chosen)
        assert result.observation.dtype == np.float32
        assert_array_equal(result.observation[1, 0], found["seen"][step + 1])
        assert result.reward[1, 0] == found["paid"][step]
        assert_array_equal(result.achievements[1, 0], found["achieved"][step])
    assert "jax" not in sys.modules


@needs_craftax
@pytest.mark.slow
def test_a_saved_state_continues_bit_for_bit(batch: Any) -> None:
    batch.reset(SEEDS)
    actions = random_actions(batch, 80)
    for chosen in actions[:40]:
        batch.step(chosen)
    saved = batch.state()
    expected = [batch.step(chosen) for chosen in actions[40:]]
    batch.reset(SEEDS + np.uint64(9))
    batch.load_state(saved)
    for chosen, wanted in zip(actions[40:], expected, strict=True):
        assert_same(batch.step(chosen), wanted)


@needs_craftax
@pytest.mark.slow
def test_a_member_meets_the_same_episodes_alone_and_among_others(batch: Any) -> None:
    batch._limit = 15
    alone = FAMILY.make(batch.task, members=1, envs=2, max_episode_steps=15, options={})
    try:
        assert_array_equal(batch.reset(SEEDS)[1:], alone.reset(SEEDS[1:]))
        for chosen in random_actions(batch, 50):
            first, second = batch.step(chosen), alone.step(chosen[1:])
            assert_array_equal(first.observation[1:], second.observation)
            assert_array_equal(first.reward[1:], second.reward)
    finally:
        alone.close()
        batch._limit = craftax_family.TASKS[batch.task].length


@needs_craftax
@pytest.mark.slow
def test_a_limit_truncates_and_the_finals_are_the_numbers_before_the_restart(batch: Any) -> None:
    def play(limit: int) -> tuple[Any, list[Any]]:
        batch._limit = limit
        first = batch.reset(SEEDS)
        return first, [batch.step(chosen) for chosen in random_actions(batch, 7)]

    try:
        (begin, cut), (_, free) = play(7), play(100)
    finally:
        batch._limit = craftax_family.TASKS[batch.task].length
    assert [step.truncated.all() for step in cut] == [False] * 6 + [True]
    assert not any(step.terminated.any() for step in cut)
    assert cut[-1].finals.rows.tolist() == [0, 1, 2, 3]
    assert_array_equal(cut[-1].finals.observations.reshape(2, 2, -1), free[-1].observation)
    assert not np.array_equal(cut[-1].observation, begin)  # another episode has another world


@needs_craftax
@pytest.mark.slow
def test_death_terminates_one_world_and_the_others_go_on(batch: Any) -> None:
    batch.reset(SEEDS)
    for _ in range(2000):  # who does nothing starves
        found = batch.step(np.zeros((2, 2), dtype=np.int64))
        if found.finals is not None:
            break
    assert found.terminated.any()
    assert not found.truncated.any()
    assert found.finals.rows.tolist() == np.flatnonzero(found.terminated).tolist()
    ended = found.terminated.reshape(-1)
    assert (batch.state()["elapsed"][ended] == 0).all()
    assert (batch.state()["elapsed"][~ended] > 0).all()
