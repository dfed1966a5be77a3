"""The driver against workers that behave and misbehave."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gtr_bench.errors import RequestError
from gtr_bench.schedule import driver as driver_module
from gtr_bench.schedule import observer, running, same_code
from gtr_bench.schedule.companions import with_companions
from gtr_bench.schedule.executors.local import LocalExecutor
from gtr_bench.schedule.folders import Failure, ResultsFolder, State
from gtr_bench.schedule.observer import Launch, Stop
from gtr_bench.suite import Job
from tests.helpers import touch_done

from .conftest import Recorder

Jobs = Callable[..., list[Job]]
Run = Callable[..., Any]
Starts = Callable[[Job], list[tuple[str, int, int]]]


def states(folder: ResultsFolder, jobs: list[Job]) -> list[str]:
    return [state.state.value for state in folder.survey(job.id for job in jobs).values()]


def test_all_jobs_run_once_in_cohorts_and_a_rerun_starts_nothing(jobs: Jobs, run_jobs: Run, starts: Starts) -> None:
    wanted = jobs(6)
    outcome, recorder = run_jobs(wanted)
    assert outcome.exit_code == 0
    assert outcome.counts["done"] == 6
    assert outcome.trained == 6
    assert sum(len(view.assignment.jobs) for view in recorder.finishes) == 6
    assert all(len(starts(job)) == 1 for job in wanted)
    assert outcome.profile["environment"] == pytest.approx(3.0 * len(recorder.starts))
    again, recorder = run_jobs(wanted)
    assert again.exit_code == 0
    assert not recorder.starts
    assert again.trained == 0


def test_cohort_json_follows_the_contract(jobs: Jobs, run_jobs: Run, folder: ResultsFolder) -> None:
    (job,) = jobs(1)
    _, recorder = run_jobs([job], threads=3, checkpoint_seconds=5.0, profile=True)
    cohort = recorder.starts[0].assignment.id
    document = json.loads((folder.cohort(cohort) / "cohort.json").read_text())
    assert list(document) == [
        "format", "id", "jobs", "device", "threads", "checkpoint_seconds", "policies", "profile",
        "provenance",
    ]  # fmt: skip
    assert (document["format"], document["id"], document["device"]) == (1, cohort, "cpu")
    assert (document["threads"], document["checkpoint_seconds"], document["profile"]) == (3, 5.0, True)
    assert document["jobs"] == [
        {
            "id": job.id,
            "definition": job.definition,
            "suite": "faults",
            "scale": "laptop",
            "algorithm": "ppo",
            "sequence": "CartPole-v1",
            "role": "run",
            "seed": 0,
        }
    ]
    assert folder.cohort_of(job.id) == cohort


def test_a_bad_member_is_found_by_halving_its_cohort(
    jobs: Jobs, run_jobs: Run, folder: ResultsFolder, starts: Starts
) -> None:
    wanted = jobs(4, behaviour="raise", seeds=[2])
    outcome, recorder = run_jobs(wanted, slots=1)
    assert outcome.exit_code == 1
    assert outcome.counts["done"] == 3
    assert outcome.reasons == {"error": 1}
    assert states(folder, wanted) == ["done", "done", "failed", "done"]
    # Alone it got further than it began once, by its checkpoint, so that one counts for nothing.
    assert [failed.retried for failed in recorder.failures] == [True, True, True, False]
    assert [members for _, members, _ in starts(wanted[0])] == [4, 2]
    assert [members for _, members, _ in starts(wanted[2])] == [4, 2, 1, 1]
    assert [step for _, _, step in starts(wanted[2])] == [0, 0, 0, 50]
    failure = folder.read_failure(wanted[2].id)
    assert failure.reason == "error"
    assert failure.message == "the environment raised ValueError: bad"
    assert failure.step == 50
    assert (folder.root / failure.log).read_text().endswith("the environment raised ValueError: bad\n")
    assert recorder.failures[-1].last_lines[-1] == "the environment raised ValueError: bad"


def test_failed_jobs_are_left_alone_until_asked_for(jobs: Jobs, run_jobs: Run, folder: ResultsFolder) -> None:
    wanted = jobs(1, behaviour="raise", times=3)
    assert run_jobs(wanted)[0].exit_code == 1
    outcome, recorder = run_jobs(wanted)
    assert outcome.exit_code == 1
    assert not recorder.starts
    outcome, recorder = run_jobs(wanted, retry_failed=True)
    assert outcome.exit_code == 0
    assert not folder.failure(wanted[0].id).exists()


def test_a_killed_worker_is_retried_from_its_checkpoint(jobs: Jobs, run_jobs: Run, starts: Starts) -> None:
    wanted = jobs(3, behaviour="kill", times=1)
    outcome, recorder = run_jobs(wanted, slots=1)
    assert outcome.exit_code == 0
    assert [step for _, _, step in starts(wanted[0])] == [0, 50]
    assert len({cohort for cohort, _, _ in starts(wanted[0])}) == 1
    assert recorder.failures[0].failure.reason == "killed"
    assert "SIGKILL" in recorder.failures[0].failure.message
    assert recorder.failures[0].hint is not None


def test_a_preempted_worker_goes_on_from_its_checkpoint_and_that_is_no_attempt(
    jobs: Jobs, run_jobs: Run, folder: ResultsFolder, starts: Starts
) -> None:
    wanted = jobs(2, behaviour="preempted", times=3)
    outcome, recorder = run_jobs(wanted, slots=1, retries=0)
    assert outcome.exit_code == 0
    assert [step for _, _, step in starts(wanted[0])] == [0, 25, 50, 75]
    assert len({cohort for cohort, _, _ in starts(wanted[0])}) == 1
    assert [view.heartbeat.step for view in recorder.preemptions if view.heartbeat] == [25, 50, 75]
    assert [view.assignment.resumes for view in recorder.starts] == [False, True, True, True]
    assert not recorder.failures
    assert not folder.failure(wanted[0].id).exists()


def test_a_worker_preempted_again_and_again_where_it_began_is_given_up_until_the_next_run(
    jobs: Jobs, run_jobs: Run, folder: ResultsFolder, starts: Starts
) -> None:
    wanted = jobs(1, behaviour="preempted_at_once", times=3)
    outcome, recorder = run_jobs(wanted, retries=1)
    assert outcome.reasons == {"killed": 1}
    assert [failed.retried for failed in recorder.failures] == [True, False]
    assert folder.read_failure(wanted[0].id).message == "the worker was stopped from outside before it got any further"
    outcome, _ = run_jobs(wanted)
    assert outcome.exit_code == 0
    assert len(starts(wanted[0])) == 4


def test_only_attempts_that_left_no_checkpoint_further_on_count(
    jobs: Jobs, run_jobs: Run, folder: ResultsFolder, starts: Starts
) -> None:
    wanted = jobs(1, behaviour="kill", times=3)
    outcome, recorder = run_jobs(wanted)
    assert outcome.exit_code == 1
    assert outcome.reasons == {"killed": 1}
    # The first left a checkpoint at step 50; the others died where they began.
    assert [step for _, _, step in starts(wanted[0])] == [0, 50, 50]
    assert [failed.retried for failed in recorder.failures] == [True, True, False]
    outcome, _ = run_jobs(wanted)
    assert outcome.exit_code == 0
    assert [step for _, _, step in starts(wanted[0])] == [0, 50, 50, 50]


@pytest.mark.parametrize("behaviour", ["crash", "exit"])
def test_a_member_that_crashes_or_ends_the_process_is_found_by_halving_its_cohort(
    jobs: Jobs, run_jobs: Run, folder: ResultsFolder, starts: Starts, behaviour: str
) -> None:
    wanted = jobs(4, behaviour=behaviour, seeds=[2])
    outcome, recorder = run_jobs(wanted, slots=1)
    assert states(folder, wanted) == ["done", "done", "failed", "done"]
    assert outcome.reasons == {"error": 1}
    assert [members for _, members, _ in starts(wanted[0])] == [4, 2]
    assert [members for _, members, _ in starts(wanted[2])] == [4, 2, 1, 1]
    assert [failed.halved for failed in recorder.failures] == [True, True, False, False]
    message = folder.read_failure(wanted[2].id).message
    assert (
        message
        == {
            "crash": "the worker crashed with SIGSEGV",
            "exit": "the worker ended with exit code 75 and said nothing",
        }[behaviour]
    )


def test_a_cohort_killed_twice_at_the_same_step_is_halved_and_its_checkpoint_goes_away(
    jobs: Jobs, run_jobs: Run, folder: ResultsFolder, starts: Starts
) -> None:
    wanted = jobs(4, behaviour="kill", seeds=[2])
    outcome, recorder = run_jobs(wanted, slots=1)
    assert states(folder, wanted) == ["done", "done", "failed", "done"]
    assert outcome.reasons == {"killed": 1}
    cohort = recorder.starts[0].assignment.id
    assert starts(wanted[0])[:3] == [(cohort, 4, 0), (cohort, 4, 50), (cohort, 4, 50)]
    assert [members for _, members, _ in starts(wanted[0])] == [4, 4, 4, 2]
    assert not (folder.cohort(cohort) / "checkpoint").exists()


def test_a_cohort_that_dies_twice_before_its_first_step_is_halved(
    jobs: Jobs, run_jobs: Run, folder: ResultsFolder
) -> None:
    wanted = jobs(2, behaviour="kill_at_once", seeds=[1])
    outcome, _ = run_jobs(wanted, slots=1)
    assert states(folder, wanted) == ["done", "failed"]
    assert outcome.reasons == {"killed": 1}


def test_out_of_memory_is_retried_with_nothing_beside_it(jobs: Jobs, run_jobs: Run, starts: Starts) -> None:
    hungry = jobs(2, behaviour="oom", times=1, seconds=0.3)
    others = jobs(4, algorithm="spo", seconds=0.3)
    outcome, recorder = run_jobs([*hungry, *others], slots=3, cohort=2)
    assert outcome.exit_code == 0
    assert recorder.failures[0].failure.reason == "oom"
    assert [members for _, members, _ in starts(hungry[0])] == [2, 1]
    retried = {job.id for job in hungry}
    alone = [s for s in recorder.snapshots if any(v.assignment.alone for v in s.workers)]
    assert alone
    assert all(len(s.workers) == 1 and s.workers[0].assignment.jobs[0].id in retried for s in alone)


@pytest.mark.slow
def test_a_hanging_worker_is_stopped_with_reason_timeout_and_not_retried(
    jobs: Jobs, run_jobs: Run, folder: ResultsFolder, starts: Starts
) -> None:
    wanted = jobs(1, behaviour="hang")
    outcome, _ = run_jobs(wanted, stall_timeout=1.5)
    assert outcome.reasons == {"timeout": 1}
    assert "hangs" in folder.read_failure(wanted[0].id).message
    assert len(starts(wanted[0])) == 1


@pytest.mark.parametrize("limits", [{"timeout": 1.0}, {"stall_timeout": 1.0}])
def test_a_hanging_worker_ends_at_the_timeout_and_not_a_grace_period_later(
    jobs: Jobs, run_jobs: Run, limits: dict[str, float]
) -> None:
    outcome, _ = run_jobs(jobs(1, behaviour="hang"), grace_seconds=60.0, hung_seconds=0.3, **limits)
    assert outcome.reasons == {"timeout": 1}
    assert outcome.seconds < 20.0


@pytest.mark.slow
def test_a_worker_that_falls_silent_is_said_to_be_once_and_has_no_speed(
    jobs: Jobs, run_jobs: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (running, observer):
        monkeypatch.setattr(module, "SILENT_SECONDS", 0.8)
    _, recorder = run_jobs(jobs(1, behaviour="hang"), stall_timeout=2.0, hung_seconds=0.3)
    assert recorder.messages == ["ppo on CartPole-v1 (seed 0): silent for 0.8 s"]
    silent = [snapshot for snapshot in recorder.snapshots if any(view.silent for view in snapshot.workers)]
    assert silent
    assert {snapshot.steps_per_second for snapshot in silent} == {0.0}
    assert silent[0].remaining_seconds is None


def test_what_a_worker_notes_is_told_once(jobs: Jobs, run_jobs: Run) -> None:
    _, recorder = run_jobs(jobs(1, behaviour="note"))
    assert recorder.messages == ["ppo on CartPole-v1 (seed 0): `checkpoint` is damaged"]


def test_a_worker_over_its_memory_limit_is_oom_and_its_cohort_halved_with_others_beside_it(
    jobs: Jobs, run_jobs: Run, folder: ResultsFolder
) -> None:
    wanted = jobs(2, behaviour="leak", seeds=[1])
    outcome, recorder = run_jobs(wanted, slots=1, memory_limit_bytes=150 << 20)
    assert states(folder, wanted) == ["done", "failed"]
    assert outcome.reasons == {"oom": 1}
    failure = folder.read_failure(wanted[1].id)
    assert failure.message == "the worker was killed because it took more memory than it was given"
    assert not any(view.assignment.alone for view in recorder.starts)


def test_a_cohort_over_its_time_is_stopped_at_a_checkpoint(jobs: Jobs, run_jobs: Run, folder: ResultsFolder) -> None:
    wanted = jobs(1, seconds=5.0)
    outcome, recorder = run_jobs(wanted, timeout=0.5)
    assert outcome.reasons == {"timeout": 1}
    assert (folder.cohort(recorder.starts[0].assignment.id) / "checkpoint").is_dir()


def test_the_same_startup_failure_three_times_pauses_the_suite(jobs: Jobs, run_jobs: Run) -> None:
    wanted = [
        *jobs(4, behaviour="startup"),
        *jobs(3, behaviour="startup", algorithm="spo"),
        *jobs(2, behaviour="startup", algorithm="oracle"),
        *jobs(1, algorithm="a2c"),
    ]
    outcome, recorder = run_jobs(wanted, slots=1)
    assert outcome.exit_code == 1
    assert outcome.stop is Stop.PAUSED
    assert "the simulator is not installed" in outcome.message
    assert len(recorder.starts) == 3
    # Nothing is given up: when the cause is gone the same command goes on.
    assert outcome.counts["to_run"] == 10


def test_evaluating_before_the_first_step_does_not_break_a_row_of_startup_failures(jobs: Jobs, run_jobs: Run) -> None:
    outcome, recorder = run_jobs(jobs(2, behaviour="startup_after_evaluation"), slots=1, retries=5)
    assert outcome.stop is Stop.PAUSED
    assert outcome.message == "paused: 3 workers in a row failed at their start: the simulator is not installed"
    assert len(recorder.failures) == 3


def _store_failure_at_launch(folder: ResultsFolder, job: Job, reason: str) -> Recorder:
    """An observer that stores a failure, as another driver would, after the run has looked at the states."""

    class Other(Recorder):
        def launch(self, launch: Launch) -> None:
            folder.job(job.id).mkdir(parents=True, exist_ok=True)
            folder.write_failure(job.id, Failure(reason, "another driver's", "", None, 2.0))

    return Other()


@pytest.mark.parametrize(("reason", "starts_expected"), [("error", 0), ("timeout", 0), ("killed", 1)])
def test_a_job_that_failed_in_another_run_meanwhile_is_not_repeated_unless_killed(
    jobs: Jobs, run_jobs: Run, folder: ResultsFolder, starts: Starts, reason: str, starts_expected: int
) -> None:
    wanted = jobs(2)
    outcome, _ = run_jobs(wanted, observer=_store_failure_at_launch(folder, wanted[0], reason))
    assert [len(starts(job)) for job in wanted] == [starts_expected, 1]
    assert outcome.counts["failed"] == 1 - starts_expected


def test_a_failure_chosen_to_be_retried_is_left_when_another_run_has_retried_it_in_vain(
    jobs: Jobs, run_jobs: Run, folder: ResultsFolder, starts: Starts
) -> None:
    wanted = jobs(1)
    folder.job(wanted[0].id).mkdir(parents=True)
    folder.write_failure(wanted[0].id, Failure("error", "the first", "", None, 1.0))
    other = _store_failure_at_launch(folder, wanted[0], "error")
    outcome, _ = run_jobs(wanted, observer=other, retry_failed=True)
    assert not starts(wanted[0])
    assert outcome.counts["failed"] == 1


def test_workers_that_ignore_being_stopped_are_killed_after_the_grace_period(jobs: Jobs, run_jobs: Run) -> None:
    wanted = [*jobs(1, behaviour="hang"), *jobs(1, behaviour="raise", algorithm="spo", seconds=2.0)]
    outcome, recorder = run_jobs(wanted, fail_fast=True, grace_seconds=0.3)
    assert outcome.stop is Stop.FAIL_FAST
    assert len(recorder.stops) == 1


def test_files_of_a_writer_killed_in_the_middle_are_swept_when_the_job_runs_again(
    jobs: Jobs, run_jobs: Run, folder: ResultsFolder
) -> None:
    (job,) = jobs(1)
    folder.job(job.id).mkdir(parents=True)
    partial = folder.job(job.id) / ".evaluations.parquet.123.partial"
    partial.touch()
    assert run_jobs([job])[0].exit_code == 0
    assert not partial.exists()


def test_a_worker_dying_before_its_first_heartbeat_is_a_startup_failure(jobs: Jobs, run_jobs: Run) -> None:
    outcome, recorder = run_jobs(jobs(2, behaviour="die"), slots=1, retries=5)
    assert outcome.stop is Stop.PAUSED
    assert len(recorder.failures) == 3
    assert recorder.failures[0].failure.message == "no module named nothing"


def test_training_in_between_breaks_a_row_of_startup_failures(jobs: Jobs, run_jobs: Run) -> None:
    wanted = [
        *jobs(4, behaviour="startup"),
        *jobs(3, behaviour="startup", algorithm="spo"),
        *jobs(2, algorithm="a2c"),
        *jobs(1, behaviour="startup", algorithm="oracle"),
    ]
    outcome, _ = run_jobs(wanted, slots=1, retries=0)
    assert outcome.stop is None
    assert outcome.counts["done"] == 2
    assert outcome.reasons == {"error": 8}


def test_fail_fast_stops_the_others_at_a_checkpoint(jobs: Jobs, run_jobs: Run, folder: ResultsFolder) -> None:
    wanted = [*jobs(1, behaviour="raise"), *jobs(3, algorithm="spo", seconds=20.0)]
    outcome, recorder = run_jobs(wanted, cohort=4, fail_fast=True)
    assert outcome.exit_code == 1
    assert outcome.stop is Stop.FAIL_FAST
    assert len(recorder.stops) == 1
    assert outcome.counts["to_run"] == 3


def test_a_diverged_job_is_done_and_counted_apart(jobs: Jobs, run_jobs: Run) -> None:
    outcome, _ = run_jobs(jobs(3, behaviour="diverge", seeds=[1]))
    assert outcome.exit_code == 0
    assert outcome.counts["done"] == 3
    assert outcome.counts["diverged"] == 1


def test_an_endless_printer_cannot_fill_the_disk(jobs: Jobs, run_jobs: Run, folder: ResultsFolder) -> None:
    outcome, recorder = run_jobs(jobs(1, behaviour="spam", seconds=0.5), log_limit=50_000)
    assert outcome.exit_code == 0
    assert folder.log(recorder.starts[0].assignment.id).stat().st_size <= 50_000


def test_a_silent_worker_leaves_no_log_and_few_files(jobs: Jobs, run_jobs: Run, folder: ResultsFolder) -> None:
    (job,) = jobs(1)
    _, recorder = run_jobs([job])
    names = [path.name for path in folder.cohort(recorder.starts[0].assignment.id).iterdir()]
    assert sorted(names) == ["cohort.json", "heartbeat.json"]


def test_only_new_jobs_run_when_the_request_grows(jobs: Jobs, run_jobs: Run, starts: Starts) -> None:
    few = jobs(3)
    run_jobs(few)
    many = jobs(5)
    outcome, _ = run_jobs(many)
    assert outcome.exit_code == 0
    assert [len(starts(job)) for job in many] == [1] * 5


def test_a_checkpoint_is_taken_up_although_jobs_would_be_grouped_otherwise_now(
    jobs: Jobs, run_jobs: Run, folder: ResultsFolder, starts: Starts
) -> None:
    wanted = jobs(4, behaviour="kill", times=1)
    run_jobs(wanted, slots=1, fail_fast=True)
    outcome, recorder = run_jobs(wanted, slots=2, cohort=1)
    assert outcome.exit_code == 0
    assert [len(view.assignment.jobs) for view in recorder.starts] == [4]
    assert starts(wanted[3])[-1][2] == 50


@pytest.mark.parametrize(
    ("now", "versions", "begins", "said"),
    [
        (("a" * 40, False), {}, 50, "goes on from its checkpoint"),
        (("b" * 40, False), {}, 0, "starts anew (commit aaaaaaaaaaaa then, bbbbbbbbbbbb now)"),
        (("a" * 40, True), {}, 0, "starts anew (the code has changes that are in no commit)"),
        (("a" * 40, False), {"torch": "3"}, 0, "starts anew (torch absent then, 3 now)"),
    ],
)
def test_a_failed_job_is_tried_again_from_its_checkpoint_only_by_the_same_code_and_that_is_said(
    jobs: Jobs,
    run_jobs: Run,
    starts: Starts,
    monkeypatch: pytest.MonkeyPatch,
    now: tuple[str, bool],
    versions: dict[str, str],
    begins: int,
    said: str,
) -> None:
    monkeypatch.setattr(same_code, "packages", lambda: versions)
    wanted = jobs(2, behaviour="raise", times=1)
    run_jobs(wanted, slots=1, retries=0, git=("a" * 40, False))
    outcome, recorder = run_jobs(wanted, slots=1, retry_failed=True, git=now)
    assert outcome.exit_code == 0
    assert [step for _, _, step in starts(wanted[0])] == [0, begins]
    assert recorder.messages == [f"ppo on CartPole-v1 (2 seeds) failed before and {said}"]
    assert recorder.launched[0].resumed == (begins > 0)


def test_a_job_that_starts_anew_does_so_once(jobs: Jobs, run_jobs: Run, starts: Starts) -> None:
    wanted = jobs(1, behaviour="raise", times=2)
    run_jobs(wanted, fail_fast=True, git=("a" * 40, False))
    outcome, _ = run_jobs(wanted, retry_failed=True, git=("b" * 40, False))
    assert outcome.exit_code == 0
    assert [step for _, _, step in starts(wanted[0])] == [0, 0, 50]


def test_a_killed_job_goes_on_from_its_checkpoint_under_any_code(jobs: Jobs, run_jobs: Run, starts: Starts) -> None:
    wanted = jobs(1, behaviour="kill", times=1)
    run_jobs(wanted, fail_fast=True, git=("a" * 40, False))
    run_jobs(wanted, retry_failed=True, git=("b" * 40, False))
    assert [step for _, _, step in starts(wanted[0])] == [0, 50]


def test_what_a_checkpoint_holds_together_with_a_chosen_job_is_trained_with_it(
    jobs: Jobs, run_jobs: Run, folder: ResultsFolder, starts: Starts
) -> None:
    every = [*jobs(4, behaviour="kill", times=1), *jobs(1, algorithm="spo")]
    run_jobs(every[:4], slots=1, fail_fast=True)
    chosen = with_companions(every[2:3], every, folder, retry_failed=False)
    assert chosen == every[:4]
    assert run_jobs(chosen, slots=1)[0].exit_code == 0
    assert [[step for _, _, step in starts(job)] for job in every[:4]] == [[0, 50]] * 4
    assert with_companions(every[2:3], every, folder, retry_failed=False) == every[2:3]
    assert with_companions(every[4:], every, folder, retry_failed=False) == every[4:]


def test_a_checkpoint_that_cannot_be_taken_up_draws_nobody_in(jobs: Jobs, run_jobs: Run, folder: ResultsFolder) -> None:
    every = jobs(3, behaviour="kill", times=1)
    run_jobs(every, slots=1, fail_fast=True)
    folder.write_failure(every[0].id, Failure("error", "bad", "", None, 1.0))
    assert with_companions(every[1:2], every, folder, retry_failed=False) == every[1:2]
    assert with_companions(every[1:2], every, folder, retry_failed=True) == every


def test_a_full_disk_stops_starting_with_a_sentence(jobs: Jobs, run_jobs: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **keywords: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(LocalExecutor, "submit", refuse)
    outcome, _ = run_jobs(jobs(1))
    assert outcome.exit_code == 1
    assert outcome.stop is Stop.DISK


def test_workers_that_fail_on_a_full_disk_are_not_blamed(
    jobs: Jobs, run_jobs: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = iter([1 << 40] * 2)
    monkeypatch.setattr(driver_module, "free_disk_bytes", lambda path: next(free, 0))
    outcome, recorder = run_jobs(jobs(2, behaviour="raise"), slots=1, retries=0)
    assert outcome.exit_code == 1
    assert outcome.stop is Stop.DISK
    assert recorder.failures[0].failure.message.startswith("the disk is full (")
    assert outcome.counts["to_run"] == 2


def test_a_run_is_refused_when_little_disk_is_free(jobs: Jobs, run_jobs: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_module, "free_disk_bytes", lambda path: 100 << 20)
    with pytest.raises(RequestError, match="only 100 MB are free"):
        run_jobs(jobs(1))


def test_workers_run_one_at_a_time_when_memory_is_short(jobs: Jobs, run_jobs: Run) -> None:
    outcome, recorder = run_jobs(jobs(3), slots=3, cohort=1, unknown_worker_bytes=1 << 50)
    assert outcome.exit_code == 0
    # What the first one took is known when it has finished, so then they may run together.
    assert {len(snapshot.workers) for snapshot in recorder.snapshots if not snapshot.done} == {1}
    assert any("less memory is free" in message for message in recorder.messages)


def test_a_job_under_two_labels_runs_once(jobs: Jobs, run_jobs: Run, starts: Starts) -> None:
    (job,) = jobs(1)
    outcome, _ = run_jobs([job, job])
    assert outcome.exit_code == 0
    assert len(starts(job)) == 1


def test_driver_imports_no_torch_and_stays_small(tmp_path: Path) -> None:
    program = (
        "import sys, psutil\n"
        "import gtr_bench.schedule.driver, gtr_bench.schedule.plan, gtr_bench.schedule.display, gtr_bench.suite\n"
        "assert not {'torch', 'pandas', 'pyarrow'} & set(sys.modules)\n"
        "assert psutil.Process().memory_info().rss < 200 << 20\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_states_are_told_without_reading_parquet(folder: ResultsFolder) -> None:
    for name in ("a", "b"):
        folder.job(name).mkdir(parents=True)
    touch_done(folder.job("a"))
    assert {k: v.state for k, v in folder.survey(["a", "b", "c"]).items()} == {
        "a": State.DONE,
        "b": State.TO_RUN,
        "c": State.TO_RUN,
    }


def test_a_damaged_job_is_run_again_and_its_files_are_kept_aside(
    jobs: Any, run_jobs: Any, folder: ResultsFolder
) -> None:
    wanted = jobs(3)
    run_jobs(wanted)
    path = folder.job(wanted[1].id) / "job.parquet"
    path.write_bytes(b"PAR1")
    outcome, recorder = run_jobs(wanted)
    assert (outcome.trained, outcome.counts["done"]) == (1, 3)
    assert recorder.launched[0].starting == 1
    assert path.with_name("job.parquet.damaged").read_bytes() == b"PAR1"


def test_every_attempt_is_told_in_the_failure(jobs: Any, run_jobs: Any, folder: ResultsFolder, starts: Any) -> None:
    (job,) = jobs(1, behaviour="raise")
    run_jobs([job], retries=2)
    found = folder.read_failure(job.id)
    assert len(found.attempts) == len(starts(job)) >= 3
    assert {each.reason for each in found.attempts} == {"error"}
    run_jobs([job], retries=0, retry_failed=True)
    assert len(folder.read_failure(job.id).attempts) == len(starts(job)) > len(found.attempts)
