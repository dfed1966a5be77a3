"""What a person sees: a live table on a terminal, lines elsewhere."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from gtr_bench.schedule import display
from gtr_bench.schedule.assignments import Assignment, job_record
from gtr_bench.schedule.display import LiveDisplay, PlainDisplay, make_display, render
from gtr_bench.schedule.folders import Failure
from gtr_bench.schedule.heartbeat import Heartbeat
from gtr_bench.schedule.observer import FailedCohort, Snapshot, WorkerView
from gtr_bench.schedule.wording import cohort_name

BEAT = Heartbeat("running", 0.0, 1, 3, 50, 100, 12_345.6, -123.4, None)


def assignment(jobs: Any, count: int = 2, **options: Any) -> Assignment:
    members = tuple(jobs(count, **options))
    return Assignment("cohort", members, tuple(job_record(job) for job in members))


def snapshot(*workers: WorkerView) -> Snapshot:
    return Snapshot(workers, 10, 4, 1, 2, 0, 500, 1000, 60.0)


def test_while_workers_start_the_last_speed_gives_the_time_left(jobs: Any) -> None:
    starting = WorkerView(assignment(jobs), None, 1, 0.0)
    assert snapshot(starting).remaining_seconds is None
    assert replace(snapshot(starting), last_speed=50.0).remaining_seconds == 10.0


def failed(jobs: Any, *, retried: bool) -> FailedCohort:
    failure = Failure("error", "it broke", "cohorts/cohort/log.txt", 5, 0.0, environment="gym:CartPole-v1")
    return FailedCohort(
        assignment(jobs), failure, ["a", "b"], retried, "a hint", ["last [bold] line"], "my results/cohorts/c/log.txt"
    )


def test_lines_when_not_a_terminal(jobs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    shown = make_display(stream, progress=True)
    assert isinstance(shown, PlainDisplay)
    view = WorkerView(assignment(jobs), BEAT, 1, 65.0)
    shown.started(view)
    shown.progress(snapshot(view))
    monkeypatch.setattr(display, "PLAIN_EVERY_SECONDS", 0.0)
    shown.progress(snapshot(view))
    shown.failed(failed(jobs, retried=False))
    shown.stopped(view)
    shown.preempted(view)
    shown.finished(view, ["x"])
    job = failed(jobs, retried=False).assignment.jobs[0].id
    assert stream.getvalue() == (
        "started: ppo on CartPole-v1 (2 seeds)\n"
        "progress: 4 of 10 jobs done, 1 failed, 50% of steps, 12,346 steps/s, 0 s left\n"
        "failed: ppo on CartPole-v1 (2 seeds): error: it broke; 2 jobs failed\n"
        "    last [bold] line\n"
        "  environment: gym:CartPole-v1\n"
        "  at fault: a job of this cohort, not known which\n"
        f"  log: my results/cohorts/c/log.txt; of a job: gtr-bench logs {job} --results 'my results'\n"
        "  hint: a hint\n"
        "stopped: ppo on CartPole-v1 (2 seeds) at step 50\n"
        "preempted: ppo on CartPole-v1 (2 seeds) at step 50: stopped from outside, continues from its checkpoint\n"
        "finished: ppo on CartPole-v1 (2 seeds) in 1 min 5 s; 1 job diverged: x\n"
    )


def test_no_progress_lines_when_not_wanted(jobs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "PLAIN_EVERY_SECONDS", 0.0)
    stream = io.StringIO()
    make_display(stream, progress=False).progress(snapshot())
    assert stream.getvalue() == ""


def test_the_live_table_has_a_line_per_cohort_and_reads_without_colour(jobs: Any) -> None:
    console = Console(width=120, file=io.StringIO(), force_terminal=False, no_color=True)
    starting = WorkerView(assignment(jobs, 1, algorithm="spo"), None, 2, 0.1)
    console.print(render(snapshot(WorkerView(assignment(jobs), BEAT, 1, 3.0), starting), 120))
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    assert "4 of 10 jobs done, 1 failed, 50% of steps" in lines[0]
    assert lines[1].split() == ["cohort", "state", "phase", "steps", "steps/s", "return"]
    assert lines[2].split("  ")[0] == "ppo on CartPole-v1 (2 seeds)"
    assert lines[2].split()[-5:] == ["running", "2/3", "50%", "12,346", "-123"]
    assert lines[3].split()[-5:] == ["starting", "-", "-", "-", "-"]


def test_a_silent_worker_is_shown_so_and_without_a_speed(jobs: Any) -> None:
    console = Console(width=120, file=io.StringIO(), force_terminal=False, no_color=True)
    silent = WorkerView(assignment(jobs), BEAT, 1, 100.0, 42.0)
    speaks = WorkerView(assignment(jobs), BEAT, 1, 100.0, 29.0)
    dumb = WorkerView(assignment(jobs), None, 1, 31.0, 31.0)
    console.print(render(snapshot(silent, speaks, dumb), 120))
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    assert lines[2].split()[-8:] == ["silent", "for", "42", "s", "2/3", "50%", "-", "-123"]
    assert lines[3].split()[-5:] == ["running", "2/3", "50%", "12,346", "-123"]
    assert lines[4].split()[-8:] == ["silent", "for", "31", "s", "-", "-", "-", "-"]
    assert snapshot(silent).steps_per_second == 0.0
    assert replace(snapshot(silent), last_speed=63.0).remaining_seconds is None


def long_names(jobs: Any, width: int, *, waiting: int = 0) -> list[str]:
    """The live part at so many columns, of cohorts whose sequence has a name as long as they come."""
    name = "half_cheetah_gravity_and_friction_" + "x" * 60
    members = [type("J", (), {"algorithm": "gtr", "sequence": name, "seed": seed})() for seed in range(5)]
    cohort = Assignment("c", tuple(members), ())  # type: ignore[arg-type]
    beat = replace(BEAT, training_return=-1_234_567.8, steps_per_second=123_456.7)
    found = replace(
        snapshot(*(WorkerView(cohort, each, 1, 3.0) for each in (beat, BEAT, None))), waiting=(cohort,) * waiting
    )
    console = Console(width=width, file=io.StringIO(), force_terminal=False, no_color=True)
    console.print(render(found, width))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_long_names_push_no_number_out(jobs: Any, width: int) -> None:
    lines = long_names(jobs, width, waiting=3)
    assert max(map(len, lines)) <= width
    (start,) = [place for place, line in enumerate(lines) if line.startswith("cohort")]
    assert lines[start].endswith("return")
    first, second, third = (line.split() for line in lines[start + 1 :])
    assert first[:2] == ["gtr", "on"]
    speeds = [["123,457"], ["12,346"], ["-"]] if width >= 70 else [[], [], []]
    assert first[-4 - len(speeds[0]) :] == ["running", "2/3", "50%", *speeds[0], "-1,234,568"]
    assert second[-4 - len(speeds[1]) :] == ["running", "2/3", "50%", *speeds[1], "-123"]
    assert third[-4 - len(speeds[2]) :] == ["starting", "-", "-", *speeds[2], "-"]


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_the_time_so_far_and_the_cohorts_that_wait_are_shown(jobs: Any, width: int) -> None:
    text = " ".join(" ".join(long_names(jobs, width, waiting=3)).split())
    assert "135,802 steps/s" in text
    assert "0 s left, 1 min 0 s so far" in text
    assert "waiting: 3 cohorts, next gtr on half_cheetah" in text
    assert "waiting" not in " ".join(long_names(jobs, width))


def test_a_cohort_that_is_halved_is_said_to_be(jobs: Any) -> None:
    line = display.failure_lines(replace(failed(jobs, retried=True), halved=True))[0]
    assert line.endswith("it broke; is tried again in halves")


def test_the_live_display_shows_failures_above_the_table_and_takes_labels_literally(jobs: Any) -> None:
    console = Console(width=120, file=io.StringIO(), force_terminal=True, no_color=True)
    shown = LiveDisplay(console)
    shown.progress(snapshot())
    shown.failed(failed(jobs, retried=True))
    shown.close()
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "it broke; is tried again" in text
    assert "last [bold] line" in text


def test_a_cohort_over_a_grid_is_named_by_its_algorithm(jobs: Any) -> None:
    grid = [*jobs(1, algorithm="gtr"), *jobs(1, algorithm="gtr")]
    labels = [type("J", (), {"algorithm": f"gtr[sigma={s}]", "sequence": "x", "seed": 0})() for s in (1, 2)]
    assert cohort_name(Assignment("c", tuple(labels), ())) == "gtr x 2 on x (seed 0)"  # type: ignore[arg-type]
    assert cohort_name(Assignment("c", tuple(grid), ())) == "gtr on CartPole-v1 (seed 0)"
