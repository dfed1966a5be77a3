"""The changing world a cohort meets: phases of tasks under shifts, behind one interface of arrays [M, N, ...]."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gtr_bench.environments.base import BatchedEnvironment, Finals, FloatArray, SeedArray, Transition
from gtr_bench.environments.checks import wrong_batch, wrong_transition
from gtr_bench.environments.hashing import key_of, mix
from gtr_bench.environments.offers import evaluated_options, misfit, spaces_of
from gtr_bench.environments.registry import family_of
from gtr_bench.environments.shift import Shift, Values, World, worlds_of
from gtr_bench.environments.shifts import parse_shift
from gtr_bench.environments.spaces import Spaces
from gtr_bench.errors import EnvironmentFault, UnknownNameError

__all__ = ["SequenceEnvironment"]

_STEPS_CHECKED = 1000  # a check costs about 10 microseconds, and some tasks never end


class _ActiveShift(NamedTuple):
    """A shift in the running phase: its values now [M, ...], and where they drift from (None: they stand still)."""

    place: int
    shift: Shift
    target: Values
    origin: Values | None

    def at(self, progress: float) -> Values:
        """The values at a fraction of the phase in [0, 1]."""
        if self.origin is None:
            return self.target
        return (1.0 - progress) * self.origin + progress * self.target


class SequenceEnvironment:
    """M members x N environments that go through the phases of a sequence.

    Shifts act in the order of the sequence's list: on actions from first to last before the environment sees them, on
    observations and rewards from first to last before the learner does. A drift moves with the steps taken: the step
    that starts after t of T steps of a phase uses the values at t / T, the observation it returns those after it.

    Args:
        sequence: the `sequence` of a job definition: `phases`, `shifts`, `max_episode_steps`.
        members: M.
        envs: N, environments per member.
        environment_seeds: one integer per member; all episodes of the member follow from it.
        shift_seeds: one integer per member; the values of all shifts follow from it and the phase's environment.
        purpose: `training` or `evaluation`; their episodes differ.
        environments_kept: how many built environments to hold, at least 1. Going back to one that is held saves
            building it and changes no number; each costs the memory of M x N environments. The one just left goes
            first: phases are gone through in turn, so it is the last to be needed again.
        options: replace those of the phases.

    Raises:
        EnvironmentFault: phases differ in observation size or action space, a shift cannot act on what they show, or an
            environment cannot be built.
        UnknownNameError: no such family, task, shift kind or physics parameter.
    """

    spaces: Spaces
    all_achievements: tuple[str, ...]
    """Of the tasks of all phases."""

    def __init__(
        self,
        sequence: Mapping[str, Any],
        *,
        members: int,
        envs: int,
        environment_seeds: Sequence[int],
        shift_seeds: Sequence[int],
        purpose: Literal["training", "evaluation"],
        environments_kept: int = 1,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.members = members
        self.envs = envs
        self._phases: list[Mapping[str, Any]] = list(sequence["phases"])
        self._limit: int | None = sequence.get("max_episode_steps")
        self._shifts = [parse_shift(shift) for shift in sequence["shifts"]]
        self._worlds = worlds_of(self._phases)
        self._count = 1 + max(self._worlds)
        self._purpose = purpose
        self._environment_keys = mix(np.array(environment_seeds, dtype=np.uint64), key_of(purpose))
        self._shift_seeds = np.array(shift_seeds, dtype=np.uint64)
        self._environment: BatchedEnvironment | None = None
        self._environments_kept = environments_kept
        self._options = dict(options or {})
        self._pool: dict[str, BatchedEnvironment] = {}  # by what they are made of, the one used last at the end
        self._unchecked: dict[BatchedEnvironment, int] = {}  # how many steps to look at before an episode has ended
        self._active: list[_ActiveShift] = []
        self._physics_drifts = False
        self._phase = 0
        self._stream = 0
        self._held: float | None = None
        self._steps = 0
        self._noise_keys: SeedArray = np.zeros((members, envs), dtype=np.uint64)
        self._check_names()
        self._unshifted = self._enter(0).spaces
        self._check_later_phases()
        # What each shift finds to see, and last what the learner does.
        self._seen = [self._unshifted]
        for shift in self._shifts:
            shift.require_fit(self._seen[-1])
            self._seen.append(shift.shown(self._seen[-1], self._count))
        self.spaces = self._seen[-1]

    @property
    def phases(self) -> int:
        """How many phases the sequence has."""
        return len(self._phases)

    @property
    def achievements(self) -> tuple[str, ...]:
        """Of the running phase's task."""
        assert self._environment is not None
        return self._environment.spaces.achievements

    def _check_names(self) -> None:
        """Refuse at once what would otherwise be found when a later phase starts."""
        wanted = sorted({name for shift in self._shifts for name in shift.physics_names})
        for environment in dict.fromkeys(phase["environment"] for phase in self._phases):
            family, task = family_of(environment)
            family.check(task)
            known = family.physics(task) if wanted else {}
            for name in wanted:
                if name not in known:
                    raise UnknownNameError(f"physics parameter of `{environment}`", name, known)

    def _enter(self, phase: int) -> BatchedEnvironment:
        """Have the environment of a phase: one that is held of the same task and options, or a new one."""
        name, options = self._made_of(self._phases[phase])
        key = json.dumps([name, options], sort_keys=True)
        environment = self._pool.pop(key, None)
        if environment is None:
            family, task = family_of(name)
            try:
                environment = family.make(
                    task, members=self.members, envs=self.envs, max_episode_steps=self._limit, options=options
                )
            except EnvironmentFault as fault:
                fault.environment = name
                raise
            if phase:
                self._check_fits(environment.spaces, phase)
            self._unchecked[environment] = _STEPS_CHECKED
            while len(self._pool) >= self._environments_kept:
                closed = self._pool.popitem()[1]
                self._unchecked.pop(closed, None)
                closed.close()
        self._pool[key] = self._environment = environment
        return environment

    def _check_later_phases(self) -> None:
        """Refuse at once a phase that does not fit the first, where its family knows without building it."""
        seen = [self._made_of(self._phases[0])]
        achievements = list(self._unshifted.achievements)
        for phase, described in enumerate(self._phases):
            if (made_of := self._made_of(described)) not in seen:
                seen.append(made_of)
                spaces = spaces_of(*made_of)
                self._check_fits(spaces, phase)
                achievements += spaces.achievements
        self.all_achievements = tuple(dict.fromkeys(achievements))

    def _made_of(self, phase: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """What tells the environments of two phases apart: the name and the options."""
        name, options = phase["environment"], {**phase.get("options", {}), **self._options}
        return name, evaluated_options(name, options) if self._purpose == "evaluation" else options

    def _check_fits(self, spaces: Spaces, phase: int) -> None:
        found = misfit(f"phase {phase} (`{self._phases[phase]['environment']}`)", spaces, self._unshifted)
        if found is not None:
            raise EnvironmentFault(found.sentence, hint=found.hint)

    def start_phase(self, phase: int, stream: int = 0, *, progress: float | None = None) -> NDArray[Any]:
        """Begin a phase with new episodes everywhere; returns the first observations [M, N, *O].

        Args:
            phase: counts from 0; any order is allowed.
            stream: separates the episodes of several starts of one phase, such as evaluation points.
            progress: hold a drifting world still at this fraction of the phase; None: in training it moves with the
                steps, in evaluation it stands at the end of the phase.

        Raises:
            EnvironmentFault: the environment cannot be built or does not fit the phases before.
        """
        environment = self._prepare(phase, stream, progress)
        self._steps = 0
        environment.set_physics(self._physics(self._progress()))
        try:
            observation = environment.reset(self._episode_seeds())
        except EnvironmentFault as fault:
            fault.environment = self._phases[phase]["environment"]
            raise
        self._refuse(wrong_batch(observation, environment.spaces.observation, (self.members, self.envs)))
        return self._shift_observation(observation, self._progress())

    def _refuse(self, found: str | None) -> None:
        if found is not None:
            fault = EnvironmentFault(f"`{self._phases[self._phase]['environment']}` (phase {self._phase}) {found}")
            fault.environment = self._phases[self._phase]["environment"]
            raise fault

    def _taken(self, environment: BatchedEnvironment, actions: NDArray[Any]) -> Transition:
        """A step of the environment, checked until one of its episodes has ended, or for `_STEPS_CHECKED` steps."""
        try:
            transition = environment.step(actions)
        except EnvironmentFault as fault:
            fault.environment = self._phases[self._phase]["environment"]
            raise
        if environment in self._unchecked:
            self._refuse(wrong_transition(transition, environment.spaces, (self.members, self.envs)))
            self._unchecked[environment] -= 1
            if transition.finals is not None or not self._unchecked[environment]:
                del self._unchecked[environment]
        return transition

    def _prepare(self, phase: int, stream: int, progress: float | None) -> BatchedEnvironment:
        environment = self._enter(phase)
        self._phase, self._stream = phase, stream
        self._held = 1.0 if progress is None and self._purpose == "evaluation" else progress
        self._active = []
        world_keys = mix(self._shift_seeds, key_of(self._phases[phase]["environment"]))
        for index, (shift, spaces) in enumerate(zip(self._shifts, self._seen[:-1], strict=True)):
            world = World(self.members, spaces, self._count, self._worlds[phase])
            keys = mix(world_keys, index)
            target = shift.resolve(keys, self._phases[phase]["variant"], world)
            origin = None
            if shift.mode == "drift" and phase > 0:
                origin = shift.resolve(keys, self._phases[phase - 1]["variant"], world)
                origin = None if np.array_equal(origin, target) else origin
            if origin is not None or not np.array_equal(target, shift.identity(world)):
                self._active.append(_ActiveShift(index, shift, target, origin))
        self._physics_drifts = self._held is None and any(
            active.origin is not None and active.shift.physics_names for active in self._active
        )
        self._noise_keys = mix(self._episode_seeds(), key_of("noise"))
        return environment

    def _episode_seeds(self) -> SeedArray:
        return mix(self._environment_keys[:, None], self._phase, self._stream, np.arange(self.envs))

    def _progress(self) -> float:
        if self._held is not None:
            return self._held
        steps: int = self._phases[self._phase]["steps"]
        return min(1.0, self._steps * self.envs / steps)

    def _physics(self, progress: float) -> dict[str, FloatArray]:
        """Factors by parameter; shifts of the same parameter multiply."""
        factors: dict[str, FloatArray] = {}
        for active in self._active:
            for name, values in active.shift.physics_factors(active.at(progress)).items():
                factors[name] = factors[name] * values if name in factors else values
        return factors

    def _shift_observation(self, observation: NDArray[Any], progress: float) -> NDArray[Any]:
        for active in self._active:
            keys = self._noise_keys
            if active.shift.noisy:
                keys = mix(keys, self._steps, 0, active.place)
            observation = active.shift.change_observation(observation, active.at(progress), keys)
        return observation

    def _shift_finals(self, finals: Finals, progress: float) -> Finals:
        """The last observations as the learner sees them, each with its own member's values and its own noise."""
        observations, members = finals.observations[:, None], finals.rows // self.envs
        for active in self._active:
            keys = self._noise_keys.reshape(-1)[finals.rows, None]
            if active.shift.noisy:
                keys = mix(keys, self._steps, 1, active.place)
            observations = active.shift.change_observation(observations, active.at(progress)[members], keys)
        return Finals(finals.rows, observations[:, 0])

    def step(self, actions: NDArray[Any]) -> Transition:
        """Take one step everywhere; `actions` is [M, N, *spaces.action.shape].

        Raises:
            EnvironmentFault: an environment raised, or handed out what `Transition` does not declare. Non-finite
                observations and rewards are passed on unchanged.
        """
        environment = self._environment
        assert environment is not None
        if not self._active:
            self._steps += 1
            return self._taken(environment, actions)
        before = self._progress()
        if self._physics_drifts:
            environment.set_physics(self._physics(before))
        for active in self._active:
            actions = active.shift.change_action(actions, active.at(before), self.spaces.action)
        transition = self._taken(environment, actions)
        self._steps += 1
        after = self._progress()
        reward, finals = transition.reward, transition.finals
        for active in self._active:
            reward = active.shift.change_reward(reward, active.at(before))
        return transition._replace(
            observation=self._shift_observation(transition.observation, after),
            reward=reward,
            finals=None if finals is None else self._shift_finals(finals, after),
        )

    def values(self) -> list[tuple[str, NDArray[Any]]]:
        """What the shifts of the running phase do: name and values [M, ...], of those that change anything now."""
        progress = self._progress()
        return [
            (" ".join([active.shift.kind, *active.shift.physics_names]), np.asarray(active.at(progress)))
            for active in self._active
        ]

    def picture(self, row: int) -> NDArray[np.uint8] | None:
        """What environment `row` (m * N + n) looks like now, [H, W, 3], shifts of the observation left out."""
        assert self._environment is not None
        return self._environment.picture(row)

    def state(self) -> dict[str, Any]:
        """Everything needed to continue exactly: counters, and the state of the running phase's environment."""
        assert self._environment is not None
        return {
            "phase": self._phase,
            "stream": self._stream,
            "progress": self._held,
            "steps": self._steps,
            "environment": self._environment.state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from `state()` of a sequence made with the same arguments."""
        environment = self._prepare(state["phase"], state["stream"], state["progress"])
        self._steps = state["steps"]
        environment.load_state(state["environment"])

    def close(self) -> None:
        """Close all environments; calling it twice is allowed, and starting a phase builds anew."""
        for environment in self._pool.values():
            environment.close()
        self._pool.clear()
        self._unchecked.clear()
