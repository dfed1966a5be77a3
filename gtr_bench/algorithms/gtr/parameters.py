"""GTR's parameters: every choice this project's reconstruction makes is an axis here."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gtr_bench.algorithms.parameters import scalar
from gtr_bench.algorithms.ppo import PPOParameters

__all__ = ["GTRParameters"]


class GTRParameters(PPOParameters):
    """PPO's settings and the Gaussian-reshaped trust region (reference: this project's definition of GTR)."""

    sigma: float = scalar(
        0.5,
        "kernel width, in nats^(1/2): the restoring force peaks there (gtr.md 2)",
        low=0.05,
        high=2.0,
        scale="log",
        gt=0,
        le=1e6,
    )
    beta: float = scalar(1.0, "weight of the penalty (gtr.md 4)", low=0.03, high=10, scale="log", ge=0, le=1e6)
    shape: float = scalar(
        2.0,
        "exponent p of the Gaussian kernel; 1 Laplace-like, above 2 flatter (gtr.md 2)",
        low=1.0,
        high=4.0,
        gt=0,
        le=16,
    )
    kernel: Literal["gaussian", "cauchy", "none"] = Field(
        "gaussian", description="none: quadratic, the plain KL penalty (gtr.md 2)"
    )
    form: Literal["saturating", "gated_divergence", "gated_surrogate", "gated_spo"] = Field(
        "saturating", description="where the kernel acts: readings H1 to H4 of the abstract (gtr.md 4)"
    )
    distance: Literal["forward_kl", "reverse_kl", "jeffreys", "hellinger", "log_ratio"] = Field(
        "forward_kl", description="the distance to an anchor (gtr.md 1)"
    )
    surrogate: Literal["clip", "linear", "spo"] = Field(
        "clip", description="the surrogate the penalty is subtracted from (gtr.md 4)"
    )
    anchor: Literal["mixture", "mixture_policy", "ema", "initial"] = Field(
        "mixture", description="mixture: of kernels; mixture_policy: one anchor, the mixture of the policies (gtr.md 3)"
    )
    anchors: int = Field(
        4,
        ge=1,
        le=64,
        description="K, snapshots kept (gtr.md 3)",
        json_schema_extra={"low": 1, "high": 8, "scale": "log"},
    )
    anchor_interval: int = Field(1, ge=1, description="policy iterations between snapshots (gtr.md 3)")
    anchor_weighting: Literal["recency", "return", "uniform"] = Field(
        "recency", description="weights of the snapshots (gtr.md 3)"
    )
    anchor_decay: float = scalar(
        0.7, "recency weights decay by this; the moving average's rate (gtr.md 3)", low=0.3, high=0.99, gt=0, lt=1
    )
    anchor_temperature: float = scalar(
        10.0, "unit of return in the softmax of `return` weighting (gtr.md 3)", low=0.1, high=1000, scale="log", gt=0
    )
    sustain: bool = Field(False, description="open the well only under sustained advantage (gtr.md 5)")
    sustain_threshold: float = scalar(
        0.02, "mean advantage per std of returns that counts (gtr.md 5)", low=0.0, high=0.2, ge=0
    )
    sustain_patience: float = scalar(
        3.0, "iterations in which the gate opens to 63 % (gtr.md 5)", low=1.0, high=20, scale="log", gt=0
    )
