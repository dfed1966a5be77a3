from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtr_bench.suite import Job, Suite, group, job_id

Load = Callable[..., Suite]


def job(seed: int, algorithm: str = "gtr", steps: int = 100, **parameters: Any) -> Job:
    values = {"sigma": 0.5, "beta": 1.0, "anchors": 4, "max_grad_norm": 0.5} | parameters
    definition = {
        "identity_version": 1,
        "algorithm": {"name": algorithm, "version": 1, "parameters": values},
        "sequence": {"phases": [{"environment": "gym:CartPole-v1", "options": {}, "steps": steps, "variant": 0}]},
        "seed": seed,
    }
    return Job(job_id(definition), definition, "s", "laptop", algorithm, "c", "run", seed)


def test_the_golden_cohort_has_not_moved() -> None:
    (cohort,) = group([job(0), job(1)])
    assert (cohort.id, len(cohort.jobs), cohort.steps) == ("dce225468fe139ca", 2, 200)


def test_seeds_and_scalar_parameters_train_together() -> None:
    jobs = [job(seed, sigma=sigma) for seed in range(3) for sigma in (0.1, 0.5)]
    assert [len(cohort.jobs) for cohort in group(jobs)] == [6]


@pytest.mark.parametrize(
    "other",
    [job(1, anchors=1), job(1, algorithm="ppo"), job(1, steps=200), job(1, sigma=None)],
    ids=["structural parameter", "algorithm", "budget", "a part switched off"],
)
def test_what_changes_shapes_or_code_trains_apart(other: Job) -> None:
    assert [len(cohort.jobs) for cohort in group([job(0), other])] == [1, 1]


def test_labels_do_not_keep_jobs_apart(load: Load) -> None:
    second = '[[algorithm]]\nid = "wide"\nuse = "gtr"\nsigma = 2.0\n'
    jobs = [job for job in load(extra="\n" + second).jobs() if job.algorithm != "ppo"]
    assert [len(cohort.jobs) for cohort in group(jobs)] == [4]


def test_a_large_group_is_cut_into_even_pieces_of_at_most_sixteen() -> None:
    assert [len(cohort.jobs) for cohort in group([job(seed) for seed in range(17)])] == [9, 8]
    assert [len(cohort.jobs) for cohort in group([job(seed) for seed in range(16)])] == [16]


def test_size_one_turns_cohorts_off() -> None:
    assert [len(cohort.jobs) for cohort in group([job(seed) for seed in range(4)], size=1)] == [1, 1, 1, 1]


def test_the_largest_cohort_is_halved_until_every_slot_is_busy() -> None:
    jobs = [job(seed) for seed in range(6)] + [job(seed, "ppo", steps=10) for seed in range(6)]
    assert [len(cohort.jobs) for cohort in group(jobs, slots=2)] == [6, 6]
    assert [(len(cohort.jobs), cohort.steps) for cohort in group(jobs, slots=3)] == [(3, 300), (3, 300), (6, 60)]
    assert [len(cohort.jobs) for cohort in group(jobs, slots=4)] == [3, 2, 1, 6]


def test_more_slots_than_jobs_gives_a_cohort_each() -> None:
    assert [len(cohort.jobs) for cohort in group([job(seed) for seed in range(3)], slots=8)] == [1, 1, 1]


def test_nothing_to_do_is_no_cohort() -> None:
    assert group([], slots=4) == []


@pytest.mark.parametrize(("slots", "size"), [(0, None), (1, 0), (1, -1)])
def test_impossible_sizes_are_refused(slots: int, size: int | None) -> None:
    with pytest.raises(ValueError):
        group([job(0)], slots=slots, size=size)


@settings(max_examples=40, deadline=None)
@given(
    counts=st.lists(st.integers(1, 20), min_size=1, max_size=4),
    slots=st.integers(1, 12),
    size=st.none() | st.integers(1, 20),
    order=st.randoms(use_true_random=False),
)
def test_cohorts_partition_the_jobs_whatever_their_order(
    counts: list[int], slots: int, size: int | None, order: random.Random
) -> None:
    jobs = [job(seed, anchors=index + 1) for index, count in enumerate(counts) for seed in range(count)]
    cohorts = group(jobs, slots=slots, size=size)
    assert sorted(member.id for cohort in cohorts for member in cohort.jobs) == sorted(one.id for one in jobs)
    assert len({cohort.id for cohort in cohorts}) == len(cohorts)
    assert all(len(cohort.jobs) <= (size or 16) for cohort in cohorts)
    assert len(cohorts) >= min(slots, len(jobs))
    assert [cohort.steps for cohort in cohorts] == sorted((cohort.steps for cohort in cohorts), reverse=True)
    assert all(len({one.definition["algorithm"]["parameters"]["anchors"] for one in c.jobs}) == 1 for c in cohorts)
    shuffled = list(jobs)
    order.shuffle(shuffled)
    assert group(shuffled, slots=slots, size=size) == cohorts
