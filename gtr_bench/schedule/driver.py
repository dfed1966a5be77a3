"""The driver: starts workers for the jobs that are not done, watches them, records how they end.

It holds nothing that matters in memory: whenever it dies, the files say what is done, and a rerun continues. Where
and how workers run is an executor's affair. It never imports torch.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gtr_bench.errors import RequestError
from gtr_bench.files import remove_folder, whole_folder
from gtr_bench.schedule.assignments import Assignment, assign, named_cohorts, narrow
from gtr_bench.schedule.blame import blame
from gtr_bench.schedule.cohort_folder import make_ready
from gtr_bench.schedule.demands import Demands
from gtr_bench.schedule.ending import End, Ending, judge
from gtr_bench.schedule.executors.base import Executor, Exit
from gtr_bench.schedule.folders import Failure, JobState, ResultsFolder, State, count_states, wanted
from gtr_bench.schedule.interrupts import Interrupts
from gtr_bench.schedule.observer import FailedCohort, Launch, Observer, Outcome, Snapshot, Stop, WorkerView
from gtr_bench.schedule.others import Others
from gtr_bench.schedule.resources import free_disk_bytes
from gtr_bench.schedule.retries import Attempts, StartupStreak, rest
from gtr_bench.schedule.running import Running
from gtr_bench.schedule.same_code import difference_of_code
from gtr_bench.schedule.settings import Settings
from gtr_bench.schedule.tally import Tally
from gtr_bench.schedule.wording import cohort_name
from gtr_bench.wording import counted

if TYPE_CHECKING:
    from gtr_bench.suite import Job

__all__ = ["Driver"]

_LOG_LINES_SHOWN = 5
_DISK_FULL = "the disk is full, so nothing more is started"
_DISK_REFUSES = "the disk refuses, so nothing more is started"


class Driver:
    """One run of a list of jobs in one results folder."""

    def __init__(
        self,
        jobs: Sequence[Job],
        folder: ResultsFolder,
        *,
        executor: Executor,
        settings: Settings,
        provenance: Mapping[str, Any],
        observer: Observer,
        remarks: Sequence[str] = (),
    ) -> None:
        """`jobs` may name a job twice under two labels; it runs once. `remarks` are told after the launch."""
        self._jobs = {job.id: job for job in jobs}
        self._tally = Tally(self._jobs)
        self._others = Others(folder, self._tally)
        self._attempts = Attempts(settings.retries)
        self._startups = StartupStreak(settings.same_startup_failures)
        self._demands = Demands(
            folder, executor.device, cores=settings.threads, unknown_bytes=settings.unknown_worker_bytes
        )
        self._folder = folder
        self._executor = executor
        self._settings = settings
        self._provenance = provenance
        self._observer = observer
        self._queue: list[Assignment] = []
        self._remarks = list(remarks)
        self._retried: set[str] = set()  # failed before, and not of the kind that is run again unasked
        self._running: list[Running] = []
        self._stop: Stop | None = None
        self._stop_message: str | None = None
        self._asked_to_stop = False
        self._speed = 0.0
        self._started = time.monotonic()

    def run(self) -> Outcome:
        """Train what is to be trained. Raises RequestError when the folder or the disk does not allow a start."""
        states = self._folder.survey(self._jobs, thorough=True)
        to_run = [name for name, state in states.items() if wanted(state, retry_failed=self._settings.retry_failed)]
        self._retried = {name for name in to_run if not wanted(states[name], retry_failed=False)}
        self._others.note(states, to_run)
        for name, state in states.items():
            if state.state is State.DONE:
                self._tally.note_done(name)
        self._tally.note_failed({name for name, it in states.items() if it.state is State.FAILED} - set(to_run))
        outlived: list[Running] = []
        if to_run:
            self._prepare()
            outlived = self._take_up(to_run)
        self._observer.launch(self._launch(states, len(to_run)))
        if self._others.jobs:
            self._tell_elsewhere(len(self._others.jobs))
        self._tell_remarks()
        self._tell_outlived(outlived)
        with Interrupts() as interrupts:
            try:
                self._loop(interrupts)
            finally:
                # Only an error of the driver itself leaves workers here. They must not train on unseen, unless a rerun
                # finds them again.
                for worker in self._running:
                    if not self._executor.detached:
                        worker.stop()
                    worker.release()
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

    def _launch(self, states: Mapping[str, JobState], starting: int) -> Launch:
        first = next(iter(self._jobs.values()))
        cohorts = [*self._queue, *(worker.assignment for worker in self._running)]
        return Launch(
            suite=first.suite,
            scale=first.scale,
            results=str(self._folder.root),
            jobs=len(self._jobs),
            counts=count_states(states.values()),
            starting=starting,
            cohorts=len(cohorts),
            resumed=sum(assignment.resumes for assignment in cohorts),
            slots=self._executor.slots,
        )

    # The loop

    def _loop(self, interrupts: Interrupts) -> None:
        asked = self._settings
        while True:
            self._heed(interrupts)
            self._reap()
            if self._stop is None:
                self._look_elsewhere()
                self._fill()
            if not self._running and (self._stop is not None or not (self._queue or self._others.jobs)):
                return
            for worker in self._running:
                worker.look()
                self._tell_news(worker)
                self._note_training(worker)
                worker.enforce(asked.timeout, asked.stall_timeout, asked.grace_seconds, asked.hung_seconds)
            self._observer.progress(self._snapshot())
            time.sleep(asked.poll_seconds)

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
            self._asked_to_stop = True
            for worker in self._running:
                worker.stop()

    def _snapshot(self) -> Snapshot:
        views = [WorkerView.of(worker) for worker in self._running]
        running_steps = sum(view.heartbeat.step * len(view.assignment.jobs) for view in views if view.heartbeat)
        snapshot = Snapshot(
            workers=views,
            jobs=len(self._jobs),
            done=len(self._tally.done),
            failed=len(self._tally.failed),
            queued=sum(len(assignment.jobs) for assignment in self._queue),
            elsewhere=len(self._others.jobs),
            done_steps=self._tally.done_steps + running_steps,
            total_steps=self._tally.steps_to_reach,
            seconds=time.monotonic() - self._started,
            last_speed=self._speed,
            waiting=tuple(self._queue),
        )
        self._speed = snapshot.steps_per_second
        return snapshot

    # Starting

    def _take_up(self, names: Collection[str]) -> list[Running]:
        """Queue jobs; those whose worker has outlived an earlier driver are watched on. Returns these workers."""
        outlived = self._attach(names) if self._executor.detached else []
        self._running.extend(outlived)
        watched = {job.id for worker in outlived for job in worker.assignment.jobs}
        every, slots = list(self._jobs.values()), self._executor.slots
        left = set(names) - watched
        assigned = assign(every, left, self._folder, slots=slots, cohort=self._settings.cohort)
        self._queue.extend(self._with_own_code(assigned))
        self._demands.read(self._queue)
        return outlived

    def _with_own_code(self, assigned: Sequence[Assignment]) -> list[Assignment]:
        """Jobs that failed before start anew where other code left their checkpoint; either way it is said."""
        decided = []
        for each in assigned:
            checkpoint = whole_folder(self._folder.cohort(each.id) / "checkpoint")
            if checkpoint is not None and not self._retried.isdisjoint(job.id for job in each.jobs):
                differs = difference_of_code(checkpoint, self._provenance)
                how = "goes on from its checkpoint" if differs is None else f"starts anew ({differs})"
                self._remarks.append(f"{cohort_name(each)} failed before and {how}")
                each = replace(each, resumes=differs is None, anew=differs is not None)
            decided.append(each)
        return decided

    def _attach(self, names: Collection[str]) -> list[Running]:
        outlived = []
        for cohort in named_cohorts([self._jobs[name] for name in names], self._folder):
            claims = self._others.claim(cohort.jobs)
            mine = {claim.job_id for claim in claims}
            handle = self._executor.attach(self._folder.cohort(cohort.id)) if mine else None
            if handle is None:
                for claim in claims:
                    claim.release()
                continue
            outlived.append(Running(rest(cohort, mine), handle, claims, self._folder.cohort(cohort.id)))
        return outlived

    def _tell_outlived(self, outlived: Sequence[Running]) -> None:
        if outlived:
            self._observer.message(f"watching {counted(len(outlived), 'worker')} that outlived an earlier run")
        for worker in outlived:
            self._observer.started(WorkerView.of(worker))

    def _fill(self) -> None:
        """Start workers while the executor has room and the disk allows it."""
        while self._queue and self._stop is None:
            if any(worker.assignment.alone for worker in self._running):
                return
            position = self._next()
            if position is None:
                return
            if not self._executor.room(self._demands.of(self._queue[position], self._running)):
                return
            if self._disk_is_short():
                return
            try:
                self._start(self._queue.pop(position))
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

    def _start(self, assignment: Assignment) -> None:
        """Claim the jobs and start a worker on those that are still to be trained and nobody else's."""
        elsewhere = len(self._others.jobs)
        claims = self._others.claim(assignment.jobs)
        if len(self._others.jobs) > elsewhere:
            self._tell_elsewhere(len(self._others.jobs) - elsewhere)
        mine = narrow(assignment, {claim.job_id for claim in claims})
        if mine is None:
            return
        try:
            if mine.anew:
                remove_folder(self._folder.cohort(mine.id) / "checkpoint")
            document = make_ready(
                mine,
                claims,
                self._folder,
                device=self._executor.device,
                settings=self._settings,
                provenance=self._provenance,
            )
            handle = self._executor.submit(mine, document, self._demands.of(mine, self._running), claims)
        except BaseException:
            for claim in claims:
                claim.release()
            raise
        worker = Running(mine, handle, claims, document.parent)
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

    def _tell_elsewhere(self, count: int) -> None:
        self._observer.message(f"{counted(count, 'job')} in the hands of another run; taken over if it dies")

    def _look_elsewhere(self) -> None:
        """Take over what another driver has left behind."""
        orphans = self._others.left_behind()
        if orphans:
            self._observer.message(f"taking over {counted(len(orphans), 'job')} that another run left behind")
            outlived = self._take_up(orphans)
            self._tell_remarks()
            self._tell_outlived(outlived)

    # Ending

    def _reap(self) -> None:
        for worker in list(self._running):
            end = worker.poll()
            if end is not None:
                self._running.remove(worker)
                try:
                    self._settle(worker, end)
                finally:
                    worker.release()

    def _settle(self, worker: Running, end: Exit) -> None:
        jobs = worker.assignment.jobs
        unfinished = {job.id for job in jobs if not self._folder.is_done(job.id)}
        for job in jobs:
            if job.id not in unfinished:
                self._tally.trained += 1
                self._tally.note_done(job.id)
        self._tell_news(worker)
        self._demands.learn(worker)
        self._note_training(worker)
        self._tally.note_profile(worker.heartbeat)
        ending = judge(
            end,
            unfinished=len(unfinished),
            heartbeat=worker.heartbeat,
            stopping=self._asked_to_stop,
            timed_out=worker.timed_out,
            last_lines=worker.last_lines(1),
        )
        if ending.end is End.FINISHED:
            diverged = [job.id for job in jobs if self._folder.failure(job.id).exists()]
            self._observer.finished(WorkerView.of(worker), diverged)
        elif ending.end is End.STOPPED:
            self._observer.stopped(WorkerView.of(worker))
        elif ending.end is End.PREEMPTED:
            self._queue.append(replace(rest(worker.assignment, unfinished), resumes=True))
            self._observer.preempted(WorkerView.of(worker))
        else:
            self._fail(worker, unfinished, ending)

    def _fail(self, worker: Running, unfinished: set[str], ending: Ending) -> None:
        """Try the unfinished jobs again or store their failure, and show it either way."""
        left, following = rest(worker.assignment, unfinished), []
        # Free space is asked as well because libraries that meet a full disk often fail with words of their own.
        if ending.disk or (ending.reason == "error" and self._disk_is_short()):
            # The jobs are not to blame and run another time.
            what, why = ("refused", _DISK_REFUSES) if ending.disk else ("is full", _DISK_FULL)
            ending = replace(ending, message=f"the disk {what} ({ending.message})", startup=False)
            following = [replace(left, resumes=True)]
            if self._stop is None:
                self._halt(Stop.DISK, why)
        elif ending.may_retry and not self._settings.fail_fast:
            following = self._attempts.after(left, ending, worker.heartbeat)
        log = worker.log.relative_to(self._folder.root)
        step = worker.heartbeat.step if worker.heartbeat is not None else None
        blamed = blame(worker.assignment, worker.heartbeat)
        failure = Failure(
            ending.reason,
            ending.message,
            str(log),
            step,
            time.time(),
            self._provenance.get("git_sha"),
            environment=blamed.environment,
            at_fault=blamed.job.id if blamed.job is not None else None,
        )
        halved = len(following) > 1
        if following:
            for name in unfinished:
                self._folder.note_attempt(name, failure)
            self._queue.extend(following)
            if halved:
                # It belongs to the whole cohort, which is not tried again.
                remove_folder(self._folder.cohort(left.id) / "checkpoint")
        else:
            for name in unfinished:
                self._folder.write_failure(name, failure)
            self._tally.note_failed(unfinished)
        self._observer.failed(
            FailedCohort(
                worker.assignment,
                failure,
                sorted(unfinished),
                bool(following),
                ending.hint,
                worker.last_lines(_LOG_LINES_SHOWN),
                str(worker.log),
                halved,
            )
        )
        if self._settings.fail_fast and self._stop is None:
            self._halt(Stop.FAIL_FAST, "stopped at the first failure (`--fail-fast`)")
        if ending.startup:
            pause = self._startups.failed(ending.message)
            if pause is not None and self._stop is None:
                self._halt(Stop.PAUSED, pause)

    def _tell_remarks(self) -> None:
        for remark in self._remarks:
            self._observer.message(remark)
        self._remarks = []

    def _tell_news(self, worker: Running) -> None:
        for news in worker.news():
            self._observer.message(f"{cohort_name(worker.assignment)}: {news}")

    def _note_training(self, worker: Running) -> None:
        """A worker that trains proves that starting works, so start-up failures before it are not in a row."""
        if worker.has_trained:
            self._startups.broken()
