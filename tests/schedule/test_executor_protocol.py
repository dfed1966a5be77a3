"""The driver needs no process: an executor of a few lines, all in memory, goes through the real driver."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from gtr_bench.files import write_json
from gtr_bench.schedule.assignments import Assignment
from gtr_bench.schedule.claims import Claim
from gtr_bench.schedule.executors.base import Demand, Exit, Handle, Usage
from gtr_bench.schedule.folders import ResultsFolder
from gtr_bench.schedule.observer import Snapshot, Stop
from gtr_bench.suite import Job

from .conftest import Recorder

Jobs = Callable[..., list[Job]]
Run = Callable[..., Any]
STEPS = 100


class Worker:
    """A worker that does one thing of its `script` at every look: a number of steps to take, or how to end."""

    pid = None

    def __init__(self, cohort: Path, script: Sequence[int | str]) -> None:
        self.cohort = cohort
        self.script = list(script)
        checkpoint = cohort / "checkpoint" / "step"
        self.first = self.step = int(checkpoint.read_text()) if checkpoint.exists() else 0
        self.looks = 0
        self.asked = False
        self.end: Exit | None = None

    @property
    def waiting(self) -> bool:
        return bool(self.script) and self.script[0] == "wait"

    def poll(self) -> Exit | None:
        if self.end is None:
            self.looks += 1
            self.act("stop" if self.asked else self.script.pop(0) if self.script else "hang")
        return self.end

    def act(self, what: int | str) -> None:
        if isinstance(what, int):
            self.step += what
            self.beat("running")
        elif what == "finish":
            for job in json.loads((self.cohort / "cohort.json").read_text())["jobs"]:
                (self.cohort.parent.parent / "jobs" / job["id"] / "job.parquet").write_bytes(b"PAR1\0\0\0\0PAR1")
            self.end = Exit(0)
        elif what == "stop":
            (self.cohort / "checkpoint").mkdir(exist_ok=True)
            (self.cohort / "checkpoint" / "step").write_text(str(self.step))
            self.beat("stopped")
            self.end = Exit(75)
        elif what == "fail":
            self.beat("failed", {"reason": "error", "message": "it broke", "startup": False})
            self.end = Exit(1)
        elif what == "memory":
            self.end = Exit(-9, out_of_memory=True)

    def beat(self, state: str, failure: dict[str, Any] | None = None) -> None:
        beat = {"state": state, "time": 0.0, "step": self.step, "steps": STEPS, "first_step": self.first}
        write_json(self.cohort / "heartbeat.json", beat | {"failure": failure, "peak_memory_bytes": 1000 + self.step})

    def stop(self) -> None:
        self.asked = True

    def kill(self) -> None:
        self.end = self.end or Exit(-9)

    def usage(self) -> Usage:
        return Usage(host_bytes=700)


class InMemory:
    """An executor on nothing: the n-th worker follows the n-th script. It remembers its workers, as Slurm would."""

    device = "cpu"

    def __init__(self, *scripts: Sequence[int | str], slots: int = 1, detached: bool = False) -> None:
        self.scripts = list(scripts)
        self.slots = slots
        self.detached = detached
        self.workers: list[Worker] = []
        self.demands: list[Demand] = []
        self.claimed: list[list[str]] = []
        self.refuses = 0

    def room(self, demand: Demand) -> bool:
        if self.refuses:
            self.refuses -= 1
            return False
        return sum(worker.end is None for worker in self.workers) < self.slots

    def submit(self, assignment: Assignment, document: Path, demand: Demand, claims: Sequence[Claim]) -> Handle:
        assert json.loads(document.read_text())["id"] == assignment.id
        worker = Worker(document.parent, self.scripts.pop(0))
        self.workers.append(worker)
        self.demands.append(demand)
        self.claimed.append([claim.job_id for claim in claims])
        return worker

    def attach(self, cohort: Path) -> Handle | None:
        return next((worker for worker in reversed(self.workers) if worker.cohort == cohort), None)


def test_jobs_start_and_finish_without_any_process(jobs: Jobs, run_jobs: Run, folder: ResultsFolder) -> None:
    wanted = jobs(3)
    executor = InMemory([50, 50, "finish"], [100, "finish"], slots=2)
    outcome, recorder = run_jobs(wanted, executor=executor, cohort=2, threads=3)
    assert (outcome.exit_code, outcome.trained) == (0, 3)
    assert sorted(job_id for claimed in executor.claimed for job_id in claimed) == sorted(job.id for job in wanted)
    assert [view.pid for view in recorder.starts] == [None, None]
    assert recorder.launched[0].slots == 2
    assert {demand.cores for demand in executor.demands} == {3}
    assert not any(folder.claims.held(job.id) for job in wanted)


def test_a_failure_is_stored_and_retried_whoever_runs_the_worker(
    jobs: Jobs, run_jobs: Run, folder: ResultsFolder
) -> None:
    wanted = jobs(1)
    outcome, recorder = run_jobs(wanted, executor=InMemory([10, "fail"], [10, "fail"]))
    assert outcome.reasons == {"error": 1}
    assert [failed.retried for failed in recorder.failures] == [True, False]
    assert folder.read_failure(wanted[0].id).message == "it broke"


def test_memory_an_executor_saw_run_out_is_oom_and_its_members_are_tried_apart_beside_others(
    jobs: Jobs, run_jobs: Run
) -> None:
    executor = InMemory([10, "memory"], ["finish"], ["finish"])
    outcome, recorder = run_jobs(jobs(2), executor=executor, cohort=2)
    assert outcome.exit_code == 0
    assert recorder.failures[0].failure.reason == "oom"
    assert [len(view.assignment.jobs) for view in recorder.starts] == [2, 1, 1]
    # What it was given is its own: others beside it took none of that.
    assert not any(view.assignment.alone for view in recorder.starts)


def test_a_preempted_worker_is_submitted_again_and_no_attempt_is_counted(jobs: Jobs, run_jobs: Run) -> None:
    executor = InMemory([10, "stop"], [10, "stop"], [10, "finish"])
    outcome, recorder = run_jobs(jobs(1), executor=executor, retries=0)
    assert outcome.exit_code == 0
    assert [worker.first for worker in executor.workers] == [0, 10, 20]
    assert len(recorder.preemptions) == 2
    assert not recorder.failures


def test_the_driver_waits_for_room(jobs: Jobs, run_jobs: Run) -> None:
    executor = InMemory(["finish"])
    executor.refuses = 5
    outcome, _ = run_jobs(jobs(1), executor=executor)
    assert outcome.exit_code == 0
    assert executor.refuses == 0


def test_a_worker_in_a_queue_is_neither_silent_nor_late(jobs: Jobs, run_jobs: Run) -> None:
    executor = InMemory([*["wait"] * 40, 100, "finish"])
    outcome, recorder = run_jobs(jobs(1), executor=executor, timeout=0.5, stall_timeout=0.5)
    assert outcome.exit_code == 0
    assert not recorder.failures
    silent = InMemory([10])
    outcome, _ = run_jobs(jobs(1, of="another"), executor=silent, stall_timeout=0.2)
    assert outcome.reasons == {"timeout": 1}


def test_a_demand_is_what_workers_of_the_shape_have_taken(jobs: Jobs, run_jobs: Run) -> None:
    executor = InMemory([30, "finish"], [60, "finish"], ["finish"])
    run_jobs(jobs(3), executor=executor, cohort=1)
    assert [demand.host_bytes for demand in executor.demands] == [None, 1030, 1060]
    assert [demand.device_bytes for demand in executor.demands] == [None] * 3


class Dies(Recorder):
    """A driver that dies once all its workers train: an error out of the loop, which none of its promises cover."""

    def __init__(self, workers: int) -> None:
        super().__init__()
        self.workers = workers

    def progress(self, snapshot: Snapshot) -> None:
        if sum(view.heartbeat is not None for view in snapshot.workers) == self.workers:
            raise SystemError("the driver dies")


def test_detached_workers_outlive_the_driver_and_are_found_again(
    jobs: Jobs, run_jobs: Run, folder: ResultsFolder
) -> None:
    wanted = jobs(5)
    executor = InMemory([10, 20, 70, "finish"], [10, 10, "stop"], [80, "finish"], ["finish"], slots=2, detached=True)
    with pytest.raises(SystemError):
        run_jobs(wanted, executor=executor, cohort=2, observer=Dies(2))
    first, second = executor.workers
    assert not first.asked
    assert not second.asked
    assert all(worker.end is None for worker in executor.workers)
    while second.end is None:
        second.poll()  # ends while nobody looks
    # Another size of cohort would group the jobs otherwise: what runs is found all the same.
    outcome, recorder = run_jobs(wanted, executor=executor, cohort=1)
    assert outcome.exit_code == 0
    assert "watching 2 workers that outlived an earlier run" in recorder.messages
    assert [len(view.assignment.jobs) for view in recorder.starts[:2]] == [2, 2]
    assert recorder.launched[0].cohorts == 3
    # The one that had been stopped meanwhile was preempted, and goes on where it was.
    assert [view.assignment.id for view in recorder.preemptions] == [second.cohort.name]
    assert 20 in [worker.first for worker in executor.workers[2:]]
    assert len(executor.workers) == 4


def test_a_detached_workers_jobs_are_watched_only_by_the_driver_that_claims_them(
    jobs: Jobs, run_jobs: Run, folder: ResultsFolder
) -> None:
    wanted = jobs(2)
    executor = InMemory([10, 90, "finish"], detached=True)
    with pytest.raises(SystemError):
        run_jobs(wanted, executor=executor, observer=Dies(1))

    class Meanwhile(Recorder):
        """Another driver that has claimed one of the two jobs before this one does, and lets it go at the launch."""

        claim = folder.claims.take(wanted[0].id)

        def launch(self, launch: Any) -> None:
            super().launch(launch)
            if self.claim is not None:
                self.claim.release()

    outcome, recorder = run_jobs(wanted, executor=executor, observer=Meanwhile())
    assert outcome.exit_code == 0
    assert [job.id for job in recorder.starts[0].assignment.jobs] == [wanted[1].id]
    assert len(executor.workers) == 1
    assert outcome.counts["done"] == 2


def test_ctrl_c_asks_detached_workers_too_and_leaves_their_checkpoint(jobs: Jobs, run_jobs: Run) -> None:
    class Interrupts(Recorder):
        def progress(self, snapshot: Snapshot) -> None:
            if not self.messages and any(view.heartbeat for view in snapshot.workers):
                os.kill(os.getpid(), signal.SIGINT)
                self.messages.append("interrupted")

    executor = InMemory([10] * 100, detached=True)
    outcome, recorder = run_jobs(jobs(1), executor=executor, observer=Interrupts())
    assert outcome.stop is Stop.INTERRUPTED
    assert outcome.exit_code == 130
    assert len(recorder.stops) == 1
    assert (executor.workers[0].cohort / "checkpoint" / "step").exists()
