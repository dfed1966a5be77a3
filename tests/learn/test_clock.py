"""Seconds are counted once, under one activity."""

from __future__ import annotations

import time

import pytest

from gtr_bench.learn.clock import Clock


def test_what_happens_inside_a_measured_block_is_counted_as_the_block_only() -> None:
    clock = Clock()
    with clock.measure("evaluation"):
        clock.add("policy", 5.0)
        with clock.measure("storing"):
            time.sleep(0.01)
    clock.add("policy", 2.0)
    assert clock.seconds["policy"] == 2.0
    assert clock.seconds["storing"] == 0
    assert 0.01 <= clock.seconds["evaluation"] < 1


def test_a_failing_block_is_counted_and_ends() -> None:
    clock = Clock()
    with pytest.raises(KeyError), clock.measure("update"):
        raise KeyError
    clock.add("policy", 1.0)
    assert clock.seconds["update"] > 0
    assert clock.seconds["policy"] == 1.0
