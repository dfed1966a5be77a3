"""A rollout ready for learning, and the minibatches gathered from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from math import prod

import torch
from torch import Tensor

from gtr_bench.algorithms.base import Sample
from gtr_bench.learn.distributions import Distribution
from gtr_bench.learn.frames import Stacks, assembled
from gtr_bench.networks.torso import Memory

__all__ = ["Experience", "in_chunks", "normalised"]

AT_ONCE = 2**23
"""numbers per member of a network's widest layer that are computed in one pass outside of minibatches"""


_PER_SAMPLE = ("seen", "actions", "log_probs", "values", "advantages", "returns")
_SMALL = 64  # numbers per sample


def _small(value: Tensor) -> bool:
    return value.dtype == torch.float32 and prod(value.shape[2:]) <= _SMALL


@dataclass(frozen=True)
class Experience:
    """A rollout or a minibatch: B samples of each member, in U units of L consecutive steps, B = U x L.

    Without memory L is 1. A unit's steps lie side by side.

    Attributes:
        seen: the observations as stored, `[M, B, *O]`; a minibatch's are put together.
        actions: `[M, B, ...]`; behaviour: the policy that collected them, `[M, B]`.
        log_probs, values, advantages, returns: `[M, B]`, of the behaviour policy and the critic before the update.
        columns: what the algorithm prepared, `[M, B, ...]`.
        memory: what a network with memory carries into the units.
    """

    seen: Tensor | Stacks
    actions: Tensor
    behaviour: Distribution
    log_probs: Tensor
    values: Tensor
    advantages: Tensor
    returns: Tensor
    columns: Mapping[str, Tensor]
    memory: Memory | None = None

    @property
    def observations(self) -> Tensor:
        """`[M, B, *O]`; of a whole rollout of stacked frames they are put together at every call."""
        return assembled(self.seen)

    @property
    def length(self) -> int:
        """L, steps per unit."""
        return 1 if self.memory is None else self.memory.length

    @property
    def units(self) -> int:
        """U, units per member."""
        return self.log_probs.shape[1] // self.length

    @property
    def is_small(self) -> bool:
        """Whether an epoch's samples are worth gathering at once: small observations, and units of one step."""
        return self.memory is None and prod(self.seen.shape[2:]) <= _SMALL

    def parts(self, bounds: Sequence[int]) -> Iterator[Experience]:
        """The samples from each bound to the next, without memory; they share storage with these."""
        sizes, numbers = [stop - start for start, stop in pairwise(bounds)], self._numbers()
        for part in zip(*(torch.split(value, sizes, 1) for value in numbers.values()), strict=True):
            yield self._of(dict(zip(numbers, part, strict=True)), None)

    def take(self, order: Tensor) -> Experience:
        """The minibatch of some units of each member, gathered; `order` int64 `[M, u]` counts units within a member."""
        members, count = order.shape
        rows = (order + torch.arange(members).unsqueeze(1) * self.units).reshape(-1).to(self.log_probs.device)

        def gather(value: Tensor, length: int) -> Tensor:
            by_unit = value.reshape(members * self.units, length, *value.shape[2:])
            return by_unit.index_select(0, rows).view(members, count * length, *value.shape[2:])

        found = {name: gather(value, self.length) for name, value in self._apart.items()}
        if self._columns:
            table = gather(self._table, self.length)
            for name, (start, stop, shape) in self._columns.items():
                found[name] = table[..., start:stop].reshape(*table.shape[:2], *shape)
        if isinstance(self.seen, Stacks):
            found["seen"] = Stacks(self.seen.frames, found["seen"]).assembled()
        memory = self.memory
        if memory is not None:
            starts = gather(memory.starts.flatten(1), self.length).view(members, count, self.length)
            memory = Memory(gather(memory.carry, 1), starts)
        return self._of(found, memory)

    def _of(self, numbers: dict[str, Tensor], memory: Memory | None) -> Experience:
        """Other samples of the same kind, from what `_numbers` names."""
        packed = numbers.pop("behaviour")
        columns = {name: numbers.pop(f"column.{name}") for name in self.columns}
        return Experience(behaviour=self.behaviour.like(packed), columns=columns, memory=memory, **numbers)

    def _numbers(self) -> dict[str, Tensor]:
        """All it has per sample, by name."""
        own = {name: getattr(self, name) for name in _PER_SAMPLE}
        if isinstance(self.seen, Stacks):
            own["seen"] = self.seen.places
        columns = {f"column.{name}": value for name, value in self.columns.items()}
        return {**own, "behaviour": self.behaviour.packed, **columns}

    @cached_property
    def _apart(self) -> dict[str, Tensor]:
        """What is gathered on its own: integers, and what is large enough to be worth it."""
        return {name: value for name, value in self._numbers().items() if not _small(value)}

    @cached_property
    def _columns(self) -> dict[str, tuple[int, int, tuple[int, ...]]]:
        """Where the others lie in `_table`: first and last column, and the shape of one sample."""
        found, start = {}, 0
        for name, value in self._numbers().items():
            if _small(value):
                size = prod(value.shape[2:])
                found[name] = (start, start + size, tuple(value.shape[2:]))
                start += size
        return found

    @cached_property
    def _table(self) -> Tensor:
        """Small floats side by side, `[M, B, K]`: one gather for all, where each would cost as much."""
        numbers = self._numbers()
        return torch.cat([numbers[name].reshape(*numbers[name].shape[:2], -1) for name in self._columns], 2)

    def with_normalised_advantages(self) -> Experience:
        """The same with advantages of mean 0 and deviation 1 per member."""
        return replace(self, advantages=normalised(self.advantages))

    def sample(self, policy: Distribution) -> Sample:
        """The objective's view of it under a policy `[M, B]`."""
        return Sample(
            policy=policy,
            behaviour=self.behaviour,
            log_prob=policy.log_prob(self.actions),
            old_log_prob=self.log_probs,
            advantage=self.advantages,
            action=self.actions,
            columns=self.columns,
        )


def normalised(advantages: Tensor) -> Tensor:
    """`(A - mean) / (std + 1e-8)` per member over `[M, B]`, sample std; a single sample is only centred."""
    if advantages.shape[1] == 1:
        return torch.zeros_like(advantages)
    deviation, mean = torch.std_mean(advantages, 1, keepdim=True)
    return (advantages - mean) / (deviation + 1e-8)


def in_chunks(
    function: Callable[[Tensor, Memory | None], Tensor],
    seen: Tensor | Stacks,
    memory: Memory | None,
    largest_layer: int,
) -> Tensor:
    """`function(observations [M, B, *O], memory) -> [M, B, ...]` in passes that bound the memory activations take.

    How much is computed at once does not depend on M: a member's numbers are those of any cohort.
    """
    length = 1 if memory is None else memory.length
    units = seen.shape[1] // length
    size = max(1, AT_ONCE // (largest_layer * length))
    if units <= size:
        return function(assembled(seen), memory)
    parts = []
    for first in range(0, units, size):
        last = min(first + size, units)
        part = None if memory is None else Memory(memory.carry[:, first:last], memory.starts[:, first:last])
        parts.append(function(assembled(seen[:, first * length : last * length]), part))
    return torch.cat(parts, 1)
