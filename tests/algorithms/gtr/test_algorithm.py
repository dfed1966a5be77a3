"""GTR's objective: every form, its limits in value and gradient, and bounded penalties everywhere (gtr.md 4, 5, 7)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gtr_bench.learn.distributions import Categorical, DiagonalGaussian, Distribution
from tests.algorithms.helpers import build, categorical, gradient, prepare, sample_of, sample_of_ratio

STATES, ACTIONS = 16, 3
ONE, FIRST = torch.ones(1, 1), torch.zeros(1, 1, dtype=torch.int64)
DISTANCES = ["forward_kl", "reverse_kl", "jeffreys", "hellinger", "log_ratio"]
FORMS = ["saturating", "gated_divergence", "gated_surrogate", "gated_spo"]
WIDE = 1e6


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


ACTION = torch.randint(0, ACTIONS, (1, STATES), generator=generator())
ADVANTAGE = torch.randn(1, STATES, generator=generator())
LOGITS = torch.randn(1, STATES, ACTIONS, generator=generator())


def moved(scale: float = 0.5) -> torch.Tensor:
    """Logits of a policy at some distance from `LOGITS`, to differentiate by."""
    return (LOGITS + scale * torch.randn(1, STATES, ACTIONS, generator=generator().manual_seed(4))).requires_grad_()


def history(count: int) -> list[Distribution]:
    """Policies that end at the behaviour policy `LOGITS`."""
    drift = torch.randn(1, STATES, ACTIONS, generator=generator().manual_seed(3))
    return [Categorical.from_logits(LOGITS + 0.3 * back * drift) for back in range(count - 1, -1, -1)]


def objective(name: str, past: list[Distribution], logits: torch.Tensor, **parameters: Any) -> torch.Tensor:
    """What is maximised, `[1, STATES]`, for the policy of these logits after these rollouts."""
    algorithm = build(name, **parameters)
    found = prepare(algorithm, *past, action=ACTION, advantage=ADVANTAGE)
    surrogate, penalty = algorithm.objective(
        sample_of(Categorical.from_logits(logits), past[-1], ACTION, ADVANTAGE, found)
    )
    value: torch.Tensor = surrogate if penalty is None else surrogate - penalty
    return value


def assert_same_objective(
    left: Callable[[torch.Tensor], torch.Tensor], right: Callable[[torch.Tensor], torch.Tensor], rtol: float = 1e-5
) -> None:
    """Equal values and equal gradients by the logits."""
    logits = moved()
    first, second = left(logits), right(logits)
    torch.testing.assert_close(first, second, rtol=rtol, atol=1e-6)
    torch.testing.assert_close(gradient(first, logits), gradient(second, logits), rtol=rtol, atol=1e-6)


def gaussian_of_kl(kl: float) -> DiagonalGaussian:
    """`KL(N(0, 1) || N(m, 1)) = m^2 / 2`."""
    return DiagonalGaussian(torch.tensor([[[math.sqrt(2 * kl)]]], requires_grad=True), torch.zeros(1))


def penalty_of(policy: Distribution, *past: Distribution, **parameters: Any) -> torch.Tensor:
    action = torch.zeros(1, 1, 1) if isinstance(policy, DiagonalGaussian) else FIRST
    algorithm = build("gtr", beta=1.0, **parameters)
    found = prepare(algorithm, *past, action=action, advantage=ONE)
    penalty: torch.Tensor = algorithm.objective(sample_of(policy, past[-1], action, ONE, found))[1]
    return penalty


STANDARD = DiagonalGaussian(torch.zeros(1, 1, 1), torch.zeros(1))


@pytest.mark.parametrize(("kl", "sigma", "expected"), [(0.5, 1.0, 0.393469), (0.02, 0.2, 0.0157388)])
def test_saturating_penalty_has_the_worked_values(kl: float, sigma: float, expected: float) -> None:
    assert penalty_of(gaussian_of_kl(kl), STANDARD, sigma=sigma).item() == pytest.approx(expected, rel=1e-5)


def test_force_factor_has_the_worked_value() -> None:
    """The penalty's gradient is the KL's times `exp(-KL / sigma^2)`."""
    policy = gaussian_of_kl(0.02)
    force = gradient(penalty_of(policy, STANDARD, sigma=0.2), policy.mean) / gradient(STANDARD.kl(policy), policy.mean)
    assert force.item() == pytest.approx(0.606531, rel=1e-5)


def test_two_anchors_have_the_worked_affinity_and_penalty() -> None:
    far = gaussian_of_kl(0.5).like(gaussian_of_kl(0.5).packed.detach())
    action = torch.zeros(1, 1, 1)
    algorithm = build("gtr", sigma=1.0, anchor_decay=0.5, anchors=2)
    found = prepare(algorithm, far, STANDARD, action=action, advantage=ONE)
    sample = sample_of(STANDARD, STANDARD, action, ONE, found)
    assert algorithm.objective(sample)[1].item() == pytest.approx(0.131156, rel=1e-5)
    assert algorithm.diagnose(sample)["anchor_affinity"].item() == pytest.approx(0.868844, rel=1e-5)


def test_gated_divergence_peaks_at_sqrt_two_widths() -> None:
    """H2, here `beta delta^2 / 2 exp(-delta^2 / (2 sigma^2))`: at most `beta sigma^2 / e`."""
    sigma = 0.3
    penalties = [
        penalty_of(
            gaussian_of_kl(0.5 * (sigma * step / 100) ** 2), STANDARD, sigma=sigma, form="gated_divergence"
        ).item()
        for step in range(1, 400)
    ]
    assert penalties.index(max(penalties)) + 1 == pytest.approx(100 * math.sqrt(2), abs=1)
    assert max(penalties) == pytest.approx(sigma**2 / math.e, rel=1e-4)


def test_gated_surrogate_is_the_weighted_ratio_with_a_detached_weight() -> None:
    """H3 with the per-sample distance is GIPO: `sg(exp(-log^2 r / (2 sigma^2))) r A` (algorithms A.15)."""
    parameters: dict[str, Any] = {
        "form": "gated_surrogate",
        "distance": "log_ratio",
        "surrogate": "linear",
        "anchors": 1,
    }
    for ratio, sigma, weight in ((math.exp(0.5), 0.5, 0.606531), (2.0, 0.5, 0.382546), (2.0, 1.0, 0.786450)):
        algorithm = build("gtr", sigma=sigma, **parameters)
        log_ratio = torch.tensor([[math.log(ratio)]], requires_grad=True)
        sample = sample_of_ratio(torch.ones(1, 1), ONE)._replace(
            log_prob=log_ratio, columns={"anchor_log_prob": torch.zeros(1, 1, 1), "anchor_weight": torch.ones(1, 1, 1)}
        )
        surrogate, penalty = algorithm.objective(sample)
        assert penalty is None
        assert surrogate.item() == pytest.approx(weight * ratio, rel=1e-5)
        assert gradient(surrogate, log_ratio).item() == pytest.approx(weight * ratio, rel=1e-5)


def test_gated_spo_fades_with_the_ratio() -> None:
    algorithm = build("gtr", form="gated_spo", sigma=0.5, clip_range=0.2)
    surrogate, penalty = algorithm.objective(sample_of_ratio(torch.tensor([[1.5]]), torch.tensor([[-2.0]])))
    assert surrogate.item() == pytest.approx(-3.0)
    assert penalty.item() == pytest.approx(2 * 0.25 / 0.4 * math.exp(-0.5), rel=1e-5)


@pytest.mark.parametrize("form", ["saturating", "gated_divergence"])
@pytest.mark.parametrize("kernel", ["gaussian", "cauchy", "none"])
def test_a_very_wide_well_around_the_behaviour_is_ppo_with_a_kl_penalty(form: str, kernel: str) -> None:
    assert_same_objective(
        lambda z: objective(
            "gtr", history(3), z, form=form, kernel=kernel, sigma=WIDE, anchors=1, surrogate="linear", beta=2.0
        ),
        lambda z: objective("ppo_kl", history(1), z, beta=2.0),
    )


@pytest.mark.parametrize("form", ["saturating", "gated_divergence"])
def test_without_a_kernel_the_width_does_not_matter(form: str) -> None:
    assert_same_objective(
        lambda z: objective(
            "gtr", history(1), z, form=form, kernel="none", sigma=0.05, anchors=1, surrogate="linear", beta=2.0
        ),
        lambda z: objective("ppo_kl", history(1), z, beta=2.0),
    )


@pytest.mark.parametrize("kernel", ["gaussian", "none"])
def test_a_very_wide_gate_leaves_ppo_and_spo_as_they_are(kernel: str) -> None:
    wide: dict[str, Any] = {"sigma": WIDE, "kernel": kernel}
    assert_same_objective(
        lambda z: objective("gtr", history(4), z, form="gated_surrogate", **wide),
        lambda z: objective("ppo", history(1), z),
    )
    assert_same_objective(
        lambda z: objective("gtr", history(4), z, form="gated_spo", **wide), lambda z: objective("spo", history(1), z)
    )


@pytest.mark.parametrize(("surrogate", "name"), [("clip", "ppo"), ("spo", "spo"), ("linear", "ppo_kl")])
def test_without_a_penalty_each_surrogate_is_its_algorithms(surrogate: str, name: str) -> None:
    other: dict[str, Any] = {"beta": 0.0} if name == "ppo_kl" else {}
    assert_same_objective(
        lambda z: objective("gtr", history(4), z, surrogate=surrogate, beta=0.0),
        lambda z: objective(name, history(1), z, **other),
    )


@pytest.mark.parametrize("form", ["saturating", "gated_divergence"])
def test_a_vanishing_width_holds_nothing(form: str) -> None:
    assert_same_objective(
        lambda z: objective("gtr", history(1), z, form=form, sigma=1e-3, anchors=1),
        lambda z: objective("ppo", history(1), z),
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("distance", DISTANCES)
def test_one_anchor_identical_anchors_and_their_mixture_policy_are_the_same(form: str, distance: str) -> None:
    parameters: dict[str, Any] = {"form": form, "distance": distance, "sigma": 0.4}
    single = [Categorical.from_logits(LOGITS)]

    def one(logits: torch.Tensor) -> torch.Tensor:
        return objective("gtr", history(3), logits, anchors=1, **parameters)

    assert_same_objective(one, lambda z: objective("gtr", single * 4, z, anchors=4, **parameters), rtol=1e-4)
    assert_same_objective(
        one, lambda z: objective("gtr", single * 4, z, anchors=4, anchor="mixture_policy", **parameters), rtol=1e-4
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("anchor", ["mixture", "mixture_policy"])
def test_permuted_components_of_equal_weight_change_nothing(form: str, anchor: str) -> None:
    parameters: dict[str, Any] = {"form": form, "anchor": anchor, "anchor_weighting": "uniform", "sigma": 0.4}
    oldest, older, last = history(3)
    assert_same_objective(
        lambda z: objective("gtr", [oldest, older, last], z, **parameters),
        lambda z: objective("gtr", [older, oldest, last], z, **parameters),
    )


@pytest.mark.parametrize("form", FORMS)
def test_members_of_a_cohort_with_their_own_scalars_equal_single_ones(form: str) -> None:
    rows: list[dict[str, Any]] = [
        {"form": form, "sigma": 0.1, "beta": 0.5, "shape": 2.0, "anchor_decay": 0.5, "clip_range": 0.1},
        {"form": form, "sigma": 2.0, "beta": 3.0, "shape": 1.5, "anchor_decay": 0.9, "clip_range": 0.4},
    ]
    logits = moved()
    together = build("gtr", *rows)
    past = [Categorical(policy.packed.expand(2, -1, -1)) for policy in history(3)]
    action, advantage = ACTION.expand(2, -1), ADVANTAGE.expand(2, -1)
    found = prepare(together, *past, action=action, advantage=advantage)
    policy = Categorical.from_logits(logits.expand(2, -1, -1))
    surrogate, penalty = together.objective(sample_of(policy, past[-1], action, advantage, found))
    stacked = surrogate if penalty is None else surrogate - penalty
    for member, row in enumerate(rows):
        torch.testing.assert_close(
            stacked[member], objective("gtr", history(3), logits, **row)[0], rtol=1e-5, atol=1e-6
        )


EXTREME = st.lists(st.floats(-1e4, 1e4, width=32), min_size=ACTIONS, max_size=ACTIONS)


@settings(max_examples=200)
@given(
    anchor=EXTREME,
    current=EXTREME,
    sigma=st.floats(1e-3, 100),
    shape=st.sampled_from([1.0, 2.0, 4.0, 16.0]),
    kernel=st.sampled_from(["gaussian", "cauchy"]),
    distance=st.sampled_from(DISTANCES),
)
def test_penalty_is_bounded_by_sigma_squared_and_its_gradient_finite(
    anchor: list[float], current: list[float], sigma: float, shape: float, kernel: str, distance: str
) -> None:
    logits = torch.tensor([[current]], requires_grad=True)
    penalty = penalty_of(
        Categorical.from_logits(logits), Categorical.from_logits(torch.tensor([[anchor]])),
        sigma=sigma, shape=shape, kernel=kernel, distance=distance,
    )  # fmt: skip
    assert 0 <= penalty.item() <= sigma**2 * (1 + 1e-6)
    assert gradient(penalty, logits).isfinite().all()


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("form", ["saturating", "gated_divergence"])
def test_one_hot_policies_give_numbers(distance: str, form: str) -> None:
    certain, other = categorical(1.0, 0.0), categorical(0.0, 1.0)
    for policy in (certain, other):
        packed = policy.packed.clone().requires_grad_()
        if distance == "log_ratio" and policy is other:
            continue  # the action taken has probability 0 under the policy: its ratio is 0 and its distance infinite
        penalty = penalty_of(policy.like(packed), certain, sigma=0.5, distance=distance, form=form)
        assert penalty.isfinite().all()
        assert gradient(penalty, packed).isfinite().all()


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("kernel", ["gaussian", "cauchy"])
@pytest.mark.parametrize("shape", [1.0, 2.0, 4.0])
def test_at_the_anchor_penalty_and_gradient_vanish(distance: str, kernel: str, shape: float) -> None:
    logits = LOGITS.clone().requires_grad_()
    algorithm = build("gtr", sigma=0.5, distance=distance, kernel=kernel, shape=shape, anchors=1)
    found = prepare(algorithm, Categorical.from_logits(LOGITS), action=ACTION, advantage=ADVANTAGE)
    behaviour = Categorical.from_logits(LOGITS)
    penalty = algorithm.objective(sample_of(Categorical.from_logits(logits), behaviour, ACTION, ADVANTAGE, found))[1]
    # with shape 1 the penalty starts linearly in the distance, whose square is only known to rounding
    tolerance = 1e-3 if shape == 1.0 else 1e-5
    assert penalty.max().item() < tolerance
    assert gradient(penalty, logits).abs().max().item() < tolerance


def test_inside_the_well_a_step_on_the_penalty_goes_to_the_anchor_and_far_outside_nowhere() -> None:
    sigma = 0.2

    def force(distance: float) -> float:
        policy = gaussian_of_kl(0.5 * distance**2)
        return gradient(penalty_of(policy, STANDARD, sigma=sigma), policy.mean).item()

    inside = force(0.5 * sigma)
    assert 0 < 0.5 * sigma - 0.1 * inside < 0.5 * sigma
    assert abs(force(10 * sigma)) < 1e-15 * force(sigma)
    assert force(sigma) == pytest.approx(sigma * math.exp(-0.5), rel=1e-5)


def test_without_sustained_advantage_the_penalty_is_the_kl_and_then_it_opens() -> None:
    policy, past = Categorical.from_logits(moved().detach()), history(1)
    behaviour = past[-1]
    parameters: dict[str, Any] = {"sustain": True, "sigma": 0.2, "beta": 1.0, "sustain_patience": 1.0, "anchors": 1}

    def penalty(advantages: list[float], **changes: Any) -> torch.Tensor:
        algorithm = build("gtr", **(parameters | changes))
        for advantage in advantages:
            returns = torch.linspace(-1, 1, STATES).view(1, STATES)
            found = prepare(
                algorithm, behaviour, action=ACTION, advantage=torch.full((1, STATES), advantage), returns=returns
            )
        sample = sample_of(policy, behaviour, ACTION, ADVANTAGE, found)
        value: torch.Tensor = algorithm.objective(sample)[1]
        if algorithm.p.sustain:
            gate = 1 - math.exp(-sum(advantage > 0 for advantage in advantages))
            assert algorithm.diagnose(sample)["sustain_gate"].item() == pytest.approx(gate, rel=1e-5)
        return value

    kl, well = behaviour.kl(policy), penalty([1.0], sustain=False)
    torch.testing.assert_close(penalty([-1.0]), kl)
    gate = 1 - math.exp(-2)
    torch.testing.assert_close(penalty([1.0, 1.0]), (1 - gate) * kl + gate * well)


def test_diagnostics_count_the_escaped_and_measure_the_spread() -> None:
    algorithm = build("gtr", sigma=0.5, anchors=2, beta=1.5)
    past = history(2)
    found = prepare(algorithm, *past, action=ACTION, advantage=ADVANTAGE)
    policy = Categorical.from_logits(moved().detach())
    values = algorithm.diagnose(sample_of(policy, past[-1], ACTION, ADVANTAGE, found))
    beyond = (2 * past[-1].kl(policy)).sqrt() > 0.5
    assert 0 < beyond.float().mean() < 1
    assert values["escape_fraction"].item() == pytest.approx(beyond.float().mean().item())
    assert values["anchor_spread"].item() == pytest.approx(past[0].hellinger(past[1]).mean().item(), rel=1e-5)
    assert values["penalty_coefficient"].item() == pytest.approx(1.5)
    assert "sustain_gate" not in values


def test_one_anchor_has_no_spread() -> None:
    algorithm = build("gtr", anchors=1)
    past = history(1)
    found = prepare(algorithm, *past, action=ACTION, advantage=ADVANTAGE)
    values = algorithm.diagnose(sample_of(past[0], past[0], ACTION, ADVANTAGE, found))
    assert "anchor_spread" not in values


def test_escape_threshold_of_one_sample() -> None:
    """With distance |log r| a resting point exists below `A* = 0.779180` only (sigma 0.5, beta sigma^2 = 1)."""
    distances = torch.linspace(1e-3, 3, 30_000, dtype=torch.float64).view(1, -1).requires_grad_()
    columns = {
        "anchor_log_prob": torch.zeros(1, distances.shape[1], 1),
        "anchor_weight": torch.ones(1, distances.shape[1], 1),
    }
    sample = sample_of_ratio(torch.ones(1, distances.shape[1], dtype=torch.float64), torch.ones(1, distances.shape[1]))
    algorithm = build("gtr", sigma=0.5, beta=4.0, distance="log_ratio", surrogate="linear", anchors=1)
    surrogate, penalty = algorithm.objective(sample._replace(log_prob=distances, columns=columns))
    (slope,) = torch.autograd.grad(surrogate.sum(), distances, retain_graph=True)
    threshold = gradient(penalty, distances) / slope
    assert threshold.max().item() == pytest.approx(0.779180, rel=1e-5)
    assert distances[0, threshold.argmax()].item() == pytest.approx(0.390388, abs=2e-4)
