"""The sustain gate opens with consecutive iterations of high advantage only (gtr.md 5)."""

from __future__ import annotations

import math

import pytest
import torch

from gtr_bench.algorithms.base import Batch
from gtr_bench.algorithms.gtr.gate import SustainGate
from gtr_bench.learn.distributions import Categorical
from tests.algorithms.helpers import batch_of

HIGH, LOW = 0.5, -0.5


def rollout(*advantages: float, returns: torch.Tensor | None = None) -> Batch:
    """One member per advantage; returns of standard deviation 1."""
    members = len(advantages)
    values = torch.tensor([[-1.0, 1.0]]).repeat(members, 1) if returns is None else returns
    behaviour = Categorical(torch.zeros(members, 2, 1))
    action = torch.zeros(members, 2, dtype=torch.int64)
    return batch_of(behaviour, action, torch.tensor(advantages).unsqueeze(1).expand(members, 2), returns=values)


def test_gate_opens_with_every_sustained_iteration_and_shuts_at_once() -> None:
    gate = SustainGate(0.02, 3.0)
    found = [gate.update(rollout(advantage)).item() for advantage in (LOW, HIGH, HIGH, HIGH, LOW, HIGH)]
    expected = [1 - math.exp(-count / 3) for count in (0, 1, 2, 3, 0, 1)]
    assert found == pytest.approx(expected, rel=1e-6)
    assert found[3] == pytest.approx(0.632121, rel=1e-5)


def test_members_count_for_themselves() -> None:
    gate = SustainGate(torch.tensor([[0.02], [0.02], [0.6]]), torch.tensor([[3.0], [1.0], [3.0]]))
    gate.update(rollout(HIGH, HIGH, HIGH))
    found = gate.update(rollout(LOW, HIGH, HIGH)).flatten().tolist()
    assert found == pytest.approx([0.0, 1 - math.exp(-2), 0.0], rel=1e-6)


def test_the_deviation_is_that_of_all_returns_so_far() -> None:
    """Advantage 0.5 over returns of standard deviation 100: first far above the threshold, then below it."""
    generator = torch.Generator().manual_seed(0)
    narrow, wide = torch.randn(1, 64, generator=generator), 3 + 40 * torch.randn(1, 64, generator=generator)
    deviation = torch.cat([narrow, wide], 1).std(correction=0).item()
    for factor, opens in ((0.99, True), (1.01, False)):
        gate = SustainGate(factor * HIGH / deviation, 3.0)
        for returns in (narrow, wide):
            behaviour = Categorical(torch.zeros(1, 64, 1))
            batch = batch_of(
                behaviour, torch.zeros(1, 64, dtype=torch.int64), torch.full((1, 64), HIGH), returns=returns
            )
            last = gate.update(batch)
        assert (last.item() > 0) == opens


def test_a_copy_of_the_state_continues_alike() -> None:
    first, second = SustainGate(0.02, 3.0), SustainGate(0.02, 3.0)
    first.update(rollout(HIGH))
    second.load_state(first.state())
    assert torch.equal(first.update(rollout(HIGH)), second.update(rollout(HIGH)))
    assert first.value().item() == pytest.approx(1 - math.exp(-2 / 3), rel=1e-6)
