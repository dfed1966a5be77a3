"""How often a report marks or says something where nothing is to be found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from gtr_bench.report import tables
from gtr_bench.report.mechanism import _sentences
from gtr_bench.report.tables import TableCell, _marked
from tests.metrics.helpers import within_band

SIMULATIONS = 400


def cell(algorithm: str, values: Sequence[float], seeds: Sequence[int] | None = None) -> TableCell:
    """One algorithm's values."""
    return TableCell(
        *("world", algorithm, float(np.mean(values)), None, None, len(values), 0, 0, 0, 0, 0, None, ()),
        seeds=tuple(range(len(values)) if seeds is None else seeds),
        values=tuple(map(float, values)),
        id=algorithm,
    )


def marked_cells(row: Sequence[TableCell]) -> list[TableCell]:
    """One environment's cells with their marks."""
    return _marked(row, tables.tested_pairs(row, 0.05), "higher", 0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("algorithms", "lower"), [(2, True), (5, False)])
def test_equal_algorithms_have_a_best_one_at_most_at_the_level(algorithms: int, *, lower: bool) -> None:
    generator = np.random.default_rng(41)
    marked = sum(
        any(each.best for each in marked_cells([cell(str(i), generator.normal(size=8)) for i in range(algorithms)]))
        for _ in range(SIMULATIONS)
    )
    # of two: 12 of 2^8 relabellings
    assert within_band(marked, SIMULATIONS, 12 / 256, lower=lower)


@pytest.mark.slow
def test_of_two_equal_leaders_one_is_called_best_at_most_at_the_level() -> None:
    generator = np.random.default_rng(42)
    wrong = 0
    for _ in range(SIMULATIONS):
        row = [cell(str(i), generator.normal(5.0 if i < 2 else 0.0, 1.0, size=10)) for i in range(4)]
        wrong += any(each.best for each in marked_cells(row))
    assert within_band(wrong, SIMULATIONS, 0.05, lower=False)


def test_the_best_mean_is_not_best_where_the_shared_seeds_say_the_opposite() -> None:
    """`a` has the higher mean by a seed that `b` does not have; where both were run `b` is higher every time."""
    first, second = marked_cells(
        [cell("a", [0, 0, 0, 0, 0, 0, 0, 100], range(8)), cell("b", [1, 2, 1, 2, 1, 2, 1], range(7))]
    )
    assert not first.best
    assert not second.best
    assert first.tied
    assert second.tied


@pytest.mark.slow
@pytest.mark.parametrize("gain", [0.0, 5.0])
def test_a_gain_is_said_to_come_with_the_mechanism_at_most_at_the_level(gain: float) -> None:
    """Without any difference, and with a sure gain in return that path_efficiency does not share."""
    generator = np.random.default_rng(43)
    wrong = 0
    for _ in range(SIMULATIONS):
        returns, path = (
            {"world": {label: dict(enumerate(shift + generator.normal(size=8))) for label, shift in shifts}}
            for shifts in ((("gtr", gain), ("ppo", 0.0)), (("gtr", 0.0), ("ppo", 0.0)))
        )
        (sentence,) = _sentences({"gtr": "ppo"}, ["world"], returns, path, 0.05)
        wrong += "comes with the mechanism" in sentence
    # with a sure gain what remains is one side of the test of path_efficiency: 6 of 2^8 relabellings
    assert within_band(wrong, SIMULATIONS, 6 / 256, lower=gain > 0)
