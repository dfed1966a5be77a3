"""The residual network of IMPALA and of Procgen's baselines (algorithms A.18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from gtr_bench.environments.spaces import ObservationSpace
    from gtr_bench.networks.torso import Torso

__all__ = ["ImpalaCNN", "ImpalaCNNParameters"]

Count = Annotated[int, Field(ge=1)]


class ImpalaCNNParameters(BaseModel):
    """Shape of the torso; the defaults are Procgen's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: tuple[Count, ...] = Field(
        (16, 32, 32), min_length=1, description="channels of each sequence, which halves the image (algorithms A.18)"
    )
    blocks: int = Field(2, ge=1, description="residual blocks in each sequence (algorithms A.18)")
    hidden: int = Field(256, ge=1, description="units of the layer after the convolutions (algorithms A.18)")
    pixels: Literal["unit", "byte"] = Field(
        "byte", description="what uint8 images hold: byte: 0 to 255, divided by 255; unit: 0 and 1"
    )


class ImpalaCNN:
    """IMPALA's residual convolutions, as Procgen's baselines have them (algorithms A.18)."""

    version: ClassVar[int] = 1
    names_units: ClassVar[bool] = True
    Parameters: ClassVar[type[BaseModel]] = ImpalaCNNParameters

    @staticmethod
    def fits(parameters: ImpalaCNNParameters, space: ObservationSpace) -> str | None:
        """Why the torso cannot read such observations, to follow its name in a sentence; None when it can."""
        if not space.is_image:
            return "reads images"
        least = 2 ** len(parameters.channels)
        if min(space.shape[1:]) < least:
            return f"halves images {len(parameters.channels)} times and needs at least {least} x {least} pixels"
        return None

    @staticmethod
    def build(parameters: ImpalaCNNParameters, generators: Sequence[torch.Generator], space: ObservationSpace) -> Torso:
        """One torso for `len(generators)` members."""
        from gtr_bench.networks.residual import ResidualConvolutions

        scale = 1 / 255 if space.dtype == "uint8" and parameters.pixels == "byte" else 1.0
        return ResidualConvolutions(
            generators, space.shape, parameters.channels, parameters.blocks, parameters.hidden, scale
        )
