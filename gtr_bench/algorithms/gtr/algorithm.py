"""Gaussian Trust Region policy optimization: this project's reconstruction from the abstract of arXiv 2606.03382.

    maximise  E[ surrogate(r, A) - beta rho(s) ]          rho(s) = sigma^2 (1 - m(s))
    m(s) = sum_k w_k kappa(delta_k(s))                    kappa(delta) = exp(-(delta / sigma)^p / 2)

delta_k is the distance from the k-th anchor, a snapshot of a recent policy. Bounded by sigma^2; near the anchors it
is the KL penalty; its force fades beyond delta = sigma. The paper's own equations are not public to this project.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from gtr_bench.algorithms.base import Algorithm, Batch, Sample
from gtr_bench.algorithms.gtr.anchor import Anchors, require_closed_form
from gtr_bench.algorithms.gtr.distance import CLOSED_FORMS, log_ratio
from gtr_bench.algorithms.gtr.gate import SustainGate
from gtr_bench.algorithms.gtr.kernel import affinity_loss, hold
from gtr_bench.algorithms.gtr.parameters import GTRParameters
from gtr_bench.algorithms.parameters import OnPolicyParameters
from gtr_bench.algorithms.ppo import clipped_surrogate
from gtr_bench.algorithms.spo import spo_penalty

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["GTR"]


class GTR(Algorithm):
    """The Gaussian-reshaped trust region: a surrogate minus a penalty that saturates away from recent policies.

    The form is this project's reading of the abstract of arXiv 2606.03382 (gtr.md 4); every choice is a parameter.
    """

    name: ClassVar[str] = "gtr"
    Parameters: ClassVar[type[OnPolicyParameters]] = GTRParameters
    reconstruction: ClassVar[bool] = True
    tuned: ClassVar[tuple[str, ...]] = ("learning_rate", "sigma")
    columns: ClassVar[Mapping[str, str]] = {
        "escape_fraction": "share of samples farther than sigma from the newest anchor",
        "anchor_affinity": "mean m(s): 1 at the anchors, 0 where they hold no more",
        "anchor_spread": "mean pairwise Hellinger distance of the anchors",
        "penalty_coefficient": "beta",
        "sustain_gate": "how far the well is open, in [0, 1) (`sustain`)",
    }

    def __init__(self, parameters: Any, members: int) -> None:
        super().__init__(parameters, members)
        self.anchors = Anchors(parameters)
        self.gate = SustainGate(parameters.sustain_threshold, parameters.sustain_patience)

    def prepare(self, batch: Batch) -> dict[str, Tensor]:
        """Anchors on the rollout's states: their distributions, or their log-probabilities of the actions taken."""
        p = self.p
        require_closed_form(p.anchor, p.distance, one_choice=batch.actions.dim() == 2)
        self.anchors.update(batch)
        if p.sustain:
            self.gate.update(batch)
        packed = self.anchors.evaluate(batch)  # [M, B, K, size]
        samples = batch.advantages.shape[1]
        weights = self.anchors.weights(batch.advantages)
        weights = weights.unsqueeze(1).expand(self.members, samples, -1)  # [M, B, K]
        if p.distance == "log_ratio":
            action = batch.actions.unsqueeze(2).expand(
                *batch.actions.shape[:2], packed.shape[2], *batch.actions.shape[2:]
            )
            log_probs = batch.behaviour.like(packed).log_prob(action)  # [M, B, K]
            if p.anchor == "mixture_policy":
                mixed = (weights.log() + log_probs).logsumexp(2, keepdim=True)
                return {"anchor_log_prob": mixed, "anchor_weight": weights.new_ones(*weights.shape[:2], 1)}
            return {"anchor_log_prob": log_probs, "anchor_weight": weights}
        if p.anchor == "mixture_policy":
            mixed = (weights.unsqueeze(3).log() + packed).logsumexp(2, keepdim=True)  # [M, B, 1, size]
            return {"anchor": mixed, "anchor_weight": weights.new_ones(*weights.shape[:2], 1)}
        return {"anchor": packed, "anchor_weight": weights}

    def squared_distance(self, sample: Sample) -> Tensor:
        """`delta_k^2` to each anchor, newest first, `[M, B, K]`."""
        if self.p.distance == "log_ratio":
            return log_ratio(sample.log_prob.unsqueeze(2), sample.columns["anchor_log_prob"])
        anchors = sample.behaviour.like(sample.columns["anchor"])
        return CLOSED_FORMS[self.p.distance](anchors, sample.policy.unsqueeze())

    def lost_affinity(self, sample: Sample, squared: Tensor) -> Tensor:
        """`1 - m(s)`: the weighted mean over anchors of `1 - kappa`, `[M, B]`."""
        loss = affinity_loss(squared, *self._kernel())
        return (sample.columns["anchor_weight"] * loss).sum(2)

    def objective(self, sample: Sample) -> tuple[Tensor, Tensor | None]:
        """Surrogate and penalty by `form`: where the kernel acts."""
        p, ratio, advantage = self.p, sample.ratio, sample.advantage
        if p.form == "gated_spo":  # H4: SPO's penalty fades as the ratio leaves the kernel's width
            held = hold((ratio - 1).square(), p.kernel, p.sigma, p.shape)
            return ratio * advantage, spo_penalty(ratio, advantage, p.clip_range) * held
        squared = self.squared_distance(sample)
        if p.form == "gated_surrogate":  # H3: the kernel, without gradient, weights the surrogate
            held = hold(squared.detach(), *self._kernel())
            return self._surrogate(ratio, advantage) * (sample.columns["anchor_weight"] * held).sum(2), None
        if p.form == "saturating" and not p.sustain:  # H1, the default
            return self._surrogate(ratio, advantage), p.beta * p.sigma * p.sigma * self.lost_affinity(sample, squared)
        if p.form == "saturating":
            penalty = p.sigma * p.sigma * self.lost_affinity(sample, squared)
        else:  # H2: the divergence itself, gated
            held = hold(squared, *self._kernel())
            penalty = (sample.columns["anchor_weight"] * 0.5 * squared * held).sum(2)
        if p.sustain:
            gate = self.gate.value()
            penalty = (1 - gate) * 0.5 * squared[:, :, 0] + gate * penalty
        return self._surrogate(ratio, advantage), p.beta * penalty

    def _kernel(self) -> tuple[str, float | Tensor, float | Tensor]:
        """Kernel, sigma and shape for `[M, B, K]`: what differs between members, `[M, 1]`, gets the anchors' axis."""
        sigma, shape = (
            value if isinstance(value, float) else value.unsqueeze(2) for value in (self.p.sigma, self.p.shape)
        )
        return self.p.kernel, sigma, shape

    def _surrogate(self, ratio: Tensor, advantage: Tensor) -> Tensor:
        if self.p.surrogate == "clip":
            return clipped_surrogate(ratio, advantage, self.p.clip_range)
        if self.p.surrogate == "spo":
            return ratio * advantage - spo_penalty(ratio, advantage, self.p.clip_range)
        return ratio * advantage

    def diagnose(self, sample: Sample) -> dict[str, Tensor]:
        """How far the update went: share of samples beyond the width, mean affinity, spread of the anchors."""
        squared = self.squared_distance(sample)
        newest = squared[:, :, 0]
        values = {
            "escape_fraction": (newest > self.p.sigma * self.p.sigma).float().mean(1),
            "anchor_affinity": 1 - self.lost_affinity(sample, squared).mean(1),
            "penalty_coefficient": newest.new_ones(self.members, 1).mul(self.p.beta).squeeze(1),
        }
        spread = self._spread(sample)
        if spread is not None:
            values["anchor_spread"] = spread
        if self.p.sustain:
            values["sustain_gate"] = self.gate.value().squeeze(1)
        return values

    @staticmethod
    def _spread(sample: Sample) -> Tensor | None:
        """Mean pairwise Hellinger distance of the anchors, `[M]`; None with fewer than two or without closed forms.

        Over about 256 samples: K (K - 1) / 2 distances on all of them cost as much as the other diagnostics.
        """
        packed = sample.columns.get("anchor")
        packed = None if packed is None else packed[:, :: max(1, packed.shape[1] // 256)]
        count = 0 if packed is None else packed.shape[2]
        if packed is None or count < 2:
            return None
        pairs = [(i, j) for i in range(count) for j in range(i)]
        total = sample.advantage.new_zeros(sample.advantage.shape[0])
        for i, j in pairs:
            first, second = sample.behaviour.like(packed[:, :, i]), sample.behaviour.like(packed[:, :, j])
            total = total + first.hellinger(second).mean(1)
        return total / len(pairs)

    def state(self) -> dict[str, Any]:
        """Anchors and gate."""
        return {"anchors": self.anchors.state(), "gate": self.gate.state()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue with the same anchors and gate."""
        self.anchors.load_state(state["anchors"])
        self.gate.load_state(state["gate"])
