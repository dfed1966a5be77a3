"""Train a suite's seeds in waves, and give more only to what is undecided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from gtr_bench.report.collect import collect_suite
from gtr_bench.report.scores import as_read, load_evaluations
from gtr_bench.report.waves import Course, Wave, course_of, first_wave
from gtr_bench.schedule.folders import ResultsFolder
from gtr_bench.schedule.observer import Fanout, Launch, Observer, Outcome, StatementResult, WaveResult
from gtr_bench.schedule.tally import Tally
from gtr_bench.store.reader import Warn
from gtr_bench.suite.expand import Job, Suite
from gtr_bench.wording import counted

__all__ = ["Train", "run_until_decided"]

Train: TypeAlias = Callable[[Sequence[Job], Observer], Outcome]
"""Trains what is missing of some jobs and tells an observer; may leave some, which are then missing."""


def run_until_decided(suite: Suite, folder: ResultsFolder, train: Train, observer: Observer, *, warn: Warn) -> Outcome:
    """Give every algorithm a wave of seeds, then those of open statements another, until none is open.

    Every wave is asked for anew, also those finished before: then a failed job may be tried again, and the decisions
    are made from the files in the order of the waves, so a rerun ends with the same ones.

    Args:
        suite: with `sequential`.
        folder: the results folder.
        train: trains what is missing of a wave's jobs.
        observer: told of one launch, one end, and of the result of every wave.
        warn: called with a sentence for each file that was left out.

    Raises:
        RequestError: the folder or the disk does not allow it.
    """
    jobs: dict[str, Job] = {}
    outcomes: list[Outcome] = []
    wave: Wave | None = first_wave(suite)
    try:
        while wave is not None:
            fresh = {job.id: job for job in suite.jobs_of(wave.cells, wave.seeds)}
            jobs |= fresh
            outcomes.append(train(list(fresh.values()), _OneRun(observer, suite, wave)))
            if outcomes[-1].stop is not None:
                break
            found = collect_suite([folder.root], suite, warn=warn)
            evaluations = load_evaluations(found.records, warn=warn)
            course = course_of(as_read(found, evaluations), suite, evaluations, upto=wave.number)
            if len(course.looks) < wave.number:
                break  # a job of the wave is neither finished nor failed, so nothing can be said yet
            observer.wave(_result(course, wave, len(fresh)))
            wave = course.next
        outcome = _whole(jobs, folder, outcomes)
        observer.done(outcome)
        return outcome
    finally:
        observer.close()


class _OneRun(Fanout):
    """Passes on what the driver of one wave tells, so that all waves look like one run: one launch, one end."""

    def __init__(self, observer: Observer, suite: Suite, wave: Wave) -> None:
        super().__init__(observer)
        self._suite = suite
        self._wave = wave

    def launch(self, launch: Launch) -> None:
        rule = self._suite.sequential
        if self._wave.number == 1 and rule is not None:
            super().launch(launch)
            self.message(f"seeds come in waves of {rule.wave}, at most {rule.max_seeds}, until everything is decided")
        elif launch.starting:
            names = ", ".join(dict.fromkeys(cell.algorithm for cell in self._wave.cells))
            self.message(
                f"wave {self._wave.number}: {counted(len(self._wave.seeds), 'further seed')} of {names}; training "
                f"{counted(launch.starting, 'job')} in {counted(launch.cohorts, 'cohort')}"
            )

    def done(self, outcome: Outcome) -> None:
        """The whole run's end is told once, after the last wave."""

    def close(self) -> None:
        """A terminal is given back after the last wave."""


def _result(course: Course, wave: Wave, jobs: int) -> WaveResult:
    look = course.looks[-1]
    verdicts = []
    for statement in course.statements:
        decision, case = course.decision(statement.id), course.cases[statement.id]
        verdicts.append(
            StatementResult(
                id=statement.id,
                verdict="open" if statement.id in course.open else decision.verdict if decision else "undecided",
                effect=decision.effect if decision else None,
                unit=case.unit or statement.metric.unit,
                p=decision.p if decision else None,
                wave=course.look_of(statement.id),
                reason=decision.reason if decision else case.obstacle,
            )
        )
    return WaveResult(
        number=look.number,
        waves=look.looks,
        seeds=wave.seeds,
        jobs=jobs,
        alpha=look.alpha,
        spent=look.spent,
        statements=verdicts,
    )


def _whole(jobs: dict[str, Job], folder: ResultsFolder, outcomes: Sequence[Outcome]) -> Outcome:
    """The end of all waves together, from the states the files of their jobs are in now."""
    last = outcomes[-1]
    outcome = Tally(jobs).outcome(
        folder.survey(jobs),
        stop=last.stop,
        message=last.message,
        seconds=sum(each.seconds for each in outcomes),
    )
    profile: Counter[str] = Counter()
    for each in outcomes:
        profile.update(each.profile)
    return replace(outcome, trained=sum(each.trained for each in outcomes), profile=dict(profile))
