"""The convolutional network of DQN and of PPO on Atari (algorithms A.18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from gtr_bench.environments.spaces import ObservationSpace
    from gtr_bench.networks.torso import Torso

__all__ = ["NatureCNN", "NatureCNNParameters"]

Count = Annotated[int, Field(ge=1)]
KERNELS, STRIDES = (8, 4, 3), (4, 2, 1)
SMALLEST = 36
"""pixels of a side that leave one place after the convolutions: 36, 8, 3, 1"""


class NatureCNNParameters(BaseModel):
    """Widths of the torso; windows and strides are the published ones: 8 and 4, 4 and 2, 3 and 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: tuple[Count, Count, Count] = Field(
        (32, 64, 64), description="output channels of the three convolutions (algorithms A.18)"
    )
    hidden: tuple[Count, ...] = Field(
        (512,), min_length=1, description="units of each layer after the convolutions (algorithms A.18)"
    )
    pixels: Literal["unit", "byte"] = Field(
        "byte", description="what uint8 images hold: byte: 0 to 255, divided by 255; unit: 0 and 1"
    )


class NatureCNN:
    """The three convolutions of DQN and of PPO on Atari (algorithms A.18)."""

    version: ClassVar[int] = 1
    names_units: ClassVar[bool] = True
    Parameters: ClassVar[type[BaseModel]] = NatureCNNParameters

    @staticmethod
    def fits(parameters: NatureCNNParameters, space: ObservationSpace) -> str | None:
        """Why the torso cannot read such observations, to follow its name in a sentence; None when it can."""
        if not space.is_image:
            return "reads images"
        if min(space.shape[1:]) < SMALLEST:
            return f"needs images of at least {SMALLEST} x {SMALLEST} pixels"
        return None

    @staticmethod
    def build(parameters: NatureCNNParameters, generators: Sequence[torch.Generator], space: ObservationSpace) -> Torso:
        """One torso for `len(generators)` members."""
        from gtr_bench.networks.torso import StackedConvolutions

        scale = 1 / 255 if space.dtype == "uint8" and parameters.pixels == "byte" else 1.0
        return StackedConvolutions(
            generators, space.shape, parameters.channels, KERNELS, STRIDES, parameters.hidden, "relu", scale,
            channels_last=True,
        )  # fmt: skip
