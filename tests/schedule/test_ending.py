"""What the end of a worker means."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from gtr_bench.schedule.ending import End, Ending, judge
from gtr_bench.schedule.executors.base import Exit
from gtr_bench.schedule.heartbeat import Heartbeat, WorkerFailure, read_heartbeat


def beat(failure: WorkerFailure | None = None) -> Heartbeat:
    return Heartbeat("running", 0.0, 0, 1, 5, 10, 1.0, None, failure)


def ending(code: int, *, out_of_memory: bool = False, **changes: Any) -> Ending:
    given: dict[str, Any] = {
        "unfinished": 1,
        "heartbeat": beat(),
        "stopping": False,
        "timed_out": None,
        "last_lines": ["Boom"],
    }
    return judge(Exit(code, out_of_memory), **{**given, **changes})


def test_finished_is_what_the_files_say_whatever_the_exit_code() -> None:
    assert ending(0, unfinished=0).end is End.FINISHED
    assert ending(-9, unfinished=0).end is End.FINISHED


def test_a_worker_this_driver_stops_has_not_failed() -> None:
    assert ending(75, stopping=True).end is End.STOPPED
    assert ending(-15, stopping=True).end is End.STOPPED


def test_a_signal_from_elsewhere_is_killed_with_a_hint_for_the_kernel() -> None:
    killed = ending(-9)
    assert (killed.reason, killed.may_retry) == ("killed", True)
    assert killed.message == "the worker was killed by SIGKILL"
    assert "out-of-memory killer" in str(killed.hint)
    assert ending(-15).hint is None


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE"])
def test_a_crash_is_an_error_of_the_cohort(name: str) -> None:
    crashed = ending(-signal.Signals[name])
    assert (crashed.reason, crashed.may_retry, crashed.startup) == ("error", True, False)
    assert crashed.message == f"the worker crashed with {name}"
    assert ending(-signal.Signals[name], heartbeat=None).startup


def stopped(first_step: int | None, state: str = "stopped") -> Heartbeat:
    return Heartbeat(state, 0.0, 0, 1, 5, 10, 1.0, None, None, first_step=first_step)


def test_a_stop_nobody_asked_for_is_a_preemption_if_the_worker_got_further_and_else_an_attempt() -> None:
    assert ending(75, heartbeat=stopped(4)).end is End.PREEMPTED
    for beat_ in (stopped(5), stopped(None)):
        vain = ending(75, heartbeat=beat_)
        assert (vain.end, vain.reason, vain.may_retry, vain.startup) == (End.FAILED, "killed", True, False)
        assert vain.message == "the worker was stopped from outside before it got any further"


def test_the_exit_code_of_a_stop_without_its_word_is_an_error() -> None:
    for beat_ in (stopped(4, "running"), None):
        faked = ending(75, heartbeat=beat_)
        assert (faked.end, faked.reason) == (End.FAILED, "error")


def test_what_the_executor_knows_of_memory_outranks_the_signal() -> None:
    assert ending(-9, out_of_memory=True).reason == "oom"
    assert ending(-9, out_of_memory=True, unfinished=0).end is End.FINISHED


def test_a_timeout_is_not_tried_again() -> None:
    late = ending(75, timed_out="too long")
    assert (late.reason, late.message, late.may_retry) == ("timeout", "too long", False)


@pytest.mark.parametrize("reason", ["error", "oom"])
def test_the_worker_says_why_it_failed(reason: str) -> None:
    failed = ending(1, heartbeat=beat(WorkerFailure(reason, "why", startup=True)))
    assert (failed.reason, failed.message, failed.startup, failed.may_retry) == (reason, "why", True, True)


def test_without_a_word_the_log_speaks() -> None:
    assert ending(3).message == "Boom"
    assert ending(3, last_lines=[]).message == "the worker ended with exit code 3 and said nothing"
    assert ending(3, heartbeat=None).startup
    assert ending(0, unfinished=2).message == "the worker ended well but left 2 jobs unfinished"


def test_a_file_that_is_no_heartbeat_is_none(tmp_path: Any) -> None:
    path = tmp_path / "heartbeat.json"
    assert read_heartbeat(path) is None
    for text in ("", "[]", "{}", '{"state": "running", "time": "soon"}', '{"state": 1, "time": 1, "failure": {}}'):
        path.write_text(text)
        assert read_heartbeat(path) is None, text
    path.write_text('{"state": "starting", "time": 1.5}')
    found = read_heartbeat(path)
    assert found is not None
    assert found.steps_per_second is None


def test_only_the_exit_code_makes_it_the_disks_fault_and_no_sentence() -> None:
    words = "OSError: [Errno 28] No space left on device"
    assert not ending(1, heartbeat=beat(WorkerFailure("error", words, startup=False))).disk
    assert ending(74, heartbeat=beat(WorkerFailure("error", "anything", startup=True))).disk
    unsaid = ending(74, heartbeat=None)
    assert (unsaid.disk, unsaid.startup, unsaid.message) == (True, False, "Boom")
