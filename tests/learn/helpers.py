"""Builds job definitions and trains them in this process."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from gtr_bench.algorithms.registry import algorithms
from gtr_bench.environments.registry import families
from gtr_bench.learn.training import Training
from gtr_bench.networks.registry import networks
from gtr_bench.plasticity.registry import add_ons
from gtr_bench.suite.identity import defining
from tests.helpers import FAULTS

CPU = torch.device("cpu")

CARTPOLE_SHIFT: tuple[dict[str, Any], ...] = ({"kind": "action_permutation"},)

GRU: dict[str, Any] = {
    "torso": "gru",
    "version": networks.get("gru").version,
    "hidden": [8],
    "units": 8,
    "sequence_length": 8,
    "activation": "tanh",
}

# columns that depend on the clock, or on nothing a learner does
_BESIDE = {"iteration", "step", "phase"}


def make_definition(
    algorithm: str = "ppo",
    environment: str = "gym:CartPole-v1",
    *,
    seed: int = 0,
    phases: Sequence[int] = (1024,),
    shifts: Sequence[Mapping[str, Any]] = (),
    options: Mapping[str, Any] | None = None,
    max_episode_steps: int | None = None,
    evaluate_every: int = 512,
    episodes: int = 0,
    hidden: Sequence[int] = (16, 16),
    activation: str = "tanh",
    plasticity: Mapping[str, Mapping[str, Any]] | None = None,
    network: Mapping[str, Any] | None = None,
    **parameters: Any,
) -> dict[str, Any]:
    """A job definition (docs/design.md) with small defaults: 4 environments x 32 steps, 2 epochs, no evaluation.

    `plasticity` are the parameters of add-ons, by name, in the order in which they act.
    """
    add_on_part = [
        {
            "name": name,
            "version": add_ons.get(name).version,
            "parameters": defining(add_ons.get(name).Parameters(**own)),
        }
        for name, own in (plasticity or {}).items()
    ]
    kind = algorithms.get(algorithm)
    small = {"num_envs": 4, "num_steps": 32, "epochs": 2} if algorithm != "a2c" else {"num_envs": 4}
    settings = kind.Parameters(**(small | parameters)).model_dump(mode="json")
    return {
        "identity_version": 1,
        "algorithm": {"name": algorithm, "version": kind.version, "parameters": settings},
        "sequence": {
            "phases": [
                {"environment": environment, "options": dict(options or {}), "steps": steps, "variant": variant}
                for variant, steps in enumerate(phases)
            ],
            "shifts": [dict(shift) for shift in shifts],
            "max_episode_steps": max_episode_steps,
        },
        "packages": {},
        "network": dict(network)
        if network is not None
        else {
            "torso": "mlp",
            "version": networks.get("mlp").version,
            "hidden": list(hidden),
            "activation": activation,
        },
        "evaluation": {
            "every": evaluate_every,
            "episodes": episodes,
            "deterministic": False,
            "all_phases": False,
        },
        "seed": seed,
        **({"plasticity": add_on_part} if add_on_part else {}),
    }


def train(*definitions: Mapping[str, Any], iterations: int | None = None) -> Training:
    """A cohort of these jobs, trained to its end or for so many iterations, its environments closed."""
    training = Training(list(definitions), CPU)
    training.run(lambda: iterations is None or training.position < iterations)
    training.close()
    return training


def iteration_rows(training: Training, member: int = 0) -> dict[str, list[Any]]:
    """A member's iteration columns without the bookkeeping."""
    return {name: values for name, values in training.rows_of(member)[1].items() if name not in _BESIDE}


def same(first: Any, second: Any, relative: float = 0.0, absolute: float = 0.0) -> bool:
    """Equality of two values of a row: None with None, NaN with NaN, numbers to a tolerance."""
    if first is None or second is None:
        return first is second
    if math.isnan(first) or math.isnan(second):
        return math.isnan(first) and math.isnan(second)
    return math.isclose(first, second, rel_tol=relative, abs_tol=absolute)


def assert_same_rows(
    first: Mapping[str, Sequence[Any]],
    second: Mapping[str, Sequence[Any]],
    *,
    relative: float = 0.0,
    absolute: float = 0.0,
    rows: int | None = None,
) -> None:
    """Every column of the first `rows` rows is equal: bit for bit unless tolerances are given."""
    assert first.keys() == second.keys()
    for name in first:
        left, right = list(first[name])[:rows], list(second[name])[:rows]
        assert len(left) == len(right), name
        for row, (a, b) in enumerate(zip(left, right, strict=True)):
            assert same(a, b, relative, absolute), f"{name}, row {row}: {a} is not {b}"


def use_faults(monkeypatch: Any) -> None:
    """Make the family `fault:` importable for this test."""
    monkeypatch.syspath_prepend(str(FAULTS))
    monkeypatch.setattr(families, "_loaded", {})
