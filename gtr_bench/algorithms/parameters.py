"""Parameters every on-policy algorithm shares, and how a field says that a cohort may stack it.

Nothing here imports torch: the driver validates suites with these models.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

__all__ = ["OnPolicyParameters", "scalar", "stackable_fields"]


def scalar(
    default: float, meaning: str, *, low: float, high: float, scale: Literal["linear", "log"] = "linear", **bounds: Any
) -> Any:
    """A scalar hyper-parameter whose values may differ between the members of a cohort.

    `low`, `high` and `scale` are the range a sensitivity study searches by default; `bounds` are
    pydantic's (`gt`, `ge`, `lt`, `le`): outside of them a value is refused.
    """
    search: dict[str, JsonValue] = {"stackable": True, "low": low, "high": high, "scale": scale}
    return Field(default, description=meaning, json_schema_extra=search, **bounds)


class OnPolicyParameters(BaseModel):
    """Settings of the shared training loop (collect, estimate, improve). Sources: algorithms A.1-A.3.

    Defaults follow the CleanRL classic block except that the learning rate does not decay: decay
    confounds loss of plasticity with a vanishing step size in changing worlds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    num_envs: int = Field(8, ge=1, le=4096, description="environments per job, N")
    num_steps: int = Field(128, ge=1, le=100_000, description="steps per environment and rollout, T")
    num_minibatches: int = Field(4, ge=1, description="minibatches per epoch; sizes differ by at most one sample")
    epochs: int = Field(4, ge=1, le=100, description="passes over a rollout")
    learning_rate: float = scalar(2.5e-4, "step size of the optimizer", low=1e-5, high=1e-2, scale="log", gt=0, le=1)
    learning_rate_schedule: Literal["constant", "linear"] = Field(
        "constant", description="linear: to 0 over the whole sequence (algorithms A.2, detail 4)"
    )
    optimizer: Literal["adam", "rmsprop"] = Field("adam", description="rmsprop is A2C's")
    optimizer_epsilon: float = Field(
        1e-5, gt=0, le=1, description="added outside the square root (algorithms A.2, detail 3)"
    )
    adam_beta1: float = Field(0.9, ge=0, lt=1, description="decay of the first moment")
    adam_beta2: float = Field(0.999, ge=0, lt=1, description="decay of the second moment")
    gamma: float = scalar(0.99, "discount", low=0.9, high=0.999, ge=0, le=1)
    gae_lambda: float = scalar(0.95, "GAE's lambda (algorithms A.2, detail 5)", low=0.8, high=1.0, ge=0, le=1)
    advantage_normalisation: Literal["minibatch", "batch", "none"] = Field(
        "minibatch", description="(A - mean) / (std + 1e-8), sample std (algorithms A.2, detail 8)"
    )
    value_coefficient: float = scalar(0.5, "weight of the value loss", low=0.1, high=2.0, ge=0)
    value_loss: Literal["half_mse", "mse"] = Field(
        "half_mse", description="half_mse: CleanRL's 0.5 (V - R)^2; mse: Stable-Baselines3's (V - R)^2"
    )
    value_clip_range: float | None = Field(
        None, gt=0, description="none = no value clipping (algorithms A.2, detail 10)"
    )
    entropy_coefficient: float = scalar(0.0, "weight of the entropy bonus", low=1e-4, high=0.1, scale="log", ge=0)
    max_grad_norm: float = Field(
        0.5, ge=0, description="global gradient-norm clip; 0 = off (algorithms A.2, detail 12)"
    )
    target_kl: float | None = Field(
        None, gt=0, description="stop a rollout's updates when k3 exceeds 1.5 x this (algorithms A.2, detail 17)"
    )
    observation_normalisation: bool = Field(
        False, description="running mean and variance, clipped to [-10, 10] (algorithms A.2, detail 16)"
    )
    reward_normalisation: bool = Field(
        False, description="divide by the running std of the discounted return (algorithms A.2, detail 16)"
    )
    reward_factor: float = Field(
        1.0,
        gt=0,
        description="multiplies rewards before anything is learned from them; what is reported stays as it is",
        json_schema_extra={"since": 2},
    )
    value_target: Literal["lambda_return", "discounted_return"] = Field(
        "lambda_return",
        description="what values are fitted to: GAE's lambda-return, or lambda = 1 as in TRAC's notebook (protocols 8)",
        json_schema_extra={"since": 2},
    )
    reset_normalisation_at_shift: bool = Field(False, description="forget the running statistics at every shift")
    initial_log_std: float = Field(
        0.0, ge=-5, le=2, description="initial log standard deviation of continuous actions (algorithms A.2, detail 15)"
    )


def stackable_fields(model: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """Names of the fields a cohort may stack, with their search range (`low`, `high`, `scale`)."""
    found: dict[str, dict[str, Any]] = {}
    for name, field in model.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and extra.get("stackable"):
            found[name] = dict(extra)
    return found
