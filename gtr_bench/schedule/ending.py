"""What the end of a worker means for its jobs."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gtr_bench.schedule.executors.base import Exit
from gtr_bench.schedule.heartbeat import Heartbeat

__all__ = ["STOPPED_EXIT_CODE", "End", "Ending", "judge"]

STOPPED_EXIT_CODE = 75
"""EX_TEMPFAIL of sysexits.h: stopped on request with a checkpoint."""

_DISK_EXIT_CODE = 74  # EX_IOERR of sysexits.h: the disk refused; told so because a heartbeat may not be written then
_CRASHES = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL})


class End(StrEnum):
    """`STOPPED`: because this driver asked; nothing is recorded and a rerun continues.

    `PREEMPTED`: nobody here asked; it got further than it began and goes on from its checkpoint.
    """

    FINISHED = "finished"
    STOPPED = "stopped"
    PREEMPTED = "preempted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Ending:
    """`reason` (error, oom, timeout, killed) and `message` are of a failure; `startup`: it never trained a step.

    `disk`: the disk refused, so the jobs are not to blame. `asked`: somebody outside asked it to stop, and it did.
    `limited`: it took more memory than it was given, so that nothing beside it is to blame.
    """

    end: End
    reason: str = ""
    message: str = ""
    hint: str | None = None
    startup: bool = False
    disk: bool = False
    asked: bool = False
    limited: bool = False

    @property
    def may_retry(self) -> bool:
        return self.end is End.FAILED and self.reason in {"killed", "oom", "error"}


def judge(
    end: Exit,
    *,
    unfinished: int,
    heartbeat: Heartbeat | None,
    stopping: bool,
    timed_out: str | None,
    last_lines: Sequence[str],
) -> Ending:
    """How a worker ended, from all that is known of it.

    Args:
        end: how it ended.
        unfinished: members without a job.parquet.
        heartbeat: its last.
        stopping: this driver is stopping its workers.
        timed_out: why this driver stopped it, if it did.
        last_lines: of its log, for a message when it left none.
    """
    code = end.code
    if not unfinished:
        return Ending(End.FINISHED)
    if timed_out is not None:
        return Ending(End.FAILED, "timeout", timed_out)
    if stopping and (code == STOPPED_EXIT_CODE or code < 0):
        return Ending(End.STOPPED)
    if end.out_of_memory:
        what = "the worker was killed because it took more memory than it was given"
        return Ending(
            End.FAILED,
            "oom",
            what,
            "give it more with `--memory-limit`, or less to do with a smaller `--cohort`",
            limited=True,
        )
    # Without that word an environment has ended the process with this code.
    if code == STOPPED_EXIT_CODE and heartbeat is not None and heartbeat.state == "stopped":
        # Stopped again and again at the same place it would go on for ever, so that is an attempt.
        if heartbeat.moved:
            return Ending(End.PREEMPTED)
        return Ending(End.FAILED, "killed", "the worker was stopped from outside before it got any further", asked=True)
    if -code in _CRASHES:
        early = heartbeat is None or heartbeat.state == "starting"
        what = f"the worker crashed with {signal_name(-code)}"
        return Ending(End.FAILED, "error", what, "its log says where, in the lines after `Fatal Python error`", early)
    if code < 0:
        hint = "if nobody did, it was the kernel's out-of-memory killer: see `dmesg`, and use fewer `--jobs`"
        what = f"the worker was killed by {signal_name(-code)}"
        return Ending(End.FAILED, "killed", what, hint if code == -signal.SIGKILL else None)
    if heartbeat is not None and heartbeat.failure is not None:
        failure = heartbeat.failure
        disk = code == _DISK_EXIT_CODE
        return Ending(End.FAILED, failure.reason, failure.message, startup=failure.startup and not disk, disk=disk)
    if code == 0:
        return Ending(End.FAILED, "error", f"the worker ended well but left {unfinished} jobs unfinished")
    message = last_lines[-1].strip() if last_lines else f"the worker ended with exit code {code} and said nothing"
    disk = code == _DISK_EXIT_CODE
    return Ending(End.FAILED, "error", message, startup=heartbeat is None and not disk, disk=disk)


def signal_name(number: int) -> str:
    """`SIGKILL` for 9; the bare number for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
