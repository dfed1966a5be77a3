"""A cohort's learner: networks, optimizer, algorithm and statistics of M members, and one iteration of learning."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gtr_bench.algorithms.registry import algorithms
from gtr_bench.environments.spaces import Spaces
from gtr_bench.learn.clock import Clock
from gtr_bench.learn.columns import COLUMNS
from gtr_bench.learn.diagnostics import WINDOW, PathProbe, dormant_fraction, feature_rank, policy_diagnostics
from gtr_bench.learn.estimate import estimate
from gtr_bench.learn.experience import Experience
from gtr_bench.learn.normalise import ObservationNormaliser, RewardNormaliser
from gtr_bench.learn.optimizer import Optimizer
from gtr_bench.learn.rollout import Trajectory
from gtr_bench.learn.stacking import column, stack_parameters
from gtr_bench.learn.streams import Streams
from gtr_bench.learn.update import Update
from gtr_bench.learners.columns import logged
from gtr_bench.networks.model import Model
from gtr_bench.plasticity.build import build_add_ons

__all__ = ["Learner"]


class Learner:
    """M members that learn in lock-step; each one's random streams depend on its own seed alone.

    Attributes:
        carry: `[M, N, H]`, what a network with memory carries into the next step; None without memory.
        sequence_length: L, steps per unit of learning; 1 without memory.
    """

    def __init__(
        self,
        definitions: Sequence[Mapping[str, Any]],
        seeds: Sequence[int],
        spaces: Spaces,
        device: torch.device,
    ) -> None:
        """Build the members.

        Args:
            definitions: job definitions that differ in seed and scalar parameters only.
            seeds: learner seeds, one per member.
            spaces: what the policies see and act in.
            device: where tensors live.
        """
        first, members = definitions[0], len(definitions)
        self.kind = algorithms.get(first["algorithm"]["name"])
        rows = [definition["algorithm"]["parameters"] for definition in definitions]
        self.p: Any = stack_parameters(self.kind.Parameters, rows, device)
        self.members, self.device = members, device
        self._network_settings, self.spaces, self.seeds = first["network"], spaces, list(seeds)
        self.discounts = column(self.p.gamma, members).numpy(), column(self.p.gae_lambda, members).numpy()
        self.frozen: NDArray[np.bool_] = np.zeros(members, np.bool_)
        # One stream for weights, actions and shuffling, as the first jobs were trained; what came later has its own.
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.streams = Streams(seeds)
        self.add_ons = build_add_ons(definitions, device)
        self.observation_normaliser = (
            ObservationNormaliser(members, spaces.observation.size) if self.p.observation_normalisation else None
        )
        self.reward_normaliser = RewardNormaliser(members, self.p.num_envs) if self.p.reward_normalisation else None
        self.probe = PathProbe()
        self._previous_update: Tensor | None = None
        self.sequence_length = 1
        self.carry: Tensor | None = None
        self._build()

    def _build(self) -> None:
        self.model = Model(self._network_settings, self.generators, self.spaces, self.p.initial_log_std, self.device)
        self.optimizer = Optimizer(
            self.p.optimizer,
            self.model.data,
            epsilon=self.p.optimizer_epsilon,
            beta1=self.p.adam_beta1,
            beta2=self.p.adam_beta2,
        )
        self.algorithm = self.kind(self.p, self.members)
        if self.model.carry_size:
            self.sequence_length = int(self._network_settings["sequence_length"])
        self.carry = self.model.first_carry(self.p.num_envs)
        for add_on in self.add_ons:
            add_on.attach(self.model, self.streams[f"add_on.{add_on.name}"])

    def start_phase(self, phase: int) -> None:
        """What happens to the learner at a shift: nothing, unless its parameters or its add-ons say so."""
        self.probe.restart()
        if self.reward_normaliser is not None:
            self.reward_normaliser.start_episodes()
        if phase == 0:
            return
        if self.p.reset_normalisation_at_shift or self.kind.starts_anew_at_shift:
            for normaliser in (self.observation_normaliser, self.reward_normaliser):
                if normaliser is not None:
                    normaliser.reset()
        if self.kind.starts_anew_at_shift:
            self._build()
            self._previous_update = None
        for add_on in self.add_ons:
            if add_on.needs_boundaries:
                add_on.at_shift(self.model, self.optimizer, phase)

    def learn(self, trajectory: Trajectory, progress: float, iteration: int, clock: Clock) -> dict[str, Tensor]:
        """One iteration on a rollout: estimate, improve, diagnose. Returns the diagnostics, `[M]` each.

        A member whose rollout or update is not finite is put back to its parameters before the update and frozen.

        Args:
            progress: share of the whole sequence done before this rollout (learning-rate schedule).
            iteration: counted over the whole run; rank and dormancy are computed every 16th.
        """
        started = time.perf_counter()
        self.frozen = self.frozen | ~trajectory.finite
        before = self.model.data.clone()
        with torch.no_grad():
            experience, single_steps = estimate(self, trajectory, progress, iteration)
        self.probe.before_update(experience.seen, experience.behaviour, single_steps)
        rate = self.p.learning_rate * (1 - progress if self.p.learning_rate_schedule == "linear" else 1.0)
        update = Update(
            self.model,
            self.optimizer,
            self.algorithm,
            add_ons=self.add_ons,
            generators=self.generators,
            rate=rate,
            active=torch.from_numpy(~self.frozen).to(self.device),
        )
        found = dict(logged("algorithm", self.algorithm, self.algorithm.improve(update, experience), COLUMNS))
        for add_on in self.add_ons:
            found |= logged("add-on", add_on, add_on.after_iteration(self.model, self.optimizer, experience))
        self._freeze(before)
        updated = time.perf_counter()
        clock.add("update", updated - started)
        with torch.no_grad():
            found |= self._diagnose(experience, before, iteration)
        found["learning_rate"] = torch.as_tensor(rate, device=self.device).expand(self.members, 1).squeeze(1)
        clock.add("diagnostics", time.perf_counter() - updated)
        return found

    def _freeze(self, before: Tensor) -> None:
        """Put members back whose parameters are not finite, and for good; add-ons cannot move a frozen one."""
        finite = self.model.data.isfinite().all(1)
        self.frozen = self.frozen | ~finite.cpu().numpy()
        if self.frozen.any():
            kept = torch.from_numpy(self.frozen).to(self.device).unsqueeze(1)
            self.model.data.copy_(torch.where(kept, before, self.model.data))

    def _diagnose(self, experience: Experience, before: Tensor, iteration: int) -> dict[str, Tensor]:
        found, sample = policy_diagnostics(self.model, self.algorithm, experience)
        self.algorithm.after_iteration(sample)
        found |= logged("algorithm", self.algorithm, self.algorithm.diagnose(sample))
        found |= self.probe.after_update(self.model.policy(*self.probe.states))
        update = self.model.data - before
        if self._previous_update is not None:
            found["turning"] = torch.cosine_similarity(update, self._previous_update, dim=1)
        self._previous_update = update
        found["weight_norm"] = torch.linalg.vector_norm(self.model.data, dim=1)
        if iteration % WINDOW == 0:
            layers = self.model.hidden_layers(*self.probe.states)
            found |= {"dormant_fraction": dormant_fraction(layers), "feature_rank": feature_rank(layers[-1])}
        return found

    def state(self) -> dict[str, Any]:
        """All that learning depends on, for a checkpoint."""
        normalisers = {
            "observations": None
            if self.observation_normaliser is None
            else self.observation_normaliser.moments.state(),
            "rewards": None if self.reward_normaliser is None else self.reward_normaliser.state(),
        }
        return {
            "parameters": self.model.data,
            "carry": self.carry,
            "optimizer": self.optimizer.state(),
            "algorithm": self.algorithm.state(),
            "add_ons": {add_on.name: add_on.state() for add_on in self.add_ons},
            "generators": [generator.get_state() for generator in self.generators],
            "streams": self.streams.state(),
            "normalisers": normalisers,
            "probe": self.probe.state(),
            "previous_update": self._previous_update,
            "frozen": self.frozen,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self.model.data.copy_(state["parameters"])
        self.carry = state["carry"]
        self.optimizer.load_state(state["optimizer"])
        self.algorithm.load_state(state["algorithm"])
        for add_on in self.add_ons:
            add_on.load_state(state["add_ons"][add_on.name])
        for generator, saved in zip(self.generators, state["generators"], strict=True):
            generator.set_state(saved)
        self.streams.load_state(state["streams"])
        if self.observation_normaliser is not None:
            self.observation_normaliser.load_state(state["normalisers"]["observations"])
        if self.reward_normaliser is not None:
            self.reward_normaliser.load_state(state["normalisers"]["rewards"])
        self.probe.load_state(state["probe"])
        self._previous_update = state["previous_update"]
        self.frozen = state["frozen"]
