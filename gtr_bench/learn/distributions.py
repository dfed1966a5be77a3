"""Action distributions over any leading shape: categorical, multi-categorical, diagonal Gaussian.

Each is a thin view of one packed tensor `[..., K]`, so that a rollout stores one column per policy and a
minibatch is a slice of it. Logarithms are natural; divergences are in nats. Closed forms: algorithms 0.2.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from gtr_bench.environments.spaces import ActionSpace

__all__ = [
    "Categorical",
    "DiagonalGaussian",
    "Distribution",
    "MultiCategorical",
    "choose",
    "from_packed",
    "noise_of",
    "policy_size",
    "unpack",
]

_LOG_TWO_PI = math.log(2 * math.pi)


class Distribution(ABC):
    """A batch of action distributions; `packed` is `[..., K]` and rebuilds it through `like`."""

    packed: Tensor

    @abstractmethod
    def like(self, packed: Tensor) -> Distribution:
        """The same kind of distribution with other packed values."""

    @abstractmethod
    def log_prob(self, action: Tensor) -> Tensor:
        """Log-probability (density) of actions, summed over action dimensions, `[...]`."""

    @abstractmethod
    def entropy(self) -> Tensor:
        """Entropy in nats, `[...]`."""

    @abstractmethod
    def kl(self, other: Distribution, *, clamp: bool = True) -> Tensor:
        """`KL(self || other)`, `[...]`, clamped at 0 from below.

        Methods that need its curvature at `self == other` ask for no clamp: rounding makes half of the states there
        negative, and a clamped half has no second derivative.
        """

    @abstractmethod
    def squared_hellinger(self, other: Distribution) -> Tensor:
        """`1 - BC` in [0, 1], without cancellation for distributions that are nearly equal, `[...]`."""

    def affinity(self, other: Distribution) -> Tensor:
        """Bhattacharyya coefficient in [0, 1], `[...]`."""
        return 1 - self.squared_hellinger(other)

    @abstractmethod
    def sample(self, noise: Tensor) -> Tensor:
        """Actions from noise of `noise_like`'s kind."""

    @abstractmethod
    def mode(self) -> Tensor:
        """The most probable action."""

    @staticmethod
    @abstractmethod
    def noise(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Noise that `sample` turns into actions, `shape + (noise size,)`."""

    def unsqueeze(self) -> Distribution:
        """With an axis of length 1 before the last: `[..., 1]` distributions, to broadcast against anchors."""
        return self.like(self.packed.unsqueeze(-2))

    def hellinger(self, other: Distribution) -> Tensor:
        """Hellinger distance `sqrt(1 - BC)`, in [0, 1], `[...]`; not for use under autograd."""
        return self.squared_hellinger(other).sqrt()


class Categorical(Distribution):
    """Over A actions; `packed` holds normalised log-probabilities `[..., A]`."""

    def __init__(self, packed: Tensor) -> None:
        self.packed = packed

    @classmethod
    def from_logits(cls, logits: Tensor) -> Categorical:
        """Normalise logits `[..., A]`."""
        # over few choices an order of magnitude faster with the samples last
        return cls(
            logits.transpose(-1, -2).log_softmax(-2).transpose(-1, -2) if logits.dim() > 1 else logits.log_softmax(-1)
        )

    def like(self, packed: Tensor) -> Categorical:
        return Categorical(packed)

    def log_prob(self, action: Tensor) -> Tensor:
        return self.packed.gather(-1, action.unsqueeze(-1)).squeeze(-1)

    def entropy(self) -> Tensor:
        return -(self.packed.exp() * self.packed).sum(-1)

    def kl(self, other: Distribution, *, clamp: bool = True) -> Tensor:
        # 0 log 0 = 0: log-probabilities of -inf would give nan, so they are floored well below float32's exp range
        mine, theirs = self.packed.clamp_min(-1e4), other.packed.clamp_min(-1e4)
        return _clamped((mine.exp() * (mine - theirs)).sum(-1), clamp)

    def squared_hellinger(self, other: Distribution) -> Tensor:
        return 0.5 * ((0.5 * self.packed).exp() - (0.5 * other.packed).exp()).square().sum(-1)

    def sample(self, noise: Tensor) -> Tensor:
        return (self.packed + noise).argmax(-1)

    def mode(self) -> Tensor:
        return self.packed.argmax(-1)

    @staticmethod
    def noise(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Gumbel noise: `argmax(log p + noise)` is a sample."""
        return -torch.empty(shape, device=generator.device).exponential_(generator=generator).log()


class MultiCategorical(Distribution):
    """Independent categoricals of the given sizes; `packed` holds their log-probabilities side by side."""

    def __init__(self, packed: Tensor, sizes: tuple[int, ...]) -> None:
        self.packed = packed
        self.sizes = sizes

    @classmethod
    def from_logits(cls, logits: Tensor, sizes: tuple[int, ...]) -> MultiCategorical:
        """Normalise logits `[..., sum(sizes)]` block by block."""
        return cls(torch.cat([part.log_softmax(-1) for part in torch.split(logits, list(sizes), -1)], -1), sizes)

    def _parts(self) -> list[Categorical]:
        return [Categorical(part) for part in torch.split(self.packed, list(self.sizes), -1)]

    def like(self, packed: Tensor) -> MultiCategorical:
        return MultiCategorical(packed, self.sizes)

    def log_prob(self, action: Tensor) -> Tensor:
        return torch.stack([p.log_prob(action[..., i]) for i, p in enumerate(self._parts())]).sum(0)

    def entropy(self) -> Tensor:
        return torch.stack([part.entropy() for part in self._parts()]).sum(0)

    def kl(self, other: Distribution, *, clamp: bool = True) -> Tensor:
        assert isinstance(other, MultiCategorical)
        return torch.stack([p.kl(q, clamp=clamp) for p, q in zip(self._parts(), other._parts(), strict=True)]).sum(0)

    def squared_hellinger(self, other: Distribution) -> Tensor:
        assert isinstance(other, MultiCategorical)
        parts = [p.squared_hellinger(q) for p, q in zip(self._parts(), other._parts(), strict=True)]
        # disjoint parts (1) would have no finite slope
        return -(torch.log1p(-torch.stack(parts).clamp_max(1 - 1e-6)).sum(0).expm1())

    def sample(self, noise: Tensor) -> Tensor:
        return torch.stack([part.argmax(-1) for part in torch.split(self.packed + noise, list(self.sizes), -1)], -1)

    def mode(self) -> Tensor:
        return torch.stack([part.mode() for part in self._parts()], -1)

    noise = staticmethod(Categorical.noise)


class DiagonalGaussian(Distribution):
    """Over A real numbers; `packed` is the means followed by the log standard deviations, `[..., 2A]`."""

    def __init__(self, mean: Tensor, log_std: Tensor) -> None:
        """`mean` `[..., A]` and `log_std` broadcastable to it."""
        self.mean, self.log_std = mean, log_std

    @property
    def packed(self) -> Tensor:  # type: ignore[override]
        """Built on demand: the update loop works on mean and log_std."""
        return torch.cat([self.mean, self.log_std.expand_as(self.mean)], -1)

    def like(self, packed: Tensor) -> DiagonalGaussian:
        return DiagonalGaussian(*packed.chunk(2, -1))

    def unsqueeze(self) -> DiagonalGaussian:
        return DiagonalGaussian(self.mean.unsqueeze(-2), self.log_std.unsqueeze(-2))

    def log_prob(self, action: Tensor) -> Tensor:
        deviation = (action - self.mean) * (-self.log_std).exp()
        return (-0.5 * deviation.square() - self.log_std).sum(-1) - 0.5 * _LOG_TWO_PI * action.shape[-1]

    def entropy(self) -> Tensor:
        return (self.log_std + 0.5 * (1 + _LOG_TWO_PI)).expand_as(self.mean).sum(-1)

    def kl(self, other: Distribution, *, clamp: bool = True) -> Tensor:
        assert isinstance(other, DiagonalGaussian)
        shrink = other.log_std - self.log_std
        deviation = (self.mean - other.mean) * (-other.log_std).exp()
        return _clamped((shrink + 0.5 * ((-2 * shrink).exp() + deviation.square() - 1)).sum(-1), clamp)

    def squared_hellinger(self, other: Distribution) -> Tensor:
        assert isinstance(other, DiagonalGaussian)
        variances = (2 * self.log_std).exp() + (2 * other.log_std).exp()
        # log cosh of the difference of the log widths, as log1p(2 sinh^2(x / 2))
        log_cosh = torch.log1p(2 * (0.5 * (self.log_std - other.log_std)).sinh().square())
        log_affinity = -0.5 * log_cosh - 0.25 * (self.mean - other.mean).square() / variances
        return -(log_affinity.sum(-1).expm1())

    def sample(self, noise: Tensor) -> Tensor:
        return self.mean + self.log_std.exp() * noise

    def mode(self) -> Tensor:
        return self.mean

    @staticmethod
    def noise(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Standard normal noise."""
        return torch.randn(shape, generator=generator, device=generator.device)


def _clamped(divergence: Tensor, clamp: bool) -> Tensor:
    return divergence.clamp_min(0) if clamp else divergence


def policy_size(space: ActionSpace) -> int:
    """How many numbers the policy head puts out for a state: logits, or means."""
    return sum(space.sizes)  # continuous: sizes is (A,)


def noise_of(space: ActionSpace) -> Callable[[tuple[int, ...], torch.Generator], Tensor]:
    """The noise `sample` needs for this space: normal for continuous actions, Gumbel otherwise."""
    return DiagonalGaussian.noise if space.kind == "continuous" else Categorical.noise


def from_packed(space: ActionSpace, packed: Tensor) -> Distribution:
    """The distribution whose `packed` this is."""
    if space.kind == "continuous":
        return DiagonalGaussian(*packed.chunk(2, -1))
    return Categorical(packed) if space.kind == "discrete" else MultiCategorical(packed, space.sizes)


def choose(space: ActionSpace, output: Tensor, log_std: Tensor, noise: Tensor | None) -> Tensor:
    """Actions `[M, N, ...]` of a policy head's output `[M, N, policy_size]`: sampled by noise, or the modes without.

    Logits are not normalised first: a constant does not move their largest.
    """
    policy: Distribution
    if space.kind == "continuous":
        policy = DiagonalGaussian(output, log_std)
    elif space.kind == "discrete":
        policy = Categorical(output)
    else:
        policy = MultiCategorical(output, space.sizes)
    return policy.mode() if noise is None else policy.sample(noise)


def unpack(space: ActionSpace, output: Tensor, log_std: Tensor) -> Distribution:
    """The distribution of a policy head's output `[M, B, policy_size]`; `log_std` `[M, 1, A]` if continuous."""
    if space.kind == "continuous":
        return DiagonalGaussian(output, log_std)
    if space.kind == "discrete":
        return Categorical.from_logits(output)
    return MultiCategorical.from_logits(output, space.sizes)
