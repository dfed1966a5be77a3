"""A torso with memory: a perceptron and a gated recurrent unit (Cho et al. 2014; the form of cuDNN and PyTorch)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from gtr_bench.environments.spaces import ObservationSpace
    from gtr_bench.networks.torso import Torso

__all__ = ["GRU", "GRUParameters"]


class GRUParameters(BaseModel):
    """Shape of the torso, and how far learning looks back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hidden: tuple[Annotated[int, Field(ge=1)], ...] = Field((64,), description="units of the layers before the memory")
    units: int = Field(64, ge=1, description="units of the memory")
    sequence_length: int = Field(
        16, ge=1, description="steps that gradients flow back through; the carry before them is stored with the rollout"
    )
    activation: Literal["tanh", "relu"] = Field("tanh", description="after every layer before the memory")


class GRU:
    """Fully connected layers and a gated recurrent unit, which remembers within an episode (algorithms A.17)."""

    version: ClassVar[int] = 1
    Parameters: ClassVar[type[BaseModel]] = GRUParameters

    @staticmethod
    def fits(parameters: GRUParameters, space: ObservationSpace) -> str | None:
        """Why the torso cannot read such observations, to follow its name in a sentence; None when it can."""
        return None if space.is_vector else "reads vectors of numbers"

    @staticmethod
    def build(parameters: GRUParameters, generators: Sequence[torch.Generator], space: ObservationSpace) -> Torso:
        """One torso for `len(generators)` members."""
        from gtr_bench.networks.recurrent import StackedGRU

        return StackedGRU(generators, space.size, parameters.hidden, parameters.units, parameters.activation)
