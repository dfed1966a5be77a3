"""GAE: worked numbers with an episode running, terminated and truncated (algorithms A.2, details 5 and 6)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gtr_bench.learn.advantages import generalised_advantages


def gae(
    rewards: list[float], values: list[float], following: list[float], *, terminated: int | None = None,
    truncated: int | None = None, gamma: float = 0.9, gae_lambda: float = 0.8,
) -> np.ndarray:  # fmt: skip
    """One environment of one member; the step at which its episode ends."""
    steps = len(rewards)
    over, cut = (np.zeros((steps, 1, 1), np.bool_) for _ in range(2))
    for step, flags in ((terminated, (over, cut)), (truncated, (cut,))):
        if step is not None:
            for flag in flags:
                flag[step] = True

    def column(numbers: list[float]) -> np.ndarray:
        return np.array(numbers, np.float32).reshape(-1, 1, 1)

    settings = (np.array([[number]], np.float32) for number in (gamma, gae_lambda))
    found = generalised_advantages(column(rewards), column(values), column(following), over, cut, *settings)
    return found.ravel()


HALVES = [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("following", "ends", "expected"),
    [
        (HALVES, {}, [2.12648, 1.634, 0.95]),
        (HALVES, {"terminated": 2}, [1.8932, 1.31, 0.5]),
        ([0.5, 0.5, 2.0], {"truncated": 2}, [2.82632, 2.606, 2.3]),
    ],
    ids=["running", "terminated", "truncated with V(s_final) = 2"],
)
def test_worked_numbers(following: list[float], ends: dict[str, int], expected: list[float]) -> None:
    assert_allclose(gae([1, 1, 1], HALVES, following, **ends), expected, rtol=1e-5)


NUMBERS = st.lists(st.floats(-3, 3, width=32), min_size=6, max_size=6)


@given(rewards=NUMBERS, values=NUMBERS, gamma=st.floats(0, 1), last=st.floats(-3, 3, width=32))
def test_lambda_one_gives_discounted_returns(
    rewards: list[float], values: list[float], gamma: float, last: float
) -> None:
    found = gae(rewards, values, [*values[1:], last], gamma=gamma, gae_lambda=1.0)
    expected = last
    for step in range(5, -1, -1):
        expected = rewards[step] + gamma * expected
        assert found[step] + values[step] == pytest.approx(expected, abs=1e-4)


@given(rewards=NUMBERS, values=NUMBERS, gamma=st.floats(0, 1))
def test_lambda_zero_gives_one_step_errors(rewards: list[float], values: list[float], gamma: float) -> None:
    following = [*values[1:], 0.5]
    found = gae(rewards, values, following, gamma=gamma, gae_lambda=0.0)
    assert_allclose(found, np.array(rewards) + gamma * np.array(following) - np.array(values), atol=1e-5)


@given(rewards=NUMBERS, values=NUMBERS, end=st.integers(0, 4), cut=st.booleans())
def test_nothing_flows_back_over_the_end_of_an_episode(
    rewards: list[float], values: list[float], end: int, cut: bool
) -> None:
    following = [*values[1:], 0.5]
    ends = {"truncated" if cut else "terminated": end}
    whole = gae(rewards, values, following, **ends)
    changed = [*rewards[: end + 1], *(reward + 100 for reward in rewards[end + 1 :])]
    assert_allclose(gae(changed, values, following, **ends)[: end + 1], whole[: end + 1])
    alone = gae(rewards[end + 1 :], values[end + 1 :], following[end + 1 :])
    assert_allclose(whole[end + 1 :], alone, rtol=1e-5, atol=1e-5)


def test_members_discount_by_their_own_factors() -> None:
    ones = np.ones((3, 2, 1), np.float32)
    none = np.zeros((3, 2, 1), np.bool_)
    found = generalised_advantages(
        ones, 0 * ones, 0 * ones, none, none, np.float32([[0.5], [0.0]]), np.float32([[1], [1]])
    )
    assert_allclose(found[:, :, 0], [[1.75, 1], [1.5, 1], [1, 1]])
