"""Actor and critic of a cohort: two torsos, a policy head and a value head, all stacked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gtr_bench.learn.distributions import Distribution, policy_size, unpack
from gtr_bench.networks.registry import networks
from gtr_bench.networks.stacked import StackedLinear

if TYPE_CHECKING:
    from gtr_bench.environments.spaces import Spaces

__all__ = ["ActorCritic"]


class ActorCritic(nn.Module):
    """Separate torsos for actor and critic; heads with gains 0.01 and 1; state-independent log std.

    PPO details 2, 14 and 15 (algorithms A.2).
    """

    def __init__(
        self,
        network: Mapping[str, Any],
        generators: Sequence[torch.Generator],
        spaces: Spaces,
        initial_log_std: float,
    ) -> None:
        """Build for `len(generators)` members.

        Args:
            network: the job definition's `network`: torso, version and the torso's parameters.
            generators: one per member; they alone decide its initial weights.
            spaces: what the network sees and what the policy acts in.
            initial_log_std: first log standard deviation of continuous actions.
        """
        super().__init__()
        kind = networks.get(network["torso"])
        settings = {key: value for key, value in network.items() if key not in ("torso", "version")}
        parameters = kind.Parameters(**settings)
        self.actor = kind.build(parameters, generators, spaces.observation)
        self.critic = kind.build(parameters, generators, spaces.observation)
        space = spaces.action
        self.policy_head = StackedLinear(generators, self.actor.features, policy_size(space), 0.01)
        self.value_head = StackedLinear(generators, self.critic.features, 1, 1.0)
        self.space = space
        self.log_std = nn.Parameter(
            torch.full((len(generators), 1, policy_size(space) if space.kind == "continuous" else 0), initial_log_std)
        )

    def policy(self, observations: Tensor) -> Distribution:
        """`[M, B, *O]` to the action distribution `[M, B]`."""
        return unpack(self.space, self.policy_head(self.actor(observations)), self.log_std)

    def value(self, observations: Tensor) -> Tensor:
        """`[M, B, *O]` to state values `[M, B]`."""
        values: Tensor = self.value_head(self.critic(observations)).squeeze(-1)
        return values
