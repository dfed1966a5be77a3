"""A2C's score-function gradient on a bandit (algorithms A.1)."""

from __future__ import annotations

import torch

from gtr_bench.learn.distributions import Categorical
from tests.algorithms.helpers import build, categorical, gradient, sample_of


def score(logits: torch.Tensor, action: int) -> torch.Tensor:
    policy = Categorical.from_logits(logits.view(1, 1, -1))
    sample = sample_of(
        policy, categorical(*[1 / len(logits)] * len(logits)), torch.tensor([[action]]), torch.ones(1, 1), {}
    )
    surrogate, penalty = build("a2c").objective(sample)
    assert penalty is None
    return gradient(surrogate, logits)


def test_gradient_of_a_two_armed_bandit() -> None:
    logits = torch.zeros(2, requires_grad=True)
    torch.testing.assert_close(score(logits, 0), torch.tensor([0.5, -0.5]))


def test_the_expected_score_is_zero() -> None:
    logits = torch.tensor([0.3, -1.0, 2.0], requires_grad=True)
    probabilities = logits.detach().softmax(0)
    expected = sum((probabilities[action] * score(logits, action) for action in range(3)), torch.zeros(3))
    torch.testing.assert_close(expected, torch.zeros(3), atol=1e-7, rtol=0)
