"""Rows of a cohort: unknown is not NaN, members are apart, a checkpoint carries them."""

from __future__ import annotations

import math

import numpy as np

from gtr_bench.learn.records import Records


def filled() -> Records:
    records = Records(["step", "value"], 2)
    records.append({"step": 1, "value": np.array([0.5, math.nan])})
    records.append({"step": 2})
    records.append({"step": 3, "value": np.array([1.5, 2.5])}, {"value": np.array([True, False])})
    return records


def test_unknown_values_are_none_and_nan_stays_nan() -> None:
    first, second = (filled().of_member(member, 10) for member in range(2))
    assert first == {"step": [1, 2, 3], "value": [0.5, None, None]}
    assert second["value"][1:] == [None, 2.5]
    assert math.isnan(second["value"][0] or 0)


def test_rows_can_be_cut_and_may_be_missing() -> None:
    assert filled().of_member(0, 1) == {"step": [1], "value": [0.5]}
    assert Records(["step"], 1).of_member(0, 5) == {"step": []}


def test_a_copy_of_the_state_continues_alike() -> None:
    for original in (Records(["step", "value"], 2), filled()):
        copy = Records(["step", "value"], 2)
        copy.load_state(original.state())
        for each in (original, copy):
            each.append({"step": 4, "value": 1.0})
        assert len(copy) == len(original)
        assert copy.of_member(0, 10) == original.of_member(0, 10)


def test_a_checkpoint_with_other_columns_is_continued_by_name() -> None:
    old = Records(("step", "gone"), 2)
    old.append({"step": 8.0, "gone": 1.0})
    new = Records(("added", "step"), 2)
    new.load_state(old.state())
    new.append({"step": 16.0, "added": 3.0})
    assert new.of_member(1, 2) == {"added": [None, 3.0], "step": [8.0, 16.0]}
