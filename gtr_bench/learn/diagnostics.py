"""What every on-policy algorithm logs: how far, how straight and how healthily the policy moves (gtr.md 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gtr_bench.algorithms.base import Algorithm, Sample
from gtr_bench.learn.distributions import Distribution
from gtr_bench.learn.experience import Experience, in_chunks
from gtr_bench.learn.frames import Stacks, assembled
from gtr_bench.networks.model import Model
from gtr_bench.networks.torso import Memory

__all__ = ["PROBE_SIZE", "WINDOW", "PathProbe", "dormant_fraction", "feature_rank", "policy_diagnostics"]

PROBE_SIZE = 256  # states
WINDOW = 16  # iterations
_DORMANT_SCORE = 0.025  # ReDo's threshold tau
_RANK_SHARE = 0.99  # srank: singular values that carry this share


class PathProbe:
    """Follows the policy on fixed states of a phase, as distances between distributions (mean Hellinger).

    `path_efficiency` = displacement over a window divided by the length of the path walked in it: 1 when every update
    goes the same way, near 0 when they cancel.
    """

    def __init__(self) -> None:
        self._states: Tensor | None = None  # [M, S, *O]
        self._memory: Memory | None = None  # of single steps: [M, S, H], [M, S, 1]
        self._policies: list[Tensor] = []  # packed [M, S, K], oldest first, at most WINDOW + 1
        self._steps: list[Tensor] = []  # [M] step lengths, at most WINDOW

    def restart(self) -> None:
        """A new phase begins: the next rollout gives new probe states."""
        self._states, self._memory, self._policies, self._steps = None, None, [], []

    def before_update(self, seen: Tensor | Stacks, behaviour: Distribution, memory: Memory | None = None) -> None:
        """On a phase's first rollout choose states `[M, B, *O]` evenly and remember the policy there.

        `memory` holds what a network with memory carried into each of the B samples, as units of one step.
        """
        if self._states is None:
            size = seen.shape[1]
            stride = max(1, size // PROBE_SIZE)
            # samples lie environment by environment: without the offset a stride would pick the same few
            places = torch.arange(min(PROBE_SIZE, size), device=behaviour.packed.device)
            chosen = places * size // len(places) + places % stride
            self._states = assembled(seen[:, chosen])
            self._policies = [behaviour.packed[:, chosen]]
            self._memory = None if memory is None else Memory(memory.carry[:, chosen], memory.starts[:, chosen])

    @property
    def states(self) -> tuple[Tensor, Memory | None]:
        """The probe states `[M, S, *O]` and what was carried into them."""
        assert self._states is not None, "before_update comes first"
        return self._states, self._memory

    def after_update(self, policy: Distribution) -> dict[str, Tensor]:
        """Distances walked, `[M]` each; those of the window only once it is full."""

        def distance(first: Tensor, second: Tensor) -> Tensor:
            return policy.like(first).hellinger(policy.like(second)).mean(1)

        packed = policy.packed
        step = distance(packed, self._policies[-1])
        self._policies = [*self._policies, packed][-WINDOW - 1 :]
        self._steps = [*self._steps, step][-WINDOW:]
        found = {"step_length": step}
        if len(self._steps) == WINDOW:
            length = torch.stack(self._steps).sum(0)
            displacement = distance(packed, self._policies[0])
            found |= {
                "path_length": length,
                "displacement": displacement,
                "path_efficiency": torch.where(length > 0, displacement / length, torch.nan),
            }
        return found

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        memory = None if self._memory is None else list(self._memory)
        return {
            "states": self._states,
            "memory": memory,
            "policies": list(self._policies),
            "lengths": list(self._steps),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self._states = state["states"]
        self._memory = None if state["memory"] is None else Memory(*state["memory"])
        self._policies, self._steps = list(state["policies"]), list(state["lengths"])


def dormant_fraction(layers: list[Tensor]) -> Tensor:
    """Share of hidden units whose mean |activation| is at most 0.025 of their layer's mean (ReDo), `[M]`.

    The units of a convolution are its channels, averaged over samples and places.
    """
    scores = []
    for layer in layers:
        activity = layer.abs().mean([1, *range(3, layer.dim())])  # [M, units]
        scores.append(activity / activity.mean(1, keepdim=True).clamp_min(1e-12) <= _DORMANT_SCORE)
    return torch.cat(scores, 1).float().mean(1)


def feature_rank(features: Tensor) -> Tensor:
    """srank of features `[M, S, F]`: how many singular values carry 99 % of their sum, `[M]`."""
    gram = features.double().transpose(1, 2) @ features.double()
    values = torch.linalg.eigvalsh(gram.nan_to_num(0.0, 0.0, 0.0)).clamp_min(0).sqrt().flip(-1)
    share = values.cumsum(-1) / values.sum(-1, keepdim=True).clamp_min(1e-300)
    rank: Tensor = (share < _RANK_SHARE).sum(-1).add(1).clamp_max(values.shape[-1]).float()
    return rank


@torch.no_grad()
def policy_diagnostics(model: Model, algorithm: Algorithm, experience: Experience) -> tuple[dict[str, Tensor], Sample]:
    """Over the whole rollout after the update, `[M]` each; and the sample they were computed from."""
    if algorithm.p.advantage_normalisation != "none":
        experience = experience.with_normalised_advantages()

    def packed(observations: Tensor, memory: Memory | None) -> Tensor:
        return model.policy(observations, memory).packed

    now = in_chunks(packed, experience.seen, experience.memory, model.largest_layer)
    sample = experience.sample(experience.behaviour.like(now))
    log_ratio = sample.log_ratio
    ratio = log_ratio.exp()
    spread = experience.returns.var(1)
    unexplained = (experience.returns - experience.values).var(1)
    found = {
        "entropy": sample.policy.entropy().mean(1),
        "approx_kl": (ratio - 1 - log_ratio).mean(1),
        "exact_kl": sample.behaviour.kl(sample.policy).mean(1),
        "explained_variance": torch.where(spread > 0, 1 - unexplained / spread, torch.nan),
    }
    clip_range = getattr(algorithm.p, "clip_range", None)
    if clip_range is not None:
        found["clip_fraction"] = ((ratio - 1).abs() > clip_range).float().mean(1)
    penalty = algorithm.objective(sample)[1]
    if penalty is not None:
        found["penalty"] = penalty.mean(1)
    return found, sample
