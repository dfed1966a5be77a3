"""A cohort's learner: networks, optimizer, algorithm and statistics of M members, and one iteration of learning."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gtr_bench.algorithms.base import Batch
from gtr_bench.algorithms.registry import algorithms
from gtr_bench.learn.advantages import generalised_advantages
from gtr_bench.learn.clock import Clock
from gtr_bench.learn.diagnostics import WINDOW, PathProbe, dormant_fraction, feature_rank, policy_diagnostics
from gtr_bench.learn.distributions import Distribution
from gtr_bench.learn.improve import Experience, improve
from gtr_bench.learn.normalise import ObservationNormaliser, RewardNormaliser
from gtr_bench.learn.optimizer import Optimizer
from gtr_bench.learn.rollout import Trajectory
from gtr_bench.learn.stacking import column, stack_parameters
from gtr_bench.networks.actor_critic import ActorCritic
from gtr_bench.networks.stacked import FlatParameters

if TYPE_CHECKING:
    from gtr_bench.environments.spaces import Spaces

__all__ = ["Learner"]


class Learner:
    """M members that learn in lock-step; each one's random streams depend on its own seed alone."""

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
            spaces: what the members see and do.
            device: where tensors live.
        """
        first, members = definitions[0], len(definitions)
        kind = algorithms.get(first["algorithm"]["name"])
        rows = [definition["algorithm"]["parameters"] for definition in definitions]
        self.p: Any = stack_parameters(kind.Parameters, rows, device)
        self.members, self.device = members, device
        self._kind, self._network_settings = kind, first["network"]
        self._spaces, self.seeds = spaces, list(seeds)
        self._gamma = column(self.p.gamma, members).numpy()
        self._lambda = column(self.p.gae_lambda, members).numpy()
        self.frozen: NDArray[np.bool_] = np.zeros(members, np.bool_)
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.observation_normaliser = (
            ObservationNormaliser(members, spaces.observation.size) if self.p.observation_normalisation else None
        )
        self.reward_normaliser = RewardNormaliser(members, self.p.num_envs) if self.p.reward_normalisation else None
        self.probe = PathProbe()
        self._previous_update: Tensor | None = None
        self._build()

    def _build(self) -> None:
        self.network = ActorCritic(self._network_settings, self.generators, self._spaces, self.p.initial_log_std).to(
            self.device
        )
        self.flat = FlatParameters(self.network, self.members)
        self.optimizer = Optimizer(
            self.p.optimizer,
            self.flat.data,
            epsilon=self.p.optimizer_epsilon,
            beta1=self.p.adam_beta1,
            beta2=self.p.adam_beta2,
        )
        self.algorithm = self._kind(self.p, self.members)

    def start_phase(self, phase: int) -> None:
        """What happens to the learner at a shift: nothing, unless its parameters say so."""
        self.probe.restart()
        if self.reward_normaliser is not None:
            self.reward_normaliser.start_episodes()
        if phase == 0:
            return
        if self.p.reset_normalisation_at_shift or self._kind.starts_anew_at_shift:
            for normaliser in (self.observation_normaliser, self.reward_normaliser):
                if normaliser is not None:
                    normaliser.reset()
        if self._kind.starts_anew_at_shift:
            self._build()
            self._previous_update = None

    def learn(self, trajectory: Trajectory, progress: float, iteration: int, clock: Clock) -> dict[str, Tensor]:
        """One iteration on a rollout: estimate, improve, diagnose. Returns the diagnostics, `[M]` each.

        A member whose rollout or update is not finite is put back to its parameters before the update and frozen.

        Args:
            progress: share of the whole sequence done before this rollout (learning-rate schedule).
            iteration: counted over the whole run; rank and dormancy are computed every 16th.
        """
        started = time.perf_counter()
        self.frozen = self.frozen | ~trajectory.finite
        before = self.flat.data.clone()
        with torch.no_grad():
            experience = self._experience(trajectory)
        self.probe.before_update(experience.observations, experience.behaviour)
        rate = self.p.learning_rate * (1 - progress if self.p.learning_rate_schedule == "linear" else 1.0)
        active = torch.from_numpy(~self.frozen).to(self.device)
        found = improve(
            self.network, self.flat, self.optimizer, self.algorithm, experience, self.generators, rate, active
        )
        finite = self.flat.data.isfinite().all(1)
        if not bool(finite.all()):
            self.flat.data.copy_(torch.where(finite.unsqueeze(1), self.flat.data, before))
            self.frozen = self.frozen | ~finite.cpu().numpy()
        updated = time.perf_counter()
        clock.add("update", updated - started)
        with torch.no_grad():
            found |= self._diagnose(experience, before, iteration)
        found["learning_rate"] = torch.as_tensor(rate, device=self.device).expand(self.members, 1).squeeze(1)
        clock.add("diagnostics", time.perf_counter() - updated)
        return found

    def _experience(self, trajectory: Trajectory) -> Experience:
        """Estimate: values and advantages of a rollout, and what the algorithm prepares from it."""
        observations = torch.from_numpy(trajectory.observations).flatten(1, 2).to(self.device)
        actions = torch.from_numpy(trajectory.actions).flatten(1, 2).to(self.device)
        behaviour = _kept(self.network.policy(observations))
        values = self.network.value(observations)
        by_step = values.cpu().numpy().reshape(trajectory.rewards.shape)
        rewards, ended = trajectory.rewards, trajectory.terminated | trajectory.truncated
        time_first = [np.moveaxis(array, 1, 0) for array in (rewards, by_step, trajectory.terminated, ended)]
        if self.reward_normaliser is not None:
            time_first[0] = self.reward_normaliser(time_first[0], time_first[3], self._gamma)
        advantages = generalised_advantages(
            time_first[0].astype(np.float32), time_first[1], self._next_values(trajectory, by_step),
            time_first[2], time_first[3], self._gamma, self._lambda,
        )  # fmt: skip
        flat = torch.from_numpy(np.ascontiguousarray(np.moveaxis(advantages, 0, 1))).flatten(1, 2).to(self.device)
        returns = flat + values
        episodes = np.maximum(trajectory.episodes, 1)
        mean_return = np.where(trajectory.episodes > 0, trajectory.returns / episodes, np.nan).astype(np.float32)
        batch = Batch(
            observations=observations,
            actions=actions,
            behaviour=behaviour,
            advantages=flat,
            returns=returns,
            training_return=torch.from_numpy(mean_return).to(self.device),
            parameters=self.flat.data,
            evaluate=lambda parameters: self._policy_of(parameters, observations),
        )
        columns = self.algorithm.prepare(batch)
        return Experience(observations, actions, behaviour, behaviour.log_prob(actions), values, flat, returns, columns)

    def _policy_of(self, parameters: Tensor, observations: Tensor) -> Distribution:
        with self.flat.swapped(parameters):
            return _kept(self.network.policy(observations))

    def _next_values(self, trajectory: Trajectory, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """`[T, M, N]`: the value of the state each step led to, of the final observation where one was truncated."""
        following = np.empty_like(values)
        following[:, :-1] = values[:, 1:]
        following[:, -1] = self._values(trajectory.last_observation)
        if (cuts := trajectory.cuts) is not None:
            own = [np.flatnonzero(cuts.member == member) for member in range(self.members)]
            padded = np.zeros((self.members, max(map(len, own)), *cuts.observations.shape[1:]), cuts.observations.dtype)
            for member, places in enumerate(own):
                padded[member, : len(places)] = cuts.observations[places]
            final_values = self._values(padded)
            for member, places in enumerate(own):
                following[member, cuts.step[places], cuts.env[places]] = final_values[member, : len(places)]
        return np.moveaxis(following, 1, 0)

    def _values(self, observations: NDArray[Any]) -> NDArray[np.float32]:
        values: NDArray[np.float32] = self.network.value(torch.from_numpy(observations).to(self.device)).cpu().numpy()
        return values

    def _diagnose(self, experience: Experience, before: Tensor, iteration: int) -> dict[str, Tensor]:
        found, sample = policy_diagnostics(self.network, self.algorithm, experience)
        self.algorithm.after_iteration(sample)
        found |= self.algorithm.diagnose(sample)
        found |= self.probe.after_update(self.network.policy(self.probe.states))
        update = self.flat.data - before
        if self._previous_update is not None:
            found["turning"] = torch.cosine_similarity(update, self._previous_update, dim=1)
        self._previous_update = update
        found["weight_norm"] = torch.linalg.vector_norm(self.flat.data, dim=1)
        if iteration % WINDOW == 0:
            layers = self.network.actor.hidden_layers(self.probe.states)
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
            "parameters": self.flat.data,
            "optimizer": self.optimizer.state(),
            "algorithm": self.algorithm.state(),
            "generators": [generator.get_state() for generator in self.generators],
            "normalisers": normalisers,
            "probe": self.probe.state(),
            "previous_update": self._previous_update,
            "frozen": self.frozen,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self.flat.data.copy_(state["parameters"])
        self.optimizer.load_state(state["optimizer"])
        self.algorithm.load_state(state["algorithm"])
        for generator, saved in zip(self.generators, state["generators"], strict=True):
            generator.set_state(saved)
        if self.observation_normaliser is not None:
            self.observation_normaliser.load_state(state["normalisers"]["observations"])
        if self.reward_normaliser is not None:
            self.reward_normaliser.load_state(state["normalisers"]["rewards"])
        self.probe.load_state(state["probe"])
        self._previous_update = state["previous_update"]
        self.frozen = state["frozen"]


def _kept(policy: Distribution) -> Distribution:
    """The same distribution, no longer tied to the network: a Gaussian's log_std is a view of its parameters."""
    return policy.like(policy.packed)
