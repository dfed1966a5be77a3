"""CORA's forgetting and transfer, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gtr_bench.metrics.cora import Forgetting, Transfer, changes
from gtr_bench.metrics.run import Companions, Run

NOTHING = Companions()


def evaluated(ends: list[list[float]], *, start: list[float] | None = None) -> Run:
    """A run with one evaluation of every world at the end of each phase: `ends[phase][world]`."""
    rows = [(0, 0, world, value, True) for world, value in enumerate(start or [])]
    rows += [
        (10 * (phase + 1), phase, world, value, False)
        for phase, values in enumerate(ends)
        for world, value in enumerate(values)
    ]
    steps, phases, worlds, values, fresh = zip(*rows, strict=True)
    return Run(
        np.array(steps), np.array(phases), np.array(worlds), np.array(values, dtype=float), np.array(fresh),
        (10,) * len(ends), tuple("abc"[: len(ends)]),
    )  # fmt: skip


RUN = evaluated([[8, 2], [6, 10]], start=[0, 1])


def test_forgetting_is_what_a_later_phase_takes_over_the_largest_return() -> None:
    assert Forgetting.score(RUN, NOTHING).value == pytest.approx((8 - 6) / 8)


def test_transfer_is_what_an_earlier_phase_gives_an_unseen_task() -> None:
    assert Transfer.score(RUN, NOTHING).value == pytest.approx((2 - 1) / 10)


def test_the_largest_return_of_all_compared_runs_divides_what_a_weak_agent_forgets() -> None:
    weak = evaluated([[2, 0], [0, 2]], start=[0, 0])
    assert Forgetting.score(weak, NOTHING).value == 1
    compared = Companions(peaks=np.array([8.0, 10.0]))
    assert Forgetting.score(weak, compared).value == pytest.approx(2 / 8)
    assert Forgetting.score(RUN, compared).value == pytest.approx((8 - 6) / 8)


def test_pairs_of_three_phases_weigh_the_same() -> None:
    run = evaluated([[4, 0, 0], [2, 4, 1], [4, 3, 4]], start=[0, 0, 0])
    assert Forgetting.score(run, NOTHING).value == pytest.approx(((4 - 2) / 4 + (2 - 4) / 4 + (4 - 3) / 4) / 3)
    assert Transfer.score(run, NOTHING).value == pytest.approx((0 + 0 + 1 / 4) / 3)
    assert changes(run, np.empty(0)).shape == (3, 3)


def test_without_evaluations_of_all_worlds_there_is_no_value_and_a_reason() -> None:
    assert "all_phases" in Transfer.score(evaluated([[8, 2], [6, 10]]), NOTHING).reason
    assert not Forgetting.score(evaluated([[8.0]]), NOTHING).defined
