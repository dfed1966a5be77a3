"""L2 Init: a pull of all parameters towards where they began (regenerative regularisation).

Kumar, Marklund, Van Roy, "Maintaining plasticity in continual learning via regenerative regularization", 2023
(arXiv 2308.11958); algorithms C.7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from gtr_bench.algorithms.parameters import scalar
from gtr_bench.plasticity.base import AddOn, AddOnParameters

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from gtr_bench.learn.experience import Experience
    from gtr_bench.learn.optimizer import Optimizer
    from gtr_bench.networks.model import Model

__all__ = ["L2Init", "L2InitParameters"]


class L2InitParameters(AddOnParameters):
    """How hard it pulls."""

    strength: float = scalar(
        1e-3, "lambda of lambda ||theta - theta_0||^2; 0 = off", low=1e-5, high=1e-1, scale="log", ge=0
    )


class L2Init(AddOn):
    """Pulls all parameters towards their initial values (algorithms C.7).

    It adds `lambda ||theta - theta_0||^2` to every minibatch's loss, a sum over all parameters, as in the paper's
    equation: weights and biases of actor and critic, and the log standard deviation of
    continuous actions. `theta_0` is taken before the first step, and again where a learner starts anew. The penalty is
    part of the loss, so its gradient counts in the gradient's clipping and goes through the optimizer's moments.
    """

    name: ClassVar[str] = "l2_init"
    version: ClassVar[int] = 1
    Parameters: ClassVar[type[AddOnParameters]] = L2InitParameters
    stage: ClassVar[int] = 20
    columns: ClassVar[Mapping[str, str]] = {
        "l2_init_distance": "Euclidean distance of all parameters from their initial ones after the update"
    }

    def attach(self, model: Model, stream: Sequence[torch.Generator]) -> None:
        """Keep `theta_0`."""
        self._start = model.data.clone()

    def penalty(self, model: Model, batch: Experience) -> Tensor | None:
        """`[M, 1]`; None where no member is pulled."""
        strength = self.p.strength
        if isinstance(strength, float) and strength == 0:
            return None
        found: Tensor = strength * (model.joined() - self._start).square().sum(1, keepdim=True)
        return found

    def after_iteration(self, model: Model, optimizer: Optimizer, experience: Experience) -> dict[str, Tensor]:
        """The distance walked, `[M]`."""
        return {"l2_init_distance": (model.data - self._start).norm(dim=1)}

    def state(self) -> dict[str, Any]:
        """`theta_0`."""
        return {"start": self._start}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a checkpoint."""
        self._start = state["start"]
