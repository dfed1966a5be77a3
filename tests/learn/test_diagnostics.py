"""Diagnostics: null models of the path, hand values of dormancy and rank (gtr.md 6, algorithms D)."""

from __future__ import annotations

import math

import pytest
import torch

from gtr_bench.learn.diagnostics import PROBE_SIZE, WINDOW, PathProbe, dormant_fraction, feature_rank
from gtr_bench.learn.distributions import Categorical, DiagonalGaussian, Distribution


def walk(policies: list[Distribution]) -> list[dict[str, torch.Tensor]]:
    """What the probe says after each policy but the first, which collected the first rollout."""
    probe = PathProbe()
    states = policies[0].packed.shape[1]
    probe.before_update(torch.zeros(policies[0].packed.shape[0], states, 2), policies[0])
    return [probe.after_update(policy) for policy in policies[1:]]


def gaussian(means: torch.Tensor) -> DiagonalGaussian:
    """`[M, S, A]` means, deviation 1."""
    return DiagonalGaussian(means, torch.zeros(1))


def test_a_straight_path_of_small_steps_is_efficient() -> None:
    found = walk([gaussian(torch.full((1, 8, 2), 0.01 * step)) for step in range(WINDOW + 1)])[-1]
    assert found["path_efficiency"].item() == pytest.approx(1, abs=1e-2)
    assert found["path_length"].item() == pytest.approx(WINDOW * found["step_length"].item(), rel=1e-3)


def test_a_straight_bernoulli_path_is_shortened_by_the_chord_only() -> None:
    """From probability .5 to .95 on the arc: Hellinger's chord against sixteen small chords."""
    angles = torch.linspace(math.asin(math.sqrt(0.5)), math.asin(math.sqrt(0.95)), WINDOW + 1, dtype=torch.float64)
    up = angles.sin().square()
    found = walk([Categorical(torch.stack([p, 1 - p]).log().view(1, 1, 2)) for p in up])[-1]
    arc = (angles[-1] - angles[0]).item()
    # 1 - cos(x) = 2 sin^2(x / 2)
    expected = math.sin(arc / 2) / (WINDOW * math.sin(arc / 2 / WINDOW))
    assert found["path_efficiency"].item() == pytest.approx(expected, rel=1e-6)
    assert found["displacement"].item() == pytest.approx(math.sqrt(2) * math.sin(arc / 2), rel=1e-6)


def categorical(*policies: tuple[float, ...]) -> list[Distribution]:
    """One state; the last policy then stands still until the window is full."""
    path = [*policies, *[policies[-1]] * (WINDOW + 1 - len(policies))]
    return [Categorical(torch.tensor(p, dtype=torch.float64).log().view(1, 1, -1)) for p in path]


def test_the_worked_bernoulli_path_of_two_steps_has_the_efficiency_of_its_chords() -> None:
    """.5 -> .8 -> .95 (algorithms D.2): .990436 by Hellinger."""
    found = walk(categorical((0.5, 0.5), (0.8, 0.2), (0.95, 0.05)))[-1]
    assert found["path_efficiency"].item() == pytest.approx(0.990436, abs=5e-7)


def test_three_policies_as_far_from_each_other_have_half_the_efficiency() -> None:
    found = walk(categorical((0.8, 0.1, 0.1), (0.1, 0.8, 0.1), (0.1, 0.1, 0.8)))[-1]
    assert found["path_efficiency"].item() == pytest.approx(0.5, rel=1e-6)


def test_a_periodic_policy_has_gone_nowhere_after_a_full_period() -> None:
    angles = torch.linspace(0, 2 * math.pi, WINDOW + 1, dtype=torch.float64)
    circle = torch.stack([angles.cos(), angles.sin()], dim=1)
    found = walk([gaussian(means.view(1, 1, 2)) for means in circle])[-1]
    assert found["path_efficiency"].item() == pytest.approx(0, abs=1e-6)
    assert found["path_length"].item() > 1


def test_back_and_forth_goes_nowhere() -> None:
    found = walk([gaussian(torch.full((1, 8, 2), float(step % 2))) for step in range(WINDOW + 1)])[-1]
    assert found["path_efficiency"].item() == pytest.approx(0, abs=1e-6)
    assert found["path_length"].item() > 1


def test_a_random_walk_is_about_one_over_the_root_of_the_window() -> None:
    generator = torch.Generator().manual_seed(0)
    moves = 1e-2 * torch.randn(WINDOW + 1, 1, 4, 500, generator=generator, dtype=torch.float64)
    found = walk([gaussian(means) for means in moves.cumsum(0)])[-1]
    assert found["path_efficiency"].item() == pytest.approx(1 / math.sqrt(WINDOW), rel=0.05)


def test_a_policy_that_stands_still_has_no_efficiency() -> None:
    still = gaussian(torch.zeros(1, 4, 1, dtype=torch.float64))
    found = walk([still] * (WINDOW + 1))[-1]
    assert found["path_length"].item() == 0
    assert found["path_efficiency"].isnan().all()


def test_the_window_slides_and_is_silent_until_it_is_full() -> None:
    """A far first move is forgotten once it has left the window."""
    means = [0.0, *(1.0 + 0.01 * step for step in range(WINDOW + 1))]
    found = walk([gaussian(torch.full((1, 4, 1), mean)) for mean in means])
    assert all(set(row) == {"step_length"} for row in found[: WINDOW - 1])
    assert found[WINDOW - 1]["displacement"].item() > 0.3
    assert found[WINDOW]["displacement"].item() < 0.1


