"""What a plasticity add-on is: something that keeps a network trainable, beside any algorithm.

A file of an add-on imports no torch at the top: the driver reads its parameters without paying for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from gtr_bench.learn.experience import Experience
    from gtr_bench.learn.optimizer import Optimizer
    from gtr_bench.networks.model import Model

__all__ = ["AddOn", "AddOnParameters"]


class AddOnParameters(BaseModel):
    """Base of an add-on's parameters; scalar ones are declared with `gtr_bench.algorithms.parameters.scalar`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class AddOn:
    """Acts at fixed places of an update; every method does nothing unless it is overridden.

    At its neutral setting an add-on must be bit-identical to none: it draws from its own streams alone, and `penalty`
    returns None, not 0.

    Attributes:
        name, version: part of a job's identity: raise the version whenever the numbers change.
        stage: add-ons act in the order of stage and name, never in that of a suite's list.
        needs_boundaries: it is told where phases begin (`at_shift`); reports say so.
        conflicts: names of add-ons it cannot be combined with.
        needs_units: it works on hidden units, so the torso must name them (`Torso.units`) and its kind say so
            (`names_units`).
        columns: diagnostics it logs, name -> meaning.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    Parameters: ClassVar[type[AddOnParameters]] = AddOnParameters
    stage: ClassVar[int] = 50
    needs_boundaries: ClassVar[bool] = False
    needs_units: ClassVar[bool] = False
    conflicts: ClassVar[frozenset[str]] = frozenset()
    columns: ClassVar[Mapping[str, str]] = {}

    def __init__(self, parameters: Any, members: int) -> None:
        """Keep the parameters of a cohort.

        Args:
            parameters: the parameter model's fields as attributes; a scalar field is a float when all members share
                its value and a tensor `[M, 1]` otherwise.
            members: M.
        """
        self.p = parameters
        self.members = members

    @classmethod
    def network(cls, parameters: Any, settings: dict[str, Any]) -> dict[str, Any]:
        """The job's `network` as this add-on wants it; called at planning."""
        return settings

    def attach(self, model: Model, stream: Sequence[torch.Generator]) -> None:
        """A network was built, at the start or at a shift; `stream` are this add-on's generators, one per member."""

    def penalty(self, model: Model, batch: Experience) -> Tensor | None:
        """What to add to a minibatch's loss, `[M, 1]`, or None."""
        return None

    def after_gradient(self, model: Model, gradient: Tensor) -> None:
        """Change the gradient `[M, P]` in place, before it is clipped."""

    def after_step(self, model: Model, optimizer: Optimizer, active: Tensor) -> None:
        """Change the parameters after an optimizer step; `active` bool `[M]`: the others took none."""

    def after_iteration(self, model: Model, optimizer: Optimizer, experience: Experience) -> dict[str, Tensor]:
        """Act once per rollout, after its update; returns diagnostics, `[M]` each. Frozen members are put back."""
        return {}

    def at_shift(self, model: Model, optimizer: Optimizer, phase: int) -> None:
        """A phase after the first begins; called only with `needs_boundaries`."""

    def state(self) -> dict[str, Any]:
        """Everything that must survive a restart: tensors, numbers, strings, lists of them."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned."""
