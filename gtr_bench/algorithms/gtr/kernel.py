"""The kernels that reshape the trust region: how much hold is left at a squared distance.

Each returns the loss of affinity `1 - kappa` computed without cancellation; `shape` is the exponent p of
`exp(-(delta / sigma)^p / 2)`, 2 for the Gaussian.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["affinity_loss"]

# Below this squared distance (in widths) a kernel with p < 2 is flat: its slope there would be infinite.
_FLAT = 1e-8


def affinity_loss(squared: Tensor, kernel: str, sigma: float | Tensor, shape: float | Tensor) -> Tensor:
    """`1 - kappa(delta)` from `delta^2`, same shape as `squared`.

    Args:
        squared: squared distances, any shape `[M, B, ...]`.
        kernel: `gaussian` (`1 - exp(-(delta/sigma)^p / 2)`), `cauchy` (`1 - 1 / (1 + delta^2 / (2 sigma^2))`) or
            `none` (`delta^2 / (2 sigma^2)`: the unbounded quadratic, so that the penalty is the plain KL).
        sigma: width, unit of delta; a float or broadcastable to `squared`.
        shape: p of the Gaussian kernel; a float or broadcastable to `squared`.
    """
    scaled = squared / (sigma * sigma)
    if kernel == "none":
        return 0.5 * scaled
    if kernel == "cauchy":
        half = 0.5 * scaled
        return half / (1 + half)
    if not (isinstance(shape, float) and shape == 2.0):
        scaled = scaled.clamp_min(_FLAT) ** (0.5 * shape)
    return -(-0.5 * scaled).expm1()
