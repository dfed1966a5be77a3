"""The networks of a cohort: policy and value of M members over one flat tensor of parameters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gtr_bench.environments.spaces import Spaces
from gtr_bench.learn.distributions import Distribution, choose, policy_size, unpack
from gtr_bench.networks.registry import networks
from gtr_bench.networks.stacked import StackedLinear
from gtr_bench.networks.torso import Memory, StackedMLP, Torso, UnitLayer
from gtr_bench.networks.twin import Twin, Workspace

__all__ = ["Model", "Outputs"]

BOTH = ("policy", "value")


class Outputs(NamedTuple):
    """What the heads that were asked for say, `[M, B]` each; None for the others."""

    policy: Distribution
    value: Tensor


class Model(nn.Module):
    """Actor and critic with a torso each, or one for both (`shared`); heads with gains 0.01 and 1.

    The log standard deviation of continuous actions does not depend on the state (algorithms A.2,
    details 2, 14 and 15).

    Attributes:
        data: `[M, P]`, all parameters of all members. Clipping, optimizer steps and snapshots are single operations
            on it, each member's row its own; the modules' parameters are views of it.
        carry_size: H, numbers carried from step to step, actor's before critic's; 0 without memory.
    """

    data: Tensor

    def __init__(
        self,
        network: Mapping[str, Any],
        generators: Sequence[torch.Generator],
        spaces: Spaces,
        initial_log_std: float,
        device: torch.device | None = None,
    ) -> None:
        """Build for `len(generators)` members.

        Args:
            network: the job definition's `network`: torso, version, whether it is shared, and the torso's parameters.
            generators: one per member; they alone decide its initial weights.
            spaces: what the networks see and act in.
            initial_log_std: first log standard deviation of continuous actions.
            device: where the parameters live; the CPU by default.
        """
        super().__init__()
        kind = networks.get(network["torso"])
        own = ("torso", "version", "shared")
        parameters = kind.Parameters(**{key: value for key, value in network.items() if key not in own})
        self.members, self.spaces, self.shared = len(generators), spaces, bool(network.get("shared", False))
        self.actor: Torso = kind.build(parameters, generators, spaces.observation)
        self.critic: Torso = self.actor if self.shared else kind.build(parameters, generators, spaces.observation)
        size = policy_size(spaces.action)
        self.policy_head = StackedLinear(generators, self.actor.features, size, 0.01, self.actor.initial)
        self.value_head = StackedLinear(generators, self.critic.features, 1, 1.0, self.critic.initial)
        width = size if spaces.action.kind == "continuous" else 0
        self.log_std = nn.Parameter(torch.full((self.members, 1, width), initial_log_std))
        self.carry_size = self.actor.carry_size + (0 if self.shared else self.critic.carry_size)
        self.largest_layer = max(self.actor.largest_layer, self.critic.largest_layer)
        self.to(device)
        self._gather()

    def _gather(self) -> None:
        """Move all parameters into `data`, in the stacked pair's order where actor and critic are one."""
        # a parameter without elements (the log std of discrete policies) has no gradient
        owned = {name: parameter for name, parameter in self.named_parameters() if parameter.numel()}
        self._names = {id(parameter): name for name, parameter in owned.items()}
        self._owned = list(owned.values())
        self._twin = self._stacked_pair()
        self._actors: dict[int, Callable[[Tensor], Tensor]] = {}
        size = self._twin.size if self._twin else sum(each[0].numel() for each in self._owned)
        self.data = torch.zeros(self.members, size, device=self._owned[0].device)
        for parameter in self._owned:
            view = self.view(self.data, parameter)
            view.copy_(parameter.detach())
            parameter.data = view
        self._leaf = self.data.detach().requires_grad_()
        self._leaf_stack = None if self._twin is None else self._twin.stack(self.data)

    def _stacked_pair(self) -> Twin | None:
        """What runs actor and critic as one; None where they are no perceptrons of equal shape."""
        if self.shared or not (isinstance(self.actor, StackedMLP) and isinstance(self.critic, StackedMLP)):
            return None
        hidden, outputs = self.actor.hidden, policy_size(self.spaces.action)
        kind, width = self.actor.activation_name, self.log_std.shape[2]
        return Twin(self.spaces.observation.size, hidden, outputs, kind, deviations=width)

    def view(self, flat: Tensor, parameter: nn.Parameter) -> Tensor:
        """The part of a tensor `[M, P]` that belongs to a parameter, in the parameter's shape; shares memory."""
        if self._twin is not None:
            return self._twin.named(flat)[self._names[id(parameter)]]
        place = next(index for index, each in enumerate(self._owned) if each is parameter)
        start = sum(each[0].numel() for each in self._owned[:place])
        return flat[:, start : start + parameter[0].numel()].view(parameter.shape)

    def joined(self) -> Tensor:
        """All parameters `[M, P]` in the order of `data`, for a loss: it carries their gradient."""
        if self._twin is not None:
            return self._leaf
        return torch.cat([parameter.reshape(self.members, -1) for parameter in self._owned], 1)

    @property
    def is_stacked(self) -> bool:
        """Whether actor and critic run as one stack, and have a `workspace`."""
        return self._twin is not None

    def workspace(self, samples: int) -> Workspace:
        """Where the stacked pair passes over `samples` per member without autograd."""
        assert self._twin is not None, "only a stacked pair has a workspace"
        return Workspace(self._twin, self.data, samples)

    def critic_alone(self) -> Tensor:
        """Bool `[P]`: the parameters that values depend on and policies do not."""
        chosen = torch.zeros_like(self.data)
        for part in [self.value_head] if self.shared else [self.critic, self.value_head]:
            for parameter in part.parameters():
                self.view(chosen, parameter).fill_(1)
        return chosen[0].bool()

    def evaluate(self, observations: Tensor, memory: Memory | None = None, heads: Collection[str] = BOTH) -> Outputs:
        """Policy and value of observations `[M, B, *O]`; one pass through the torso where it is shared.

        Args:
            observations: of U units of L consecutive steps, B = U x L, a unit's steps side by side.
            memory: what networks with memory carry into the units; None for networks without.
            heads: which of `policy` and `value` are needed; the others are None. Both of perceptrons of equal shape
                come from one stacked pass, which is differentiable once; one head alone as often as one likes.
        """
        if self._twin is not None and ("policy" in heads and "value" in heads):
            found = self._twin.evaluate(self._leaf, observations, self._leaf_stack)
            return Outputs(unpack(self.spaces.action, found.policy, found.log_std), found.values)
        if self._twin is not None and not torch.is_grad_enabled():
            return self._alone(self._twin, observations, heads)
        policy: Any = None
        value: Any = None
        features: Tensor | None = None
        if "policy" in heads:
            features = self._features(self.actor, observations, memory)
            policy = self._policy(features)
        if "value" in heads:
            if features is None or not self.shared:
                features = self._features(self.critic, observations, memory)
            value = self.value_head(features).squeeze(-1)
        return Outputs(policy, value)

    def _alone(self, twin: Twin, observations: Tensor, heads: Collection[str]) -> Outputs:
        policy: Any = None
        value: Any = None
        if "policy" in heads:
            policy = unpack(self.spaces.action, twin.policy(self.data, observations), self.log_std)
        if "value" in heads:
            value = twin.value(self.data, observations)
        return Outputs(policy, value)

    def policy(self, observations: Tensor, memory: Memory | None = None) -> Distribution:
        """`[M, B, *O]` to the action distribution `[M, B]`."""
        return self.evaluate(observations, memory, ("policy",)).policy

    @torch.no_grad()
    def policy_of(self, parameters: Tensor, observations: Tensor, memory: Memory | None = None) -> Distribution:
        """`policy` of other parameters `[M, P]`, without gradient."""
        if self._twin is None:
            with self.using(parameters):
                return self.policy(observations, memory)
        output = self._twin.policy(parameters, observations)
        return unpack(self.spaces.action, output, self._twin.deviations_of(parameters))

    def value(self, observations: Tensor, memory: Memory | None = None) -> Tensor:
        """`[M, B, *O]` to state values `[M, B]`."""
        return self.evaluate(observations, memory, ("value",)).value

    def act(self, observations: Tensor, memory: Memory | None, noise: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """One step: actions `[M, N, ...]` at observations `[M, N, *O]`, and the carry after it `[M, N, H]`.

        `noise` `[M, N, policy_size]` samples; None takes the policies' modes. The critic's part of the carry stays:
        values are computed after the rollout, on all of it (`carries`). The next call may overwrite the modes.
        To be called in `torch.inference_mode()`, which costs too much to enter at every step.
        """
        if self._twin is not None:
            envs = observations.shape[1]
            if envs not in self._actors:
                self._actors[envs] = self._twin.actor(self.data, envs)
            return choose(self.spaces.action, self._actors[envs](observations), self.log_std, noise), None
        if memory is None:
            features = self._features(self.actor, observations, None)
            return choose(self.spaces.action, self.policy_head(features), self.log_std, noise), None
        layers, states = self._unroll(self.actor, observations, memory)
        actions = choose(self.spaces.action, self.policy_head(layers[-1]), self.log_std, noise)
        if states is None:  # the critic alone remembers
            return actions, None
        return actions, torch.cat([states[:, :, 0], memory.carry[..., self.actor.carry_size :]], -1)

    @property
    def speaks_at_once(self) -> bool:
        """Whether a step tells the value beside the policy at the price of one head: one torso, without memory."""
        return self.shared and not self.carry_size

    @torch.inference_mode()
    def act_and_tell(self, observations: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """One step where it `speaks_at_once`: actions `[M, N, ...]`, and packed policy and value `[M, N, K + 1]`."""
        features = self._features(self.actor, observations, None)
        output = self.policy_head(features)
        policy = unpack(self.spaces.action, output, self.log_std)
        told = torch.cat([policy.packed, self.value_head(features)], -1)
        return choose(self.spaces.action, output, self.log_std, noise), told

    def first_carry(self, envs: int) -> Tensor | None:
        """The carry `[M, N, H]` before an episode's first step; None without memory."""
        return self.data.new_zeros(self.members, envs, self.carry_size) if self.carry_size else None

    def carries(self, observations: Tensor, memory: Memory) -> Tensor:
        """The carry after every step of units `[M, U * L, *O]`: `[M, U, L, H]`."""
        torsos = [self.actor] if self.shared else [self.actor, self.critic]
        return torch.cat([self._carry(self._unroll(torso, observations, memory)[1]) for torso in torsos], -1)

    @staticmethod
    def _carry(states: Tensor | None) -> Tensor:
        assert states is not None, "only networks with memory have carries"
        return states

    def layers(self, observations: Tensor, memory: Memory | None = None) -> list[tuple[UnitLayer, Tensor]]:
        """The hidden layers of actor and critic: their parameters and their activations `[M, B, units]`."""
        found: list[tuple[UnitLayer, Tensor]] = []
        heads = {id(self.actor): [self.policy_head], id(self.critic): [self.value_head]}
        if self.shared:
            heads = {id(self.actor): [self.policy_head, self.value_head]}
        for torso in [self.actor] if self.shared else [self.actor, self.critic]:
            if units := torso.units():
                units[-1] = units[-1]._replace(outgoing=tuple(heads[id(torso)]))
                found += zip(units, self._unroll(torso, observations, memory)[0], strict=True)
        return found

    def hidden_layers(self, observations: Tensor, memory: Memory | None = None) -> list[Tensor]:
        """Activations of the actor's hidden layers `[M, B, units]`."""
        if self._twin is not None and not torch.is_grad_enabled():
            return self._twin.features(self.data, observations)
        return self._unroll(self.actor, observations, memory)[0]

    def _features(self, torso: Torso, observations: Tensor, memory: Memory | None) -> Tensor:
        if not torso.carry_size:
            found: Tensor = torso(observations)
            return found
        return self._unroll(torso, observations, memory)[0][-1]

    def _unroll(self, torso: Torso, observations: Tensor, memory: Memory | None) -> tuple[list[Tensor], Tensor | None]:
        if not torso.carry_size:
            return torso.hidden_layers(observations), None
        assert memory is not None, "a network with memory needs its carry"
        first = 0 if torso is self.actor else self.actor.carry_size
        own = memory.carry[..., first : first + torso.carry_size]
        return torso.unroll(observations, Memory(own, memory.starts))

    def _policy(self, features: Tensor) -> Distribution:
        return unpack(self.spaces.action, self.policy_head(features), self.log_std)

    def gradient(self, loss: Tensor, *, create_graph: bool = False, retain_graph: bool = False) -> Tensor:
        """The gradient `[M, P]` of a scalar; 0 for parameters it does not depend on.

        With `create_graph` it has a gradient itself. Without, the loss is used up unless `retain_graph`.
        """
        whole, *parts = torch.autograd.grad(
            loss,
            [self._leaf, *self._owned],
            create_graph=create_graph,
            retain_graph=create_graph or retain_graph,
            allow_unused=True,
        )
        found: Tensor = torch.zeros_like(self.data) if whole is None else whole
        for parameter, part in zip(self._owned, parts, strict=True):
            if part is not None:
                self.view(found, parameter).add_(part)
        return found

    @contextmanager
    def using(self, parameters: Tensor) -> Iterator[None]:
        """Run with other parameters `[M, P]` for a while; no gradient may reach back to them."""
        kept = self.data.clone()
        self.data.copy_(parameters)
        try:
            yield
        finally:
            self.data.copy_(kept)
