"""The diagnostics that every on-policy algorithm logs once per iteration."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["COLUMNS"]

COLUMNS: Mapping[str, str] = {
    "training_return": "mean return of those episodes; null without any",
    "episode_length": "mean length of those episodes; null without any",
    "success_rate": "share of those episodes with success; null without any, or where there is no such flag",
    "policy_loss": "the surrogate's loss, mean over the update's minibatches",
    "value_loss": "the value function's loss, likewise",
    "penalty": "the algorithm's penalty term at the end of the update, mean over the rollout",
    "entropy": "mean entropy of the policy after the update, in nats",
    "approx_kl": "KL divergence of the update estimated from samples, mean of r - 1 - log r",
    "exact_kl": "the same divergence in closed form: behaviour policy to updated policy",
    "clip_fraction": "share of samples whose ratio lies outside the clip range after the update",
    "explained_variance": "1 - var(return - value) / var(return) over the rollout",
    "grad_norm": "norm of the gradient before clipping, mean over minibatches",
    "weight_norm": "Euclidean norm of all parameters after the update",
    "step_length": "distance of the policy from the one before the update",
    "path_length": "sum of the last 16 step lengths; null before there are 16 in the phase",
    "displacement": "distance of the policy from the one 16 iterations ago; null likewise",
    "path_efficiency": "displacement / path_length, in [0, 1]: 1 = every update went the same way",
    "turning": "cosine between this update of the parameters and the one before",
    "dormant_fraction": "share of hidden units that are nearly inactive (ReDo, tau = 0.025); every 16th iteration",
    "feature_rank": "singular values that carry 99 % of the last hidden layer's features; every 16th iteration",
    "learning_rate": "step size used",
}
"""name -> meaning"""