def test_members_walk_apart_and_values_are_means_over_states() -> None:
    first, second = torch.zeros(2, 2, 1), torch.zeros(2, 2, 1)
    second[1, 0] = 1.0
    found = walk([gaussian(first), gaussian(second)])[0]["step_length"]
    assert found[0].item() == 0
    assert found[1].item() == pytest.approx(math.sqrt(0.1175030974) / 2, rel=1e-5)


@pytest.mark.parametrize("size", [10, PROBE_SIZE, 1000])
def test_probe_states_come_evenly_from_the_first_rollout_of_a_phase(size: int) -> None:
    probe = PathProbe()
    observations = torch.arange(float(size)).view(1, size, 1)
    probe.before_update(observations, gaussian(observations))
    chosen = probe.states[0][0, :, 0]
    assert len(chosen) == min(size, PROBE_SIZE)
    assert len(chosen.unique()) == len(chosen)
    stretches = torch.arange(len(chosen)) * size / len(chosen)
    assert ((chosen - stretches) > -1).all(), "one state from each of as many stretches as there are states"
    assert ((chosen - stretches) <= size / len(chosen)).all()
    probe.before_update(observations + 1e6, gaussian(observations))
    assert torch.equal(probe.states[0][0, :, 0], chosen)
    probe.restart()
    probe.before_update(observations + 1e6, gaussian(observations))
    assert probe.states[0].min() >= 1e6


def test_a_copy_of_the_state_continues_alike() -> None:
    policies = [gaussian(torch.full((1, 4, 1), float(step) ** 0.5)) for step in range(WINDOW + 6)]
    first, second = PathProbe(), PathProbe()
    first.before_update(torch.zeros(1, 4, 1), policies[0])
    for policy in policies[1:10]:
        first.after_update(policy)
    second.load_state(first.state())
    for policy in policies[10:]:
        left, right = first.after_update(policy), second.after_update(policy)
        assert left.keys() == right.keys()
        assert all(torch.equal(left[name], right[name]) for name in left)


def test_dormant_units_are_those_far_below_their_layers_mean() -> None:
    """Mean |activation| 1, 1, 1, x: dormant where x is at most 0.025 of the layer's mean."""

    def layer(last: float) -> torch.Tensor:
        activity = torch.tensor([1.0, 1.0, 1.0, last])
        return torch.stack([activity, -activity]).unsqueeze(0)

    assert dormant_fraction([layer(0.0)]).item() == 0.25
    assert dormant_fraction([layer(0.018)]).item() == 0.25
    assert dormant_fraction([layer(0.02)]).item() == 0
    assert dormant_fraction([layer(0.0), layer(1.0)]).item() == 0.125
    both = torch.cat([layer(0.0), layer(1.0)])
    assert dormant_fraction([both]).tolist() == [0.25, 0.0]
    assert dormant_fraction([torch.zeros(1, 2, 4)]).item() == 1


def test_feature_rank_counts_singular_values_up_to_99_percent() -> None:
    """Singular values 10, 1, 0.1: two carry 99 % (algorithms D.1)."""
    generator = torch.Generator().manual_seed(0)
    left = torch.linalg.qr(torch.randn(20, 3, generator=generator, dtype=torch.float64))[0]
    right = torch.linalg.qr(torch.randn(3, 3, generator=generator, dtype=torch.float64))[0]

    def features(*values: float) -> torch.Tensor:
        return (left * torch.tensor(values)) @ right

    stacked = torch.stack([features(10, 1, 0.1), features(1, 1, 1), features(5, 0, 0)])
    assert feature_rank(stacked).tolist() == [2, 3, 1]


def test_feature_rank_is_that_of_a_singular_value_decomposition() -> None:
    features = torch.randn(2, 50, 12, generator=torch.Generator().manual_seed(1)) * torch.logspace(0, -3, 12)
    values = torch.linalg.svdvals(features.double())
    expected = ((values.cumsum(1) / values.sum(1, keepdim=True)) < 0.99).sum(1) + 1
    assert torch.equal(feature_rank(features), expected.float())


@pytest.mark.parametrize("size", [1e-5, 1e-4, 1e-2])
def test_a_straight_walk_of_tiny_steps_is_efficient_in_float32(size: float) -> None:
    """`1 - BC` cancels for policies that are nearly equal: efficiencies of 1.5 and 0.2 were seen."""
    steps = torch.arange(WINDOW + 1.0)
    logits = torch.tensor([2.0, -1.0, 0.5]).expand(1, 64, 3)
    moved = torch.tensor([1.0, 0.0, -1.0])
    walks = {
        "categorical": [Categorical.from_logits(logits + size * step * moved) for step in steps],
        "gaussian": [DiagonalGaussian(logits + size * step, torch.full((1, 1, 3), -1.0)) for step in steps],
    }
    for walk in walks.values():
        probe = PathProbe()
        probe.before_update(torch.zeros(1, 64, 1), walk[0])
        for policy in walk[1:]:
            found = probe.after_update(policy)
        assert found["path_efficiency"].item() == pytest.approx(1, abs=0.02)
