"""Labellings grow with the seeds and stay the same where they were."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from gtr_bench.metrics.labellings import DRAWS, Block, Labellings


def statistics(made: Labellings, values: Mapping[Block, float]) -> NDArray[np.float64]:
    """The sum of the values with their signs under every labelling."""
    return np.array(list(values.values())) @ made.signs(values)


def blocks(first: int, last: int) -> list[Block]:
    return [("world", seed) for seed in range(first, last)]


@pytest.mark.parametrize(("before", "after"), [(0, 3), (5, 10), (5, 20), (14, 15), (20, 25)])
def test_every_labelling_agrees_on_old_blocks_with_the_one_it_refines(before: int, after: int) -> None:
    made = Labellings()
    made.extend(blocks(0, before))
    values = {block: float(number + 1) for number, block in enumerate(blocks(0, before))}
    old = statistics(made, values)
    refined = made.extend(blocks(before, after))
    assert len(refined) == len(made)
    assert statistics(made, values) == pytest.approx(old[refined])
    assert refined[0] == 0


@pytest.mark.parametrize("size", [1, 4, 14, 15, 30])
def test_the_first_is_the_observed_one_and_each_has_its_negation(size: int) -> None:
    made = Labellings()
    made.extend(blocks(0, size))
    found = statistics(made, {block: 1.7**number for number, block in enumerate(blocks(0, size))})
    assert found[0] == pytest.approx(sum(1.7**number for number in range(size)))
    assert np.sort(found) == pytest.approx(np.sort(-found))
    assert len(made) == (2**size if size <= 14 else DRAWS + 2)


def test_drawn_signs_follow_from_environment_and_seed_alone_and_are_fair() -> None:
    together, apart = Labellings(), Labellings()
    together.extend(blocks(0, 40))
    for seed in reversed(range(40)):
        apart.extend([("world", seed)])
    values = {block: float(number) for number, block in enumerate(blocks(0, 40))}
    # `apart` has drawn from its fifteenth block on, in another order.
    assert statistics(together, values) == pytest.approx(statistics(apart, values))
    signs = np.array([together.signs([block])[0] for block in blocks(0, 40)])
    assert set(np.unique(signs)) == {-1.0, 1.0}
    half = signs[:, : DRAWS // 2]
    assert np.abs(half.mean(axis=1)).max() < 5 / np.sqrt(DRAWS // 2)
    assert np.abs(np.corrcoef(half) - np.eye(40)).max() < 6 / np.sqrt(DRAWS // 2)
