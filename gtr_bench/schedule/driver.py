"""The driver: starts workers for the jobs that are not done, watches them, records how they end.

It holds nothing that matters in memory: whenever it dies, the files say what is done, and a rerun continues.
It never imports torch.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gtr_bench.errors import RequestError
from gtr_bench.schedule import process
from gtr_bench.schedule.assignments import Assignment, assign, narrow
from gtr_bench.schedule.folders import Failure, JobState, ResultsFolder, State, count_states, wanted
from gtr_bench.schedule.interrupts import Interrupts
from gtr_bench.schedule.locks import Claim
from gtr_bench.schedule.observer import FailedCohort, Launch, Observer, Outcome, Snapshot, Stop, WorkerView
from gtr_bench.schedule.process import WorkerProcess, start_worker
from gtr_bench.schedule.resources import MemoryGate, free_disk_bytes
from gtr_bench.schedule.retries import Attempts, StartupStreak, again
from gtr_bench.schedule.settings import Settings
from gtr_bench.schedule.slots import Slot
from gtr_bench.schedule.tally import Tally
from gtr_bench.schedule.verdict import End, Verdict, judge
from gtr_bench.wording import counted

if TYPE_CHECKING:
    from gtr_bench.suite import Job

__all__ = ["Driver", "wanted"]

_ELSEWHERE_EVERY_SECONDS = 1.0
_LOG_LINES_SHOWN = 5
_DISK_FULL = "the disk is full, so nothing more is started"


class Driver:
    """One run of a list of jobs in one results folder."""

    def __init__(
        self,
        jobs: Sequence[Job],
        folder: ResultsFolder,
        *,
        slots: Sequence[Slot],
        settings: Settings,
        provenance: Mapping[str, Any],
        observer: Observer,
        worker_command: Sequence[str] | None = None,
        memory: MemoryGate | None = None,
    ) -> None:
        """`jobs` may name a job twice under two labels; it runs once."""
        self._jobs = {job.id: job for job in jobs}
        self._tally = Tally(self._jobs)
        self._attempts = Attempts(settings.retries)
        self._startups = StartupStreak(settings.same_startup_failures)
        self._folder = folder
        self._settings = settings
        self._provenance = provenance
        self._observer = observer
        self._command = tuple(worker_command or process.WORKER_COMMAND)
        self._memory = memory or MemoryGate(settings.unknown_worker_bytes)
        self._free = list(slots)
        self._slots = len(self._free)
        self._queue: list[Assignment] = []
        self._running: list[WorkerProcess] = []
        self._failures_chosen: dict[str, float] = {}
        self._elsewhere: set[str] = set()
        self._elsewhere_looked_at = 0.0
        self._stop: Stop | None = None
        self._stop_message: str | None = None
        self._terminated = False
        self._memory_told = False
        self._speed = 0.0
        self._started = time.monotonic()

    def run(self) -> Outcome:
        """Train what is to be trained. Raises RequestError when the folder or the disk does not allow a start."""
        states = self._folder.survey(self._jobs)
        to_run = {name for name, state in states.items() if wanted(state, retry_failed=self._settings.retry_failed)}
        self._elsewhere = {name for name, state in states.items() if state.state is State.RUNNING}
        for name, state in states.items():
            if state.state is State.DONE:
                self._tally.note_done(name)
            elif state.state is State.FAILED and name not in to_run:
                self._tally.note_failed([name])
            elif state.state is State.FAILED:
                self._failures_chosen[name] = self._folder.read_failure(name).time
        if to_run:
            self._prepare()
            self._queue = self._assign(to_run)
        self._observer.launch(self._launch(states, len(to_run)))
        if self._elsewhere:
            self._tell_elsewhere(len(self._elsewhere))
        with Interrupts() as interrupts:
            try:
                self._loop(interrupts)
            finally:
                # Only an error of the driver itself leaves workers here; they must not train on unseen.
                for worker in self._running:
                    worker.terminate()
        outcome = self._tally.outcome(
            self._folder.survey(self._jobs),
            stop=self._stop,
            message=self._stop_message,
            seconds=time.monotonic() - self._started,
        )
        self._observer.done(outcome)
        return outcome

    def _prepare(self) -> None:
        self._folder.prepare()
        free, least = free_disk_bytes(self._folder.root), self._settings.minimum_free_bytes
        if free < least:
            raise RequestError(
                f"only {free >> 20} MB are free where `{self._folder.root}` lies, and a run needs {least >> 20} MB",
                hint="make room, or name another place with `--results DIR`",
            )

    def _assign(self, to_run: Iterable[str]) -> list[Assignment]:
        return assign(list(self._jobs.values()), to_run, self._folder, slots=self._slots, cohort=self._settings.cohort)

    def _launch(self, states: Mapping[str, JobState], starting: int) -> Launch:
        first = next(iter(self._jobs.values()))
        return Launch(
            suite=first.suite,
            scale=first.scale,
            results=str(self._folder.root),
            jobs=len(self._jobs),
            counts=count_states(states.values()),
            starting=starting,
            cohorts=len(self._queue),
            resumed=sum(assignment.resumes for assignment in self._queue),
            slots=self._slots,
        )

    # The loop

    def _loop(self, interrupts: Interrupts) -> None:
        while True:
            self._heed(interrupts)
            self._reap()
            if self._stop is None:
                self._look_elsewhere()
                self._fill()
            if not self._running and (self._stop is not None or not (self._queue or self._elsewhere)):
                return
            for worker in self._running:
                worker.look()
                self._note_training(worker)
                worker.enforce(self._settings.timeout, self._settings.stall_timeout, self._settings.grace_seconds)
            self._observer.progress(self._snapshot())
            time.sleep(self._settings.poll_seconds)

    def _heed(self, interrupts: Interrupts) -> None:
        """First interrupt: ask the workers to checkpoint. Second: kill them."""
        if interrupts.count >= 1 and self._stop is not Stop.INTERRUPTED:
            if self._running:
                self._observer.message(
                    f"stopping: waiting for {counted(len(self._running), 'worker')} to checkpoint (Ctrl-C again kills)"
                )
            self._halt(Stop.INTERRUPTED, None)
        if interrupts.count >= 2:
            for worker in self._running:
                worker.kill()

    def _halt(self, stop: Stop, message: str | None) -> None:
        """Start nothing more; unless the suite is only paused or the disk full, ask running workers to stop."""
        self._stop, self._stop_message = stop, message
        if stop in {Stop.INTERRUPTED, Stop.FAIL_FAST}:
            self._terminated = True
            for worker in self._running:
                worker.terminate()

    def _snapshot(self) -> Snapshot:
        views = [WorkerView.of(worker) for worker in self._running]
        running_steps = sum(view.heartbeat.step * len(view.assignment.jobs) for view in views if view.heartbeat)
        snapshot = Snapshot(
            workers=views,
            jobs=len(self._jobs),
            done=len(self._tally.done),
            failed=len(self._tally.failed),
            queued=sum(len(assignment.jobs) for assignment in self._queue),
            elsewhere=len(self._elsewhere),
            done_steps=self._tally.done_steps + running_steps,
            total_steps=self._tally.steps_to_reach,
            seconds=time.monotonic() - self._started,
            last_speed=self._speed,
        )
        self._speed = snapshot.steps_per_second
        return snapshot

    # Starting

    def _fill(self) -> None:
        """Start workers while a slot is free and memory and disk allow it."""
        while self._queue and self._free and self._stop is None:
            if any(worker.assignment.alone for worker in self._running):
                return
            if self._disk_is_short():
                return
            position = self._next()
            if position is None:
                return
            assignment = self._queue[position]
            if not self._memory.fits(assignment, self._running):
                if self._running:
                    return
                self._tell_memory(assignment)
            del self._queue[position]
            try:
                self._start(assignment)
            except OSError as error:
                if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                    raise
                self._halt(Stop.DISK, _DISK_FULL)

    def _next(self) -> int | None:
        """The first assignment that may start now: those to be alone wait until everything else is done."""
        for position, assignment in enumerate(self._queue):
            if not assignment.alone:
                return position
        return None if self._running else 0

    def _tell_memory(self, assignment: Assignment) -> None:
        # With nothing else running waiting would be for ever, so it is tried, and said.
        if not self._memory_told:
            need = self._memory.expected(assignment) >> 20
            self._observer.message(f"less memory is free than the {need} MB a worker may need; running one at a time")
            self._memory_told = True

    def _start(self, assignment: Assignment) -> None:
        """Claim the jobs and start a worker on those that are still to be trained and nobody else's."""
        claims: list[Claim] = []
        try:
            self._claim(assignment, claims)
            mine = narrow(assignment, {claim.job_id for claim in claims})
            if mine is None:
                return
            worker = start_worker(
                mine,
                self._free[0],
                claims,
                folder=self._folder,
                settings=self._settings,
                provenance=self._provenance,
                command=self._command,
            )
        except BaseException:
            for claim in claims:
                claim.release()
            raise
        self._free.pop(0)
        self._running.append(worker)
        self._observer.started(WorkerView.of(worker))

    def _disk_is_short(self) -> bool:
        """Whether too little disk is free; if so, nothing more starts."""
        least = self._settings.minimum_free_bytes
        if free_disk_bytes(self._folder.root) >= least:
            return False
        if self._stop is None:
            self._halt(Stop.DISK, f"less than {least >> 20} MB of disk are free, so nothing more is started")
        return True

    def _claim(self, assignment: Assignment, claims: list[Claim]) -> None:
        """Add claims on the members that another driver has neither taken nor settled since the last look."""
        elsewhere = 0
        for job in assignment.jobs:
            claim = Claim.take(self._folder.lock(job.id), job.id)
            if claim is None:
                self._elsewhere.add(job.id)
                elsewhere += 1
            elif self._folder.is_done(job.id):
                claim.release()
                self._tally.note_done(job.id)
            elif self._failed_elsewhere(job.id):
                claim.release()
                self._tally.note_failed([job.id])
            else:
                claims.append(claim)
        if elsewhere:
            self._tell_elsewhere(elsewhere)

    def _failed_elsewhere(self, job_id: str) -> bool:
        """Whether another driver has stored a failure, of a kind not run again unasked, since this run looked."""
        if not self._folder.failure(job_id).exists():
            return False
        failure = self._folder.read_failure(job_id)
        if self._failures_chosen.get(job_id) == failure.time:
            return False
        return not wanted(JobState(State.FAILED, failure.reason), retry_failed=False)

    # Another driver's jobs

    def _tell_elsewhere(self, count: int) -> None:
        self._observer.message(f"{counted(count, 'job')} in the hands of another run; taken over if it dies")

    def _look_elsewhere(self) -> None:
        """Settle jobs another driver was training: done, failed, or left behind and now ours."""
        now = time.monotonic()
        if not self._elsewhere or now - self._elsewhere_looked_at < _ELSEWHERE_EVERY_SECONDS:
            return
        self._elsewhere_looked_at = now
        states = self._folder.survey(self._elsewhere)
        orphans = []
        for name, state in states.items():
            if state.state is State.RUNNING:
                continue
            self._elsewhere.discard(name)
            if state.state is State.DONE:
                self._tally.note_done(name)
            elif state.state is State.FAILED:
                self._tally.note_failed([name])
            else:
                orphans.append(name)
        if orphans:
            self._observer.message(f"taking over {counted(len(orphans), 'job')} that another run left behind")
            self._queue.extend(self._assign(orphans))

    # Ending

    def _reap(self) -> None:
        for worker in list(self._running):
            code = worker.ended()
            if code is not None:
                self._running.remove(worker)
                self._free.insert(0, worker.slot)
                try:
                    self._settle(worker, code)
                finally:
                    worker.release()

    def _settle(self, worker: WorkerProcess, code: int) -> None:
        jobs = worker.assignment.jobs
        unfinished = {job.id for job in jobs if not self._folder.is_done(job.id)}
        for job in jobs:
            if job.id not in unfinished:
                self._tally.trained += 1
                self._tally.note_done(job.id)
        self._memory.learn(worker)
        self._note_training(worker)
        self._tally.note_profile(worker.heartbeat)
        verdict = judge(
            code,
            unfinished=len(unfinished),
            heartbeat=worker.heartbeat,
            stopping=self._terminated,
            timed_out=worker.timed_out,
            last_lines=worker.last_lines(1),
        )
        if verdict.end is End.FINISHED:
            diverged = [job.id for job in jobs if self._folder.failure(job.id).exists()]
            self._observer.finished(WorkerView.of(worker), diverged)
        elif verdict.end is End.STOPPED:
            self._observer.stopped(WorkerView.of(worker))
        else:
            self._fail(worker, unfinished, verdict)

    def _fail(self, worker: WorkerProcess, unfinished: set[str], verdict: Verdict) -> None:
        """Try the unfinished jobs again or store their failure, and show it either way."""
        retried = self._attempts.allow_another(unfinished) and verdict.may_retry and not self._settings.fail_fast
        if verdict.reason == "error" and (self._disk_is_short() or verdict.names_full_disk):
            # The jobs are not to blame and run another time. Free space is asked as well because libraries that
            # meet a full disk often fail with words of their own.
            verdict = replace(verdict, message=f"the disk is full ({verdict.message})", startup=False)
            retried = True
            if self._stop is None:
                self._halt(Stop.DISK, _DISK_FULL)
        log = worker.log.relative_to(self._folder.root)
        step = worker.heartbeat.step if worker.heartbeat is not None else None
        failure = Failure(verdict.reason, verdict.message, str(log), step, time.time())
        if retried:
            self._queue.extend(again(worker.assignment, unfinished, verdict))
        else:
            for name in unfinished:
                self._folder.write_failure(name, failure)
            self._tally.note_failed(unfinished)
        self._observer.failed(
            FailedCohort(
                worker.assignment,
                failure,
                sorted(unfinished),
                retried,
                verdict.hint,
                worker.last_lines(_LOG_LINES_SHOWN),
                str(worker.log),
            )
        )
        if self._settings.fail_fast and self._stop is None:
            self._halt(Stop.FAIL_FAST, "stopped at the first failure (`--fail-fast`)")
        if verdict.startup:
            pause = self._startups.failed(verdict.message)
            if pause is not None and self._stop is None:
                self._halt(Stop.PAUSED, pause)

    def _note_training(self, worker: WorkerProcess) -> None:
        """A worker that trains proves that starting works, so start-up failures before it are not in a row."""
        if worker.has_trained:
            self._startups.broken()
