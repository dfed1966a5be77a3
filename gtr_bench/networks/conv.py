"""A small convolutional torso for images, by default that of MinAtar (Young and Tian, arXiv 1903.03176, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from gtr_bench.environments.spaces import ObservationSpace
    from gtr_bench.networks.torso import Torso

__all__ = ["Conv", "ConvParameters"]

Count = Annotated[int, Field(ge=1)]


class ConvParameters(BaseModel):
    """Shape of the torso; convolutions do not pad."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: tuple[Count, ...] = Field((16,), min_length=1, description="output channels of each convolution")
    kernel: int = Field(3, ge=1, description="side of every convolution's window, in pixels")
    stride: int = Field(1, ge=1, description="step of every convolution's window, in pixels")
    hidden: tuple[Count, ...] = Field((128,), min_length=1, description="units of each layer after the convolutions")
    activation: Literal["relu", "tanh"] = Field("relu", description="after every layer")
    pixels: Literal["unit", "byte"] = Field(
        "unit", description="what uint8 images hold: unit: 0 and 1, as MinAtar's; byte: 0 to 255, divided by 255"
    )


def sides(parameters: ConvParameters, side: int) -> list[int]:
    """The side of the image after each convolution; below 1 where it no longer fits."""
    found = []
    for _ in parameters.channels:
        side = (side - parameters.kernel) // parameters.stride + 1
        found.append(side)
    return found


class Conv:
    """Convolutions and fully connected layers after them, by default MinAtar's (Young and Tian, arXiv 1903.03176)."""

    version: ClassVar[int] = 1
    names_units: ClassVar[bool] = True
    Parameters: ClassVar[type[BaseModel]] = ConvParameters

    @staticmethod
    def fits(parameters: ConvParameters, space: ObservationSpace) -> str | None:
        """Why the torso cannot read such observations, to follow its name in a sentence; None when it can."""
        if not space.is_image:
            return "reads images"
        if min(sides(parameters, side)[-1] for side in space.shape[1:]) < 1:
            return f"has windows that are too large after {len(parameters.channels)} convolutions"
        return None

    @staticmethod
    def build(parameters: ConvParameters, generators: Sequence[torch.Generator], space: ObservationSpace) -> Torso:
        """One torso for `len(generators)` members."""
        from gtr_bench.networks.torso import StackedConvolutions

        scale = 1 / 255 if space.dtype == "uint8" and parameters.pixels == "byte" else 1.0
        return StackedConvolutions(
            generators,
            space.shape,
            parameters.channels,
            (parameters.kernel,) * len(parameters.channels),
            (parameters.stride,) * len(parameters.channels),
            parameters.hidden,
            parameters.activation,
            scale,
        )
