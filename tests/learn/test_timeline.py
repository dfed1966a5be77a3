"""Phases and evaluation marks are hit exactly, by rollouts that are neither too long nor tiny."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtr_bench.errors import RequestError
from gtr_bench.learn.timeline import timeline


@given(
    lengths=st.lists(st.integers(1, 500), min_size=1, max_size=4),
    num_envs=st.integers(1, 9),
    num_steps=st.integers(1, 64),
    apart=st.floats(1, 5),
    marks=st.booleans(),
)
def test_phases_and_marks_are_hit_exactly(
    lengths: list[int], num_envs: int, num_steps: int, apart: float, marks: bool
) -> None:
    every = int(apart * num_steps) * num_envs if marks else None
    rollouts = timeline([length * num_envs for length in lengths], num_envs, num_steps, every)
    assert all(1 <= rollout.length <= num_steps for rollout in rollouts)
    assert not any(rollout.evaluate and rollout.ends_phase for rollout in rollouts)
    for phase, length in enumerate(lengths):
        own = [rollout for rollout in rollouts if rollout.phase == phase]
        assert [rollout.ends_phase for rollout in own] == [False] * (len(own) - 1) + [True]
        assert sum(rollout.length for rollout in own) == length
        ends = [sum(rollout.length for rollout in own[: place + 1]) for place in range(len(own))]
        found = [end for end, rollout in zip(ends, own, strict=True) if rollout.evaluate]
        expected = [] if every is None else list(range(every // num_envs, length, every // num_envs))
        assert found == [mark for mark in expected if every and 2 * (length - mark) * num_envs >= every]
    assert [rollout.phase for rollout in rollouts] == sorted(rollout.phase for rollout in rollouts)


@given(length=st.integers(1, 2000), num_steps=st.integers(1, 64))
def test_rollouts_of_a_stretch_differ_by_at_most_one_step(length: int, num_steps: int) -> None:
    found = [rollout.length for rollout in timeline([length], 1, num_steps, None)]
    assert max(found) - min(found) <= 1
    assert len(found) == -(-length // num_steps)


def test_a_plain_sequence() -> None:
    rollouts = timeline([1000, 600], 2, 100, 400)
    assert [tuple(rollout) for rollout in rollouts] == [
        (0, 100, False, False), (0, 100, True, False), (0, 100, False, False), (0, 100, True, False),
        (0, 100, False, True), (1, 100, False, False), (1, 100, True, False), (1, 100, False, True),
    ]  # fmt: skip


def test_a_mark_just_before_the_end_is_left_to_the_end() -> None:
    assert [rollout.evaluate for rollout in timeline([410], 1, 100, 400)] == [False] * 5
    assert [rollout.length for rollout in timeline([410], 1, 100, 400)] == [82] * 5


@given(
    num_steps=st.lists(st.integers(1, 50), min_size=2, max_size=2), steps=st.integers(1, 300), every=st.integers(50, 99)
)
def test_the_marks_are_the_same_whatever_the_length_of_rollouts(num_steps: list[int], steps: int, every: int) -> None:
    def ends(longest: int) -> list[int]:
        done, found = 0, []
        for rollout in timeline([steps], 1, longest, every):
            done += rollout.length
            found += [done] if rollout.evaluate else []
        return found

    assert ends(num_steps[0]) == ends(num_steps[1])


def test_marks_closer_than_a_rollout_are_refused() -> None:
    with pytest.raises(RequestError, match="every = 99 is shorter than one rollout of 100 steps") as caught:
        timeline([1000], 10, 10, 99)
    assert caught.value.hint


@pytest.mark.parametrize("steps", [0, 3, 15])
def test_phases_that_are_no_multiple_of_the_environments_are_refused(steps: int) -> None:
    with pytest.raises(RequestError, match="phase 1 has"):
        timeline([20, steps], 10, 10, None)
