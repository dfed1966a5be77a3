"""Algorithms, batches and samples by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gtr_bench.algorithms.base import Batch, Sample
from gtr_bench.algorithms.registry import algorithms
from gtr_bench.learn.distributions import Categorical, Distribution
from gtr_bench.learn.stacking import stack_parameters


def build(name: str, *rows: dict[str, Any], **parameters: Any) -> Any:
    """An algorithm of one member with these parameters, or of as many members as there are rows."""
    kind = algorithms.get(name)
    members = list(rows) or [parameters]
    return kind(stack_parameters(kind.Parameters, members, torch.device("cpu")), len(members))


def categorical(*probabilities: float) -> Categorical:
    """One state of one member, `[1, 1, A]`."""
    return Categorical(torch.tensor([[probabilities]]).log())


def sample_of_ratio(ratio: Tensor, advantage: Tensor) -> Sample:
    """A sample `[M, B]` with these ratios, whose distributions nobody looks at."""
    unused = Categorical(torch.zeros(*ratio.shape, 1))
    zeros = torch.zeros_like(ratio)
    return Sample(unused, unused, ratio.log(), zeros, advantage, zeros.long(), {})


def sample_of(
    policy: Distribution, behaviour: Distribution, action: Tensor, advantage: Tensor, columns: dict[str, Tensor]
) -> Sample:
    """The objective's view of these actions `[M, B, ...]`."""
    return Sample(
        policy, behaviour, policy.log_prob(action), behaviour.log_prob(action).detach(), advantage, action, columns
    )


def batch_of(
    behaviour: Distribution, action: Tensor, advantage: Tensor, parameters: Tensor | None = None, **other: Any
) -> Batch:
    """What `prepare` sees; the network's parameters `[M, P]` are the packed distribution itself unless given."""
    packed = behaviour.packed
    members = packed.shape[0]
    return Batch(
        observe=lambda: torch.zeros(*advantage.shape, 1),
        actions=action,
        behaviour=behaviour,
        advantages=advantage,
        returns=other.get("returns", advantage),
        training_return=other.get("training_return", torch.zeros(members)),
        parameters=packed.reshape(members, -1) if parameters is None else parameters,
        evaluate=lambda data: behaviour.like(data.view(packed.shape)),
    )


def prepare(
    algorithm: Any, *history: Distribution, action: Tensor, advantage: Tensor, **other: Any
) -> dict[str, Tensor]:
    """Columns after a rollout of each policy of `history`, oldest first; the last one is the behaviour."""
    columns: dict[str, Tensor] = {}
    for policy in history:
        columns = algorithm.prepare(batch_of(policy, action, advantage, **other))
    return columns


def gradient(value: Tensor, of: Tensor | Sequence[Tensor]) -> Tensor:
    """The gradient of the sum of `value`."""
    (found,) = torch.autograd.grad(value.sum(), of)
    return found
