"""ReDo: hidden units that have fallen asleep are recycled.

Sokar, Agarwal, Castro, Evci, "The dormant neuron phenomenon in deep reinforcement learning", ICML 2023; algorithms C.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from gtr_bench.algorithms.parameters import scalar
from gtr_bench.plasticity.base import AddOn, AddOnParameters

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from gtr_bench.learn.experience import Experience
    from gtr_bench.learn.optimizer import Optimizer
    from gtr_bench.networks.model import Model
    from gtr_bench.networks.stacked import Stacked
    from gtr_bench.networks.torso import Memory, UnitLayer

__all__ = ["ReDo", "ReDoParameters"]


class ReDoParameters(AddOnParameters):
    """Which units count as dormant, and when they are looked for."""

    threshold: float = scalar(
        0.025,
        "tau: units whose score is at most this are recycled; 0 = those that never answer, below 0 = none",
        low=0.0,
        high=0.2,
        ge=-1,
        le=1,
    )
    period: int = Field(10, ge=0, le=100_000, description="iterations (rollouts) between two looks; 0 = never")


class ReDo(AddOn):
    """Recycles hidden units that have fallen asleep (algorithms C.2).

    Every `period` iterations, after the update, the dormant units of every hidden layer of actor and critic begin
    anew: their incoming weights are drawn as at the start, the bias and all outgoing weights (of every head that reads
    them) are 0, and the optimizer forgets its moments there; its step counts go on, as in the authors' code.

    The score of a unit is its mean |activation| over the rollout's states under the updated network, divided by the
    mean over its layer. Counting in iterations, and scores of the whole rollout, are how ReDo has been used with PPO
    (Plasticine: tau 0.025, every 10 iterations); the paper's period is in steps of a DQN. Units that never answer are
    recycled without changing what the network computes.
    """

    name: ClassVar[str] = "redo"
    version: ClassVar[int] = 1
    Parameters: ClassVar[type[AddOnParameters]] = ReDoParameters
    stage: ClassVar[int] = 70
    needs_units: ClassVar[bool] = True
    columns: ClassVar[Mapping[str, str]] = {
        "redo_recycled": "share of the hidden units of actor and critic that were recycled; at iterations with a look"
    }

    def __init__(self, parameters: Any, members: int) -> None:
        super().__init__(parameters, members)
        self._since = 0  # iterations since the last look

    def attach(self, model: Model, stream: Sequence[torch.Generator]) -> None:
        """A network was built: the period starts anew."""
        self._since = 0
        self._stream = stream

    def after_iteration(self, model: Model, optimizer: Optimizer, experience: Experience) -> dict[str, Tensor]:
        """Look, and recycle, where it is time."""
        import torch

        self._since += 1
        if self.p.period == 0 or self._since < self.p.period:
            return {}
        self._since = 0
        with torch.no_grad():
            layers, scores = _scores(model, experience)
            dormant = [score <= self.p.threshold for score in scores]
            found = torch.cat(dormant, 1)
            if bool(found.any()):
                optimizer.forget(_recycle(model, layers, dormant, self._stream))
        return {"redo_recycled": found.float().mean(1)}

    def state(self) -> dict[str, Any]:
        """Where in its period it is; its generators are the learner's to keep."""
        return {"since": self._since}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self._since = int(state["since"])


def _scores(model: Model, experience: Experience) -> tuple[list[UnitLayer], list[Tensor]]:
    """The hidden layers and their units' scores `[M, units]`; a unit of a convolution is a channel."""
    import torch

    from gtr_bench.learn.experience import in_chunks

    layers: list[UnitLayer] = []

    def sums(observations: Tensor, memory: Memory | None) -> Tensor:
        """Sums of |activation| over a chunk, `[M, 1, units of all layers]`."""
        found = model.layers(observations, memory)
        layers[:] = [layer for layer, _ in found]
        parts = [
            activations.abs().sum(1).reshape(model.members, _units(layer), -1).mean(2) for layer, activations in found
        ]
        return torch.cat(parts, 1).unsqueeze(1)

    total = in_chunks(sums, experience.seen, experience.memory, model.largest_layer).sum(1)
    mean = total / experience.seen.shape[1]
    by_layer = torch.split(mean, [_units(layer) for layer in layers], 1)
    return layers, [each / (each.mean(1, keepdim=True) + 1e-9) for each in by_layer]


def _units(layer: UnitLayer) -> int:
    return int(layer.incoming.weight.shape[layer.incoming.unit_axis])


def _recycle(
    model: Model, layers: Sequence[UnitLayer], dormant: Sequence[Tensor], stream: Sequence[torch.Generator]
) -> Tensor:
    """Draw the incoming side of dormant units `[M, units]` anew and cut the outgoing one; the entries touched `[M, P]`.

    A weight between two of them is cut: what a recycled unit says must not be heard before it has learned.
    """
    import torch

    touched = torch.zeros_like(model.data, dtype=torch.bool)
    for layer, mask in zip(layers, dormant, strict=True):
        incoming = layer.incoming
        where = _along(incoming, mask, incoming.unit_axis)
        incoming.weight.copy_(torch.where(where, _drawn(incoming, mask, stream), incoming.weight))
        incoming.bias.masked_fill_(mask.view_as(incoming.bias), 0)
        model.view(touched, incoming.weight).logical_or_(where)
        model.view(touched, incoming.bias).logical_or_(mask.view_as(incoming.bias))
    for layer, mask in zip(layers, dormant, strict=True):
        for reader in layer.outgoing:
            where = _along(reader, mask.repeat_interleave(layer.repeat, 1), reader.input_axis)
            reader.weight.masked_fill_(where, 0)
            model.view(touched, reader.weight).logical_or_(where)
    return touched


def _drawn(layer: Stacked, mask: Tensor, stream: Sequence[torch.Generator]) -> Tensor:
    """New weights for members with a dormant unit in the layer; only they draw, so nobody's stream depends on others.

    Whole matrices are drawn, of which the dormant units' columns are used: a unit's weights are distributed as at the
    start.
    """
    import torch

    members = mask.any(1).nonzero().flatten().tolist()
    weight = torch.zeros_like(layer.weight)
    if members:
        weight[members] = layer.fresh([stream[member] for member in members]).to(weight)
    return weight


def _along(layer: Stacked, mask: Tensor, axis: int) -> Tensor:
    """A mask `[M, K]` along an axis of the layer's weight."""
    shape = [1] * layer.weight.dim()
    shape[0], shape[axis] = mask.shape
    return mask.reshape(shape)
