"""The multi-layer perceptron torso; actor and critic each have their own (algorithms A.2, detail 14)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from gtr_bench.environments.spaces import ObservationSpace
    from gtr_bench.networks.torso import Torso

__all__ = ["MLP", "MLPParameters"]


class MLPParameters(BaseModel):
    """Shape of the torso."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hidden: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (64, 64), min_length=1, description="units of each hidden layer"
    )
    activation: Literal["tanh", "relu", "leaky_relu"] = Field(
        "tanh", description="after every hidden layer; leaky_relu has the slope 0.1 below 0 (protocols 8)"
    )
    initialisation: Literal["orthogonal", "uniform"] = Field(
        "orthogonal",
        description="of weights; uniform: torch's default, within 1 / sqrt(inputs), for the heads too (protocols 8)",
        json_schema_extra={"since": 2},
    )


class MLP:
    """Fully connected layers; actor and critic each have their own (algorithms A.2, detail 14)."""

    version: ClassVar[int] = 1
    names_units: ClassVar[bool] = True
    Parameters: ClassVar[type[BaseModel]] = MLPParameters

    @staticmethod
    def fits(parameters: MLPParameters, space: ObservationSpace) -> str | None:
        """Why the torso cannot read such observations, to follow its name in a sentence; None when it can."""
        return None if space.is_vector else "reads vectors of numbers"

    @staticmethod
    def build(parameters: MLPParameters, generators: Sequence[torch.Generator], space: ObservationSpace) -> Torso:
        """One torso for `len(generators)` members."""
        from torch.nn.init import orthogonal_

        from gtr_bench.networks.stacked import uniform_by_inputs_
        from gtr_bench.networks.torso import StackedMLP

        initial = orthogonal_ if parameters.initialisation == "orthogonal" else uniform_by_inputs_
        return StackedMLP(generators, space.size, parameters.hidden, parameters.activation, initial)
