"""The kernels that reshape the trust region: how much hold is left at a squared distance.

Each returns the loss of affinity `1 - kappa` computed without cancellation; `shape` is the exponent p of
`exp(-(delta / sigma)^p / 2)`, 2 for the Gaussian.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["affinity_loss", "hold"]

# Below this squared distance (in widths) a kernel with p < 2 is flat: its slope there would be infinite.
_FLAT = 1e-12
# Beyond this power of the distance exp(-power / 2) is 0 in float32; a larger power could overflow, and 0 x inf is NaN.
_FADED = 1e3
# Half a squared distance at which the Cauchy kernel is 0 in float32; infinity over infinity would be NaN.
_ENDLESS = 1e30


def affinity_loss(squared: Tensor, kernel: str, sigma: float | Tensor, shape: float | Tensor) -> Tensor:
    """`1 - kappa(delta)` from `delta^2`, same shape as `squared`.

    Args:
        squared: squared distances, any shape `[M, B, ...]`.
        kernel: `gaussian` (`1 - exp(-(delta/sigma)^p / 2)`), `cauchy` (`1 - 1 / (1 + delta^2 / (2 sigma^2))`) or
            `none` (`delta^2 / (2 sigma^2)`: the unbounded quadratic, so that the penalty is the plain KL).
        sigma: width, unit of delta; a float or broadcastable to `squared`.
        shape: p of the Gaussian kernel; a float or broadcastable to `squared`.
    """
    curvature = 0.5 / (sigma * sigma)
    if kernel == "none":
        return squared * curvature
    if kernel == "cauchy":
        half = (squared * curvature).clamp_max(_ENDLESS)
        return half / (1 + half)
    if isinstance(shape, float) and shape == 2.0:
        return -(squared * -curvature).expm1()
    # in logarithms: a power that overflows in between would have no finite gradient
    power = ((squared * (2 * curvature)).clamp_min(_FLAT).log() * (0.5 * shape)).clamp_max(math.log(_FADED)).exp()
    return -(-0.5 * power).expm1()


def hold(squared: Tensor, kernel: str, sigma: float | Tensor, shape: float | Tensor) -> Tensor:
    """kappa, the share of a term that a gated form keeps at a squared distance; 1 everywhere for kernel `none`."""
    if kernel == "none":
        return squared.new_ones(squared.shape)
    return 1 - affinity_loss(squared, kernel, sigma, shape)
