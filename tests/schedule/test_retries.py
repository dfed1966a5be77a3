"""What is tried again after a failure, and how."""

from __future__ import annotations

from typing import Any

import pytest

from gtr_bench.schedule.assignments import Assignment, job_record
from gtr_bench.schedule.ending import End, Ending
from gtr_bench.schedule.heartbeat import Heartbeat
from gtr_bench.schedule.retries import Attempts

KILLED = Ending(End.FAILED, "killed", "x")
ERROR = Ending(End.FAILED, "error", "x")


def beat(step: int, *, first: int = 0, saved: int | None = None, speed: float = 8.0) -> Heartbeat:
    """Of four members: in two seconds each takes `speed` / 2 steps."""
    return Heartbeat("running", 0.0, 0, 1, step, 1000, speed, None, None, first_step=first, saved_step=saved)


@pytest.fixture
def cohort(jobs: Any) -> Assignment:
    members = tuple(jobs(4))
    return Assignment("c", members, tuple(job_record(job) for job in members))


@pytest.mark.parametrize(("second", "sizes"), [(504, [2, 2]), (505, [4]), (500, [2, 2]), (495, [4])])
def test_a_cohort_killed_twice_is_halved_only_where_it_died_at_the_same_step(
    cohort: Assignment, second: int, sizes: list[int]
) -> None:
    attempts = Attempts(5)
    assert attempts.after(cohort, KILLED, beat(500)) == [cohort]
    assert [len(each.jobs) for each in attempts.after(cohort, KILLED, beat(second))] == sizes


def test_another_start_is_another_step(cohort: Assignment) -> None:
    attempts = Attempts(5)
    attempts.after(cohort, KILLED, beat(500, saved=400))
    assert [len(each.jobs) for each in attempts.after(cohort, KILLED, beat(500, first=400))] == [4]
    assert [len(each.jobs) for each in attempts.after(cohort, KILLED, beat(500, first=400))] == [2, 2]


def test_a_stop_from_outside_is_nobodys_fault_however_often(cohort: Assignment) -> None:
    attempts = Attempts(5)
    asked = Ending(End.FAILED, "killed", "x", asked=True)
    assert [len(attempts.after(cohort, asked, beat(0))) for _ in range(6)] == [1, 1, 1, 1, 1, 0]


def test_halves_of_a_cohort_that_was_killed_are_halved_at_their_first_death(cohort: Assignment) -> None:
    attempts = Attempts(1)
    attempts.after(cohort, KILLED, beat(500))
    half, _ = attempts.after(cohort, KILLED, beat(500))
    one, other = attempts.after(half, KILLED, beat(7))
    assert [len(each.jobs) for each in (one, other)] == [1, 1]
    assert attempts.after(one, KILLED, beat(9)) == []


def test_even_progress_is_tried_a_hundred_times_at_most(cohort: Assignment) -> None:
    attempts = Attempts(1)
    tries = 1
    while attempts.after(cohort, KILLED, beat(10 * tries, first=10 * tries - 5, saved=10 * tries)):
        tries += 1
        assert tries <= 100
    assert tries == 100


def test_without_retries_nothing_is_halved(cohort: Assignment) -> None:
    assert Attempts(0).after(cohort, ERROR, beat(500)) == []


def test_failures_in_company_count_once_and_a_checkpoint_further_on_makes_one_count_for_nothing(
    cohort: Assignment,
) -> None:
    attempts = Attempts(2)
    half, _ = attempts.after(cohort, ERROR, beat(500))
    one, _ = attempts.after(half, ERROR, beat(500))
    assert attempts.after(one, ERROR, beat(500, saved=400))[0].resumes
    assert len(attempts.after(one, ERROR, beat(500, first=400))) == 1
    assert attempts.after(one, ERROR, beat(500, first=400, saved=400)) == []


@pytest.mark.parametrize(("limited", "alone"), [(False, True), (True, False)])
def test_memory_of_the_machine_is_tried_with_nothing_beside_it_a_limit_with_others(
    cohort: Assignment, limited: bool, alone: bool
) -> None:
    found = Attempts(1).after(cohort, Ending(End.FAILED, "oom", "x", limited=limited), beat(5))
    assert [each.alone for each in found] == [alone, alone]
