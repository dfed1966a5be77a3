"""A cohort's whole life: phases of rollouts and updates, evaluation points, shifts. Knows no files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from gtr_bench.environments.sequence import SequenceEnvironment
from gtr_bench.learn.clock import Clock
from gtr_bench.learn.evaluate import Evaluation, evaluate
from gtr_bench.learn.learner import Learner
from gtr_bench.learn.policy_file import POLICY_FILE, save_policy
from gtr_bench.learn.records import Records
from gtr_bench.learn.rollout import Collector, Trajectory
from gtr_bench.learn.state_file import load_state, save_state
from gtr_bench.learn.timeline import Rollout, timeline
from gtr_bench.learners.columns import FRAME, columns_of
from gtr_bench.suite.seeds import derive_seeds

__all__ = ["EVALUATION_COLUMNS", "POINTS", "Training"]

EVALUATION_ENVIRONMENTS_KEPT = 512
"""Single environments, tasks x M x episodes, that stay built between points where every phase is evaluated at each:
ten tasks for five members with ten episodes. The heaviest common ones, dm_control's, take 12 MB each."""

STATE_FILE = "state.pt"
POINTS = ("start", "grid", "before_shift", "after_shift", "end")
EVALUATION_COLUMNS = (
    "step", "phase", "evaluated_phase", "point", "episodes", "return_mean", "return_std", "length_mean", "success_rate",
    "test_return_mean", "achievements",
)  # fmt: skip
_ACHIEVEMENT = "achievement."
"""Before the names of the columns from which `achievements` is put together."""


