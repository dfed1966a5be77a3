"""What the phases of a world are, in words and as pictures: behind `gtr-bench show-env`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gtr_bench.errors import RequestError, UnknownNameError
from gtr_bench.suite.model import SequenceTable
from gtr_bench.suite.named import named_sequences
from gtr_bench.suite.seeds import derive_seeds

if TYPE_CHECKING:
    from gtr_bench.environments.pictures import RGB
    from gtr_bench.environments.sequence import SequenceEnvironment
    from gtr_bench.environments.spaces import ActionSpace

__all__ = ["Phase", "Tour", "sequence_of", "snapshot", "tour"]

_SHOWN_NUMBERS = 12


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase: `changes` is what shifts do at its end, for the seed asked for; `steps` is None where nobody said."""

    phase: int
    environment: str
    options: Mapping[str, Any]
    adapters: tuple[str, ...]
    steps: int | None
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tour:
    """All phases, what a learner sees, and pictures of one phase (empty unless asked for)."""

    observations: str
    actions: str
    phases: tuple[Phase, ...]
    frames: tuple[RGB, ...]


def sequence_of(world: str, *, sequence: str | None, scale: str | None) -> dict[str, Any]:
    """The sequence of a job definition: of an environment, a named sequence, or a suite.

    Args:
        world: `family:task`, a named sequence, a suite file or the name of a shipped one.
        sequence: which one of a suite; it may have a single one.
        scale: of a suite.

    Raises:
        RequestError: no such thing, or a suite with several sequences and none named.
        SuiteError: the suite cannot be used here.
    """
    if world in named_sequences():
        keys = {key: value for key, value in named_sequences()[world].items() if key != "source"}
        table = SequenceTable.model_validate_json(json.dumps({"id": world, **keys}), strict=True)
        cycle = min((shift["cycle"] for shift in table.shift if "cycle" in shift), default=None)
        phases = [
            {
                "environment": environment,
                "options": table.options_of(phase),
                "steps": table.steps_per_phase,
                "variant": (phase % cycle if cycle else phase) if table.shift else 0,
            }
            for phase, environment in enumerate(table.environments())
        ]
        return {"phases": phases, "shifts": list(table.shift), "max_episode_steps": table.max_episode_steps}
    if ":" in world and not world.endswith(".toml"):
        phase: dict[str, Any] = {"environment": world, "options": {}, "steps": None, "variant": 0}
        return {"phases": [phase], "shifts": [], "max_episode_steps": None}
    from gtr_bench.suite import load_suite

    suite = load_suite(world, scale=scale)
    found = {cell.sequence: cell.definition["sequence"] for cell in suite.cells if cell.role == "run"}
    if sequence is None and len(found) > 1:
        hint = "`--sequence ID`, one of " + ", ".join(f"`{name}`" for name in found)
        raise RequestError(f"`{world}` has {len(found)} sequences at scale `{suite.scale}`", hint=hint)
    name = sequence or next(iter(found))
    if name not in found:
        raise UnknownNameError(f"sequence of `{world}`", name, found)
    return dict(found[name])


def tour(sequence: Mapping[str, Any], *, seed: int, phase: int | None, steps: int) -> Tour:
    """Go through all phases, and play `steps` random actions in one of them for its pictures (None: in none).

    Raises:
        EnvironmentFault: an environment cannot be built.
        RequestError: there is no such phase, or it cannot be drawn.
    """
    _draw_without_display()
    from gtr_bench.environments.adapters import adapters_of
    from gtr_bench.environments.sequence import SequenceEnvironment

    described = sequence["phases"]
    if phase is not None and not 0 <= phase < len(described):
        raise RequestError(f"there is no phase {phase}", hint=f"phases are counted from 0 to {len(described) - 1}")
    # The world of a job with this seed, whatever its algorithm.
    seeds = derive_seeds({"seed": seed, "algorithm": {"name": "ppo"}, "sequence": sequence})
    environment = SequenceEnvironment(
        sequence, members=1, envs=1, environment_seeds=[seeds.environment], shift_seeds=[seeds.shift],
        purpose="evaluation",
    )  # fmt: skip
    try:
        phases = []
        for number, each in enumerate(described):
            environment.start_phase(number)
            phases.append(
                Phase(
                    number,
                    each["environment"],
                    each["options"],
                    adapters_of(each["environment"], each["options"]),
                    each["steps"],
                    tuple(f"{kind} {_numbers(values[0])}" for kind, values in environment.values()),
                )
            )
        frames = [] if phase is None else _played(environment, phase, steps, seed)
    finally:
        environment.close()
    spaces = environment.spaces
    return Tour(spaces.observation.describe(), spaces.action.describe(), tuple(phases), tuple(frames))


def snapshot(phase: Mapping[str, Any], *, seed: int, steps: int) -> RGB:
    """How a phase's environment, without shifts, looks after `steps` random actions.

    Args:
        phase: `environment` and `options` of a phase of a job's definition.
        seed: of the environment and the actions.
        steps: how many.

    Raises:
        EnvironmentFault: it cannot be built.
        RequestError: it cannot be drawn.
    """
    _draw_without_display()
    from gtr_bench.environments.pictures import drawn
    from gtr_bench.environments.sequence import SequenceEnvironment

    sequence = {"phases": [{**phase, "steps": None, "variant": 0}], "shifts": [], "max_episode_steps": None}
    environment = SequenceEnvironment(
        sequence, members=1, envs=1, environment_seeds=[seed], shift_seeds=[seed], purpose="evaluation"
    )
    try:
        observation = environment.start_phase(0)
        random = np.random.default_rng(seed)
        for _ in range(steps):
            observation = environment.step(_random_action(environment.spaces.action, random)).observation
        return drawn(environment, observation[0, 0])
    finally:
        environment.close()


def _draw_without_display() -> None:
    """Before a simulator is imported: without a display this is what draws."""
    os.environ.setdefault("MUJOCO_GL", "egl")
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")


def _played(environment: SequenceEnvironment, phase: int, steps: int, seed: int) -> list[RGB]:
    from gtr_bench.environments.pictures import drawn

    observation = environment.start_phase(phase)
    random = np.random.default_rng(seed)
    frames = []
    for _ in range(steps):
        frames.append(drawn(environment, observation[0, 0]))
        observation = environment.step(_random_action(environment.spaces.action, random)).observation
    return frames


def _random_action(space: ActionSpace, random: np.random.Generator) -> NDArray[Any]:
    """One uniform action [1, 1, *shape]; unbounded ones are standard normal."""
    if space.kind == "continuous":
        assert space.low is not None
        assert space.high is not None
        bounded = np.isfinite(space.low) & np.isfinite(space.high)
        low, high = np.where(bounded, space.low, 0.0), np.where(bounded, space.high, 0.0)
        drawn = np.where(bounded, random.uniform(low, high), random.standard_normal(low.shape))
        return drawn.astype(np.float32)[None, None]
    if space.kind == "discrete":
        return random.integers(space.sizes[0], size=(1, 1))
    return random.integers(space.sizes)[None, None]


def _numbers(values: NDArray[Any]) -> str:
    """Some numbers on one line, such as `0.35, -1.2, ... (17 numbers)`."""
    flat = np.ravel(values)
    shown = ", ".join(f"{value:.4g}" for value in flat[:_SHOWN_NUMBERS].tolist())
    return shown if len(flat) <= _SHOWN_NUMBERS else f"{shown}, ... ({len(flat)} numbers)"
