"""Train one cohort: `python -m gtr_bench.worker <results>/cohorts/<id>/cohort.json`.

Exit codes: 0 every member finished or diverged; 75 stopped on request or because the driver died, with a checkpoint;
74 the disk refused; 1 failed, with the reason in heartbeat.json.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from gtr_bench.errors import disk_fault
from gtr_bench.worker.cohort import read_cohort
from gtr_bench.worker.failures import blamed, message_of, reason_of
from gtr_bench.worker.inherited import keep_from_children

if TYPE_CHECKING:
    from gtr_bench.worker.heartbeat import HeartbeatWriter

__all__ = ["main"]

STOPPED = 75  # EX_TEMPFAIL: try again later
DISK_REFUSED = 74  # EX_IOERR
DRIVER_VARIABLE = "GTR_BENCH_DRIVER"  # the driver's process id; absent for a worker that outlives its driver


class _Stop:
    """Set by SIGTERM or SIGINT, or when the driver is gone: the worker then has another parent."""

    def __init__(self) -> None:
        self._asked = False
        # a driver killed before this line would go unnoticed, had it not left its number
        self._driver = os.environ.get(DRIVER_VARIABLE)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True

    @property
    def asked(self) -> bool:
        """Whether to stop at the next iteration."""
        return self._asked or self.orphaned

    @property
    def orphaned(self) -> bool:
        """Whether the driver is gone; never for a worker that has none."""
        return self._driver is not None and os.getppid() != int(self._driver)


def main(arguments: list[str]) -> int:
    """Run the cohort of a cohort.json; see the module's docstring for the exit codes."""
    faulthandler.enable()
    keep_from_children()
    stop, own = _Stop(), os.getpid()
    path = Path(arguments[0]).resolve()
    cohort = read_cohort(path)
    # simulators write logs into the working directory
    os.chdir(path.parent)
    from gtr_bench.worker.heartbeat import HeartbeatWriter
    from gtr_bench.worker.watchdog import watch

    heartbeat = HeartbeatWriter(path.parent / "heartbeat.json")
    heartbeat.say("starting")
    watch(lambda: stop.orphaned, heartbeat.silent_seconds, STOPPED)
    started = False
    try:
        from gtr_bench.worker.run import run_cohort

        def begun() -> None:
            nonlocal started
            started = True

        done = run_cohort(cohort, path.parent, heartbeat, lambda: stop.asked, begun)
    # An environment that ends the process must not look like a worker that was stopped.
    except (Exception, SystemExit) as error:
        if os.getpid() != own:
            raise  # in a child that an environment forked
        traceback.print_exc()
        failure = {"reason": reason_of(error), "message": message_of(error), "startup": not started, **blamed(error)}
        return _give_up(heartbeat, failure, refused=disk_fault(error) is not None)
    return 0 if done else STOPPED


def _give_up(heartbeat: HeartbeatWriter, failure: dict[str, Any], *, refused: bool) -> int:
    """Say why, if the disk lets us; returns the exit code."""
    try:
        heartbeat.say("failed", failure=failure)
    except OSError as error:
        traceback.print_exc()
        refused = refused or disk_fault(error) is not None
    return DISK_REFUSED if refused else 1


class _NoPandas:
    """An importer that knows one thing: there is no pandas."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def _spare_pandas() -> None:
    """Have pyarrow not import pandas, half a second, in search of pandas' objects: a worker hands it none."""
    import pyarrow

    if "pandas" not in sys.modules:
        sys.meta_path.insert(0, _NoPandas)
        pyarrow.array([0])  # it looks once
        sys.meta_path.remove(_NoPandas)


if __name__ == "__main__":
    _spare_pandas()
    sys.exit(main(sys.argv[1:]))