class Training:
    """Members in lock-step through one sequence.

    Attributes:
        step: environment steps each member has taken; steps: the whole sequence's; phase: the running one.
        training_return: mean return over members of the episodes ended in the last rollout, or None.
        diverged: per member the step at which it was frozen, -1 while it learns; messages: why.
    """

    def __init__(
        self,
        definitions: Sequence[Mapping[str, Any]],
        device: torch.device,
        pulse: Callable[[Training, str], None] = lambda training, state: None,
    ) -> None:
        """Build environments and learners.

        Args:
            definitions: job definitions that a cohort may hold together.
            device: where tensors live.
            pulse: called at every environment step with this training and `running` or `evaluating`: a sign of life.
        """
        self._pulse = pulse
        first, self._definitions = definitions[0], definitions
        parameters, self._evaluation = first["algorithm"]["parameters"], first["evaluation"]
        self.members, self._envs = len(definitions), int(parameters["num_envs"])
        self._sequence = first["sequence"]
        phases = [int(phase["steps"]) for phase in self._sequence["phases"]]
        evaluates = self._evaluation["episodes"] > 0
        self._timeline: list[Rollout] = timeline(
            phases,
            self._envs,
            int(parameters["num_steps"]),
            self._evaluation["every"] if evaluates else None,
            int(first["network"].get("sequence_length", 1)),
        )
        self.steps, self.phases = sum(phases), len(phases)
        self._phase_steps, self._phase_starts = phases, np.cumsum([0, *phases]).tolist()
        self._seeds = [derive_seeds(definition) for definition in definitions]
        environment = self._environment("training", self._envs)
        self._evaluation_environment: SequenceEnvironment | None = None
        self._test_environment: SequenceEnvironment | None = None
        self.collector = Collector(environment, self.members, self._envs)
        self.learner = Learner(
            definitions,
            [seeds.learner for seeds in self._seeds],
            environment.spaces,
            device,
        )
        self._has_success = environment.spaces.has_success
        self.clock = Clock()
        self.iterations = Records((*FRAME, *columns_of(first)), self.members)
        achievements = [_ACHIEVEMENT + name for name in environment.all_achievements]
        self.evaluations = Records((*EVALUATION_COLUMNS, *achievements), self.members)
        self.position, self.step, self.phase = 0, 0, 0
        self.training_return: float | None = None
        self.diverged: NDArray[np.int64] = np.full(self.members, -1)
        self.messages = [""] * self.members
        self._last_iteration = np.full(self.members, len(self._timeline))
        self._last_evaluation = np.full(self.members, 1 << 60)

    def _environment(
        self, purpose: Literal["training", "evaluation"], envs: int, options: Mapping[str, Any] | None = None
    ) -> SequenceEnvironment:
        kept = 1
        if purpose == "evaluation" and self._evaluation["all_phases"]:
            kept = max(1, EVALUATION_ENVIRONMENTS_KEPT // (self.members * envs))
        return SequenceEnvironment(
            self._sequence,
            members=self.members,
            envs=envs,
            environment_seeds=[seeds.environment for seeds in self._seeds],
            shift_seeds=[seeds.shift for seeds in self._seeds],
            purpose=purpose,
            environments_kept=kept,
            options=options,
        )

    @property
    def finished(self) -> bool:
        """Whether nothing is left to learn."""
        return self.position == len(self._timeline) or bool((self.diverged >= 0).all())

    def run(self, after_iteration: Callable[[], bool]) -> None:
        """Train until the end, or until `after_iteration` (called after every iteration) returns False."""
        if self.position == 0:
            self._start_phase(0)
            self._evaluate("start")
        while not self.finished:
            self._iterate(self._timeline[self.position])
            if not after_iteration():
                return

    def _start_phase(self, phase: int) -> None:
        self.phase = phase
        self.learner.start_phase(phase)
        self.collector.start_phase(phase, self.learner.observation_normaliser)

    def _iterate(self, rollout: Rollout) -> None:
        """One rollout, one update, and what is due after it: a row, an evaluation, a shift."""
        frozen = self.learner.frozen
        trajectory = self.collector.collect(
            rollout.length,
            self.learner.model,
            self.learner.carry,
            self.learner.generators,
            self.learner.observation_normaliser,
            frozen,
            self.clock,
            lambda: self._pulse(self, "running"),
        )
        found = self.learner.learn(trajectory, self.step / self.steps, self.position, self.clock)
        self.step += rollout.length * self._envs
        self._record(trajectory, found)
        self.position += 1
        self._note_divergence(frozen, trajectory)
        last = self.position == len(self._timeline)
        if rollout.evaluate:
            self._evaluate("grid")
        elif rollout.ends_phase:
            self._evaluate("end" if last else "before_shift")
        if rollout.ends_phase and not last:
            self._start_phase(rollout.phase + 1)
            self._evaluate("after_shift")

    def _note_divergence(self, before: NDArray[np.bool_], trajectory: Trajectory) -> None:
        for member in np.flatnonzero(self.learner.frozen & ~before):
            self.diverged[member] = self.step
            self._last_iteration[member] = self.position
            self._last_evaluation[member] = len(self.evaluations)
            self.messages[member] = (
                "the update gave parameters that are not finite"
                if trajectory.finite[member]
                else "the environment gave an observation or a reward that is not finite"
            )

    def _record(self, trajectory: Trajectory, found: Mapping[str, torch.Tensor]) -> None:
        episodes = trajectory.episodes
        none, count = episodes == 0, np.maximum(episodes, 1)
        returns = trajectory.returns / count
        row: dict[str, float | NDArray[Any]] = {
            "iteration": self.position,
            "step": self.step,
            "phase": self.phase,
            "episodes": episodes,
            "training_return": returns,
            "episode_length": trajectory.lengths / count,
        }
        unknown = {"training_return": none, "episode_length": none}
        if self._has_success:
            row["success_rate"] = trajectory.successes / count
            unknown["success_rate"] = none
        names = list(found)
        table = torch.stack([found[name].float() for name in names]).cpu().numpy()
        row |= dict(zip(names, table, strict=True))
        self.iterations.append(row, unknown)
        ended = returns[~none & ~self.learner.frozen]
        self.training_return = float(ended.mean()) if len(ended) else self.training_return

    def _evaluate(self, point: str) -> None:
        settings = self._evaluation
        if settings["episodes"] == 0:
            return
        with self.clock.measure("evaluation"):
            if self._evaluation_environment is None:
                episodes, test = int(settings["episodes"]), self._sequence.get("test")
                self._evaluation_environment = self._environment("evaluation", episodes)
                self._test_environment = self._environment("evaluation", episodes, test) if test else None
            start = self._phase_starts[self.phase]
            progress = (self.step - start) / self._phase_steps[self.phase]
            others = [p for p in range(self.phases) if p != self.phase] if settings["all_phases"] else []
            for phase in [self.phase, *others]:
                self._evaluate_phase(
                    self._evaluation_environment, phase, point, progress if phase == self.phase else None
                )

    def _evaluate_phase(self, environment: SequenceEnvironment, phase: int, point: str, progress: float | None) -> None:
        def evaluated(world: SequenceEnvironment) -> Evaluation:
            return evaluate(
                self.learner,
                world,
                phase,
                len(self.evaluations),
                deterministic=self._evaluation["deterministic"],
                progress=progress,
                pulse=lambda: self._pulse(self, "evaluating"),
            )

        result = evaluated(environment)
        row: dict[str, float | NDArray[Any]] = {
            "step": self.step,
            "phase": self.phase,
            "evaluated_phase": phase,
            "point": POINTS.index(point),
            "episodes": environment.envs,
            "return_mean": result.return_mean,
            "return_std": result.return_std,
            "length_mean": result.length_mean,
        }
        if result.success_rate is not None:
            row["success_rate"] = result.success_rate
        row |= {_ACHIEVEMENT + name: rate for name, rate in result.achievements.items()}
        if self._test_environment is not None:
            row["test_return_mean"] = evaluated(self._test_environment).return_mean
        self.evaluations.append(row)

    def keep(self, member: int, folder: Path, labels: Mapping[str, Any]) -> None:
        """Write a finished member's policy into the job's folder; `labels` go into its description."""
        last = self.phases if self._evaluation["all_phases"] else 1  # rows of the last point, its own phase first
        point = len(self.evaluations) - last
        save_policy(
            self.learner,
            member,
            folder / POLICY_FILE,
            {**labels, "definition": self._definitions[member], "point": point},
        )

    def rows_of(self, member: int) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
        """Evaluation and iteration columns of one member; a diverged member's end where it was frozen."""
        evaluations = self.evaluations.of_member(member, int(self._last_evaluation[member]))
        iterations = self.iterations.of_member(member, int(self._last_iteration[member]))
        whole = {"step", "phase", "evaluated_phase", "episodes", "iteration"}
        for table in (evaluations, iterations):
            for name in whole & table.keys():
                table[name] = [None if value is None else int(value) for value in table[name]]
        named: dict[str, list[Any]] = {name: evaluations[name] for name in EVALUATION_COLUMNS}
        named["achievements"] = _by_row(evaluations)
        named["point"] = [POINTS[int(value or 0)] for value in evaluations["point"]]
        return named, dict(iterations)

    def state(self) -> dict[str, Any]:
        """Everything needed to continue exactly."""
        return {
            "position": self.position,
            "step": self.step,
            "phase": self.phase,
            "training_return": self.training_return,
            "diverged": self.diverged,
            "messages": list(self.messages),
            "last_iteration": self._last_iteration,
            "last_evaluation": self._last_evaluation,
            "clock": dict(self.clock.seconds),
            "learner": self.learner.state(),
            "collector": self.collector.state(),
            "iterations": self.iterations.state(),
            "evaluations": self.evaluations.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from `state()` of a training built from the same definitions."""
        self.position, self.step, self.phase = state["position"], state["step"], state["phase"]
        self.training_return = state["training_return"]
        self.diverged, self.messages = state["diverged"], list(state["messages"])
        self._last_iteration, self._last_evaluation = state["last_iteration"], state["last_evaluation"]
        self.clock.seconds.update(state["clock"])
        self.learner.load_state(state["learner"])
        self.collector.load_state(state["collector"])
        self.iterations.load_state(state["iterations"])
        self.evaluations.load_state(state["evaluations"])

    def save(self, folder: Path) -> None:
        """Write everything needed to continue exactly into `folder`."""
        save_state(folder / STATE_FILE, self.state())

    def load(self, folder: Path) -> None:
        """Continue from what `save` wrote; raises ResultsError where that is damaged."""
        self.load_state(load_state(folder / STATE_FILE, self.learner.device))

    def close(self) -> None:
        """Close all environments."""
        self.collector.environment.close()
        for environment in (self._evaluation_environment, self._test_environment):
            if environment is not None:
                environment.close()


def _by_row(evaluations: Mapping[str, Sequence[float | None]]) -> list[list[tuple[str, float]] | None]:
    """The success rates of the achievements of each row, by name; None where there are none."""
    rates = [(name.removeprefix(_ACHIEVEMENT), evaluations[name]) for name in evaluations if _ACHIEVEMENT in name]
    rows = range(len(evaluations["step"]))
    return [[(name, rate) for name, of in rates if (rate := of[row]) is not None] or None for row in rows]
