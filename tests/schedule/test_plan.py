"""Plans count, estimate, and are quick."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from gtr_bench.schedule.assignments import shape_of
from gtr_bench.schedule.folders import Failure, ResultsFolder
from gtr_bench.schedule.plan import make_plan
from gtr_bench.store.schema import JOB
from gtr_bench.store.writer import write_summary
from gtr_bench.suite.identity import job_id
from tests.helpers import touch_done

VALUES = {"string": "x", "int64": 0, "bool": False, "double": 0.0, "float": 0.0}


@pytest.mark.slow
def test_planning_ten_thousand_jobs_costs_a_few_times_what_naming_them_costs(jobs: Any, folder: ResultsFolder) -> None:
    """Naming a job is writing its definition as JSON once: what no planning can do without. Seen: 3 to 5 times."""
    wanted = jobs(10_000)
    for job in wanted[:2_000]:
        touch_done(folder.job(job.id))
    planning, naming = [], []
    for _ in range(3):  # the first pays for imports
        start = time.process_time()
        plan = make_plan(wanted, folder, slots=2)
        planned = time.process_time()
        for job in wanted:
            job_id(job.definition)
        planning.append(planned - start)
        naming.append(time.process_time() - planned)
    assert min(planning) < 12 * min(naming)
    assert plan.counts["done"] == 2_000
    assert plan.starting == 8_000


def test_done_jobs_of_other_suites_scales_and_names_are_cached(jobs: Any, run_jobs: Any, folder: ResultsFolder) -> None:
    trained = jobs(5)
    run_jobs(trained, slots=1)
    assert make_plan(jobs(8), folder, slots=1).counts["cached"] == 0
    renamed = [
        replace(job, **{name: "another"})
        for job, name in zip(trained, ("suite", "scale", "algorithm", "sequence", "suite"), strict=True)
    ]
    counts = make_plan([*renamed[:4], *jobs(8)[4:]], folder, slots=1).counts
    assert (counts["done"], counts["cached"], counts["to_run"]) == (5, 4, 3)


@pytest.mark.parametrize("gone", ["cohorts", "locks"])
def test_labels_of_jobs_without_a_cohort_file_come_from_their_own(gone: str, jobs: Any, folder: ResultsFolder) -> None:
    ours, theirs, broken = jobs(3)
    for job, suite in ((ours, ours.suite), (theirs, "another")):
        folder.job(job.id).mkdir(parents=True)
        if gone == "cohorts":
            folder.lock(job.id).write_text("0123456789abcdef")
        row = {field.name: VALUES[str(field.type)] for field in JOB if not field.nullable}
        row |= {"job": job.id, "status": "complete", "suite": suite, "seed": job.seed}
        row |= {name: getattr(job, name) for name in ("scale", "algorithm", "sequence", "role")}
        write_summary(folder.job(job.id), row)
    folder.job(broken.id).mkdir()
    (folder.job(broken.id) / "job.parquet").write_text("damaged")
    counts = make_plan([ours, theirs, broken], folder, slots=1).counts
    assert (counts["done"], counts["cached"], counts["damaged"]) == (2, 1, 1)


def test_time_comes_from_finished_cohorts_of_the_same_shape(jobs: Any, run_jobs: Any, folder: ResultsFolder) -> None:
    wanted = jobs(8)
    run_jobs(wanted[:4], slots=1)
    (heartbeat,) = folder.cohorts.glob("*/heartbeat.json")
    heartbeat.write_text(json.dumps({**json.loads(heartbeat.read_text()), "steps_per_second": 100.0}))
    plan = make_plan(wanted, folder, slots=1, cohort=4)
    assert plan.starting == 4
    assert plan.seconds == pytest.approx(4 * 100 / 100.0)
    assert plan.cohorts_with_known_speed == plan.cohorts == 1
    other = make_plan([*wanted, *jobs(1, algorithm="spo")], folder, slots=1, cohort=4)
    assert other.seconds is None
    assert (other.cohorts_with_known_speed, other.cohorts) == (1, 2)


def test_speeds_of_short_sequences_foretell_long_ones_but_not_other_sizes() -> None:
    def record(*, phases: int = 1, steps: int = 100, environment: str = "gym:CartPole-v1", num_envs: int = 4) -> Any:
        phase = {"environment": environment, "options": {}, "steps": steps}
        return {
            "definition": {
                "algorithm": {"name": "ppo", "parameters": {"num_envs": num_envs, "learning_rate": steps}},
                "sequence": {"phases": [{**phase, "variant": number} for number in range(phases)]},
                "network": {"hidden": [8]},
            }
        }

    assert shape_of(record()) == shape_of(record(phases=3, steps=1000))
    assert shape_of(record()) != shape_of(record(num_envs=8))
    assert shape_of(record()) != shape_of(record(environment="gym:Hopper-v5"))


def test_two_slots_halve_the_time_of_equal_cohorts(jobs: Any, run_jobs: Any, folder: ResultsFolder) -> None:
    run_jobs(jobs(1))
    wanted = jobs(5)
    alone, both = (make_plan(wanted, folder, slots=slots, cohort=1).seconds for slots in (1, 2))
    assert alone is not None
    assert both == pytest.approx(alone / 2)


def test_failed_jobs_count_by_reason_and_run_only_when_asked_for_or_killed(jobs: Any, folder: ResultsFolder) -> None:
    wanted = jobs(4)
    for job, reason in zip(wanted, ("error", "killed", "timeout", "diverged"), strict=True):
        folder.job(job.id).mkdir(parents=True)
        folder.write_failure(job.id, Failure(reason, "", "", None, 0.0))
    plan = make_plan(wanted, folder, slots=1)
    assert plan.reasons == {"error": 1, "killed": 1, "timeout": 1, "diverged": 1}
    assert plan.starting == 2
    assert make_plan(wanted, folder, slots=1, retry_failed=True).starting == 4
