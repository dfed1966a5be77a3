"""The kernels: worked values, limits, boundedness and finite gradients everywhere (gtr.md 2 and 7)."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gtr_bench.algorithms.gtr.kernel import affinity_loss, hold
from tests.algorithms.helpers import gradient

KERNELS = ["gaussian", "cauchy"]


def at(squared: float, kernel: str = "gaussian", sigma: float = 1.0, shape: float = 2.0) -> float:
    return affinity_loss(torch.tensor([[squared]]), kernel, sigma, shape).item()


def slope(distance: float, sigma: float, kernel: str = "gaussian", shape: float = 2.0) -> float:
    """The restoring force: the derivative of `sigma^2 (1 - kappa)` by the distance."""
    delta = torch.tensor([[distance]], dtype=torch.float64, requires_grad=True)
    return gradient(sigma**2 * affinity_loss(delta.square(), kernel, sigma, shape), delta).item()


@pytest.mark.parametrize(("widths", "expected"), [(1, 0.393469), (2, 0.864665), (3, 0.988891)])
def test_gaussian_loss_at_one_two_and_three_widths(widths: float, expected: float) -> None:
    assert at((0.3 * widths) ** 2, sigma=0.3) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("shape", "exponent"), [(1.0, 2.0), (2.0, 4.0), (4.0, 16.0)])
def test_shape_is_the_exponent_of_the_distance(shape: float, exponent: float) -> None:
    assert at(4.0, shape=shape) == pytest.approx(1 - math.exp(-exponent / 2), rel=1e-6)


def test_cauchy_and_quadratic_values() -> None:
    assert at(1.0, "cauchy", sigma=0.5) == pytest.approx(2 / 3)
    assert at(1.0, "none", sigma=0.5) == pytest.approx(2.0)


def test_force_rises_to_one_width_and_fades() -> None:
    forces = [slope(0.2 * step / 10, 0.2) for step in range(1, 101)]
    assert forces.index(max(forces)) == 9
    assert max(forces) == pytest.approx(0.6065307 * 0.2, rel=1e-6)
    assert slope(0.0, 0.2) == 0
    assert slope(2.0, 0.2) < 1e-15 * max(forces)


@pytest.mark.parametrize("kernel", [*KERNELS, "none"])
def test_near_the_anchor_every_kernel_is_half_the_squared_distance(kernel: str) -> None:
    assert 0.25 * at(1e-4, kernel, sigma=0.5) == pytest.approx(0.5e-4, rel=1e-3)
    assert slope(1e-3, 0.5, kernel) == pytest.approx(1e-3, rel=1e-4)


@pytest.mark.parametrize("kernel", [*KERNELS, "none"])
def test_a_very_wide_kernel_is_the_plain_divergence(kernel: str) -> None:
    squared = torch.tensor([[1e-6, 0.04, 1.0, 40.0]], requires_grad=True)
    penalty = 1e12 * affinity_loss(squared, kernel, 1e6, 2.0)
    torch.testing.assert_close(penalty, squared / 2, rtol=1e-5, atol=0)
    torch.testing.assert_close(gradient(penalty, squared), torch.full((1, 4), 0.5), rtol=1e-5, atol=0)


@given(
    squared=st.floats(0, 2e4, width=32),
    sigma=st.floats(1e-6, 1e6),
    shape=st.floats(0.1, 16),
    kernel=st.sampled_from(KERNELS),
)
def test_loss_stays_between_0_and_1_with_a_finite_slope(
    squared: float, sigma: float, shape: float, kernel: str
) -> None:
    distance = torch.tensor([[squared]], requires_grad=True)
    loss = affinity_loss(distance, kernel, sigma, shape)
    assert 0 <= loss.item() <= 1
    assert gradient(loss, distance).isfinite().all()
    held = hold(distance, kernel, sigma, shape)
    assert 0 <= held.item() <= 1


@given(
    squared=st.floats(0, 100),
    further=st.floats(0, 100),
    shape=st.floats(0.5, 8),
    kernel=st.sampled_from([*KERNELS, "none"]),
)
def test_loss_grows_with_the_distance(squared: float, further: float, shape: float, kernel: str) -> None:
    assert at(squared, kernel, 0.5, shape) <= at(squared + further, kernel, 0.5, shape) + 1e-6


def test_stacked_widths_and_shapes_equal_single_ones() -> None:
    squared = torch.rand(3, 5, 2) * 3
    sigma, shape = [0.1, 0.5, 2.0], [1.0, 2.0, 4.0]
    stacked = affinity_loss(squared, "gaussian", torch.tensor(sigma).view(3, 1, 1), torch.tensor(shape).view(3, 1, 1))
    for member in range(3):
        alone = affinity_loss(squared[member], "gaussian", sigma[member], shape[member])
        torch.testing.assert_close(stacked[member], alone, rtol=1e-5, atol=1e-7)


def test_without_a_kernel_nothing_fades() -> None:
    assert torch.equal(hold(torch.tensor([[0.0, 5.0, 1e4]]), "none", 0.1, 2.0), torch.ones(1, 3))
