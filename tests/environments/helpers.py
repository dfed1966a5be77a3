"""What several tests of environments compare alike."""

from __future__ import annotations

from numpy.testing import assert_array_equal

from gtr_bench.environments.base import Finals, Transition


def assert_same(first: Transition, second: Transition) -> None:
    """Two steps are equal in every part, to the bit."""
    for left, right in zip(first, second, strict=True):
        assert (left is None) == (right is None)
        for one, other in zip(left, right, strict=True) if isinstance(left, Finals) else [(left, right)]:
            assert_array_equal(one, other)
