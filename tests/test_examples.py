"""The algorithm written out by hand is the one `gtr-bench run` trains: same worlds, same random streams."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
import tomli_w
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gtr_bench.learn.advantages import generalised_advantages
from gtr_bench.learn.training import Training
from gtr_bench.store.reader import job_folders, read

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "examples" / "ppo_by_hand.py"
QUICKSTART = tomllib.loads((ROOT / "suites" / "quickstart.toml").read_text(encoding="utf-8"))
UPDATES = 10
STEPS = UPDATES * 8 * 128
LIMITS = {"cartpole": 500, "cut_short": 30}  # the second reaches its time limit within ten updates


@pytest.fixture(scope="module")
def by_hand() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ppo_by_hand", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Trained(NamedTuple):
    """A job that `gtr-bench run` finished: its definition and its iterations, column by column."""

    definition: dict[str, Any]
    iterations: dict[str, list[Any]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trained]:
    """By sequence, the `ppo` of quickstart for ten updates."""
    folder = tmp_path_factory.mktemp("by_hand")
    suite = {
        "suite": {"name": "by_hand", "question": "Is it the same?", "primary_metric": "lifetime_return"},
        "training": QUICKSTART["training"],
        "network": QUICKSTART["network"],
        "evaluation": {"every": STEPS, "episodes": 1},
        "scale": {"laptop": {"seeds": 1, "steps_per_phase": STEPS}},
        "sequence": [
            {"id": name, "env": "gym:CartPole-v1", "phases": 1, "max_episode_steps": limit}
            for name, limit in LIMITS.items()
        ],
        "algorithm": [{"id": "ppo"}],
    }
    (folder / "suite.toml").write_text(tomli_w.dumps(suite), encoding="utf-8")
    command = [sys.executable, "-m", "gtr_bench.cli", "run", "suite.toml", "--jobs", "1"]
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = {}
    for job in job_folders([folder / "results"]).values():
        (row,) = read([job], "jobs").to_pylist()
        found[row["sequence"]] = Trained(json.loads(row["definition"]), read([job], "iterations").to_pydict())
    return found


class Update(NamedTuple):
    """What one iteration did: actions `[T, N]` and whether a time limit was met, then parameters by layer."""

    actions: np.ndarray
    truncated: bool
    parameters: dict[str, tuple[torch.Tensor, torch.Tensor]]


def by_layer(model: Any) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Weights `[in, out]` and biases `[out]` of the one member of a cohort, in copies."""
    layers = {f"actor {index}": layer for index, layer in enumerate([*model.actor.layers, model.policy_head])}
    layers |= {f"critic {index}": layer for index, layer in enumerate([*model.critic.layers, model.value_head])}
    return {
        name: (layer.weight[0].detach().clone(), layer.bias[0, 0].detach().clone()) for name, layer in layers.items()
    }


def by_layer_of_agent(agent: Any) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """The same of the example's agent."""
    layers = {
        f"{name} {index}": layer
        for name, network in (("actor", agent.actor), ("critic", agent.critic))
        for index, layer in enumerate(part for part in network if isinstance(part, torch.nn.Linear))
    }
    return {name: (layer.weight.detach().T.clone(), layer.bias.detach().clone()) for name, layer in layers.items()}


def retrain(job: Trained) -> list[Update]:
    """The job once more in this process, watched; what it logs is what the command stored, bit for bit."""
    training = Training([job.definition], torch.device("cpu"))
    rollouts, updates = [], []
    collect = training.collector.collect

    def watched(*arguments: Any) -> Any:
        rollouts.append(collect(*arguments))
        return rollouts[-1]

    def after_iteration() -> bool:
        seen = rollouts[-1]
        updates.append(Update(seen.actions[0], bool(seen.truncated.any()), by_layer(training.learner.model)))
        return True

    training.collector.collect = watched  # type: ignore[method-assign]
    training.run(after_iteration)
    training.close()
    for name, values in training.rows_of(0)[1].items():
        stored = [np.nan if value is None else value for value in job.iterations[name]]
        again = [np.nan if value is None else value for value in values]
        assert np.array_equal(np.float32(again), np.float32(stored), equal_nan=True), name
    return updates


@pytest.mark.slow
@pytest.mark.parametrize("sequence", LIMITS)
def test_the_example_takes_the_actions_of_the_job_and_ends_at_its_parameters(
    by_hand: ModuleType, trained: dict[str, Trained], sequence: str
) -> None:
    updates = retrain(trained[sequence])
    assert len(updates) == UPDATES
    assert any(update.truncated for update in updates) == (sequence == "cut_short")
    logged = trained[sequence].iterations
    for index, (done, agent, rollout) in enumerate(by_hand.train(0, STEPS, LIMITS[sequence])):
        assert done == logged["step"][index]
        assert np.array_equal(rollout.actions.numpy(), updates[index].actions), f"rollout {index}"
        found = by_layer_of_agent(agent)
        assert found.keys() == updates[index].parameters.keys()
        for name, expected in updates[index].parameters.items():
            for mine, theirs in zip(found[name], expected, strict=True):
                assert mine.shape == theirs.shape
                assert float((mine - theirs).abs().max()) < 1e-5, f"{name} after update {index}"
        norm = torch.nn.utils.parameters_to_vector(agent.parameters()).norm().item()
        assert norm == pytest.approx(logged["weight_norm"][index], rel=1e-5)
        assert int(rollout.ended.sum()) == logged["episodes"][index]
    assert done == STEPS


@settings(max_examples=30)
@given(length=st.integers(1, 20), seed=st.integers(0, 1000))
def test_the_example_s_advantages_are_the_program_s(by_hand: ModuleType, length: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    shape = (length, by_hand.ENVS)
    rewards, values, following = random.normal(size=(3, *shape)).astype(np.float32)
    terminated, truncated = random.random((2, *shape)) < 0.2
    ended = terminated | truncated
    rollout = by_hand.Rollout(
        **dict.fromkeys(("observations", "actions", "following", "last")),
        rewards=torch.from_numpy(rewards),
        terminated=torch.from_numpy(terminated),
        ended=torch.from_numpy(ended),
    )
    found = by_hand.advantages_of(rollout, torch.from_numpy(values), torch.from_numpy(following))
    gamma, decay = np.float32([[by_hand.GAMMA]]), np.float32([[by_hand.LAMBDA]])
    arrays = [array[:, None] for array in (rewards, values, following, terminated, ended)]
    np.testing.assert_allclose(found, generalised_advantages(*arrays, gamma, decay)[:, 0], rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_the_example_runs_as_a_script_and_learns() -> None:
    command = [sys.executable, str(SCRIPT), "--seed", "0", "--steps", "20000"]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = re.findall(r"^ *([\d,]+) steps: mean return +([\d.]+) of \d+ episodes$", done.stdout, flags=re.MULTILINE)
    assert [line[0] for line in lines] == ["5,000", "10,000", "15,000", "20,000"]
    first, *_, last = (float(mean) for _, mean in lines)
    assert last > 3 * first


def imported() -> Iterator[str]:
    for node in ast.walk(ast.parse(SCRIPT.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


def test_the_example_takes_only_the_world_and_its_seeds_from_the_program() -> None:
    assert {name for name in imported() if name.startswith("gtr_bench")} == {
        "gtr_bench.environments.sequence",
        "gtr_bench.suite.seeds",
    }


def test_the_example_has_at_most_150_lines() -> None:
    assert len(SCRIPT.read_text(encoding="utf-8").splitlines()) <= 150
