"""What tests of environments share."""

from __future__ import annotations

from numpy.testing import assert_array_equal

from gtr_bench.environments.base import Transition

__all__ = ["assert_same"]


def assert_same(first: Transition, second: Transition) -> None:
    """Everything two steps returned is equal."""
    for left, right in zip(first, second, strict=True):
        assert (left is None) == (right is None)
        if left is not None:
            assert_array_equal(left, right)
