"""Train one cohort: `python -m gtr_bench.worker <results>/cohorts/<id>/cohort.json`.

Exit codes: 0 every member finished or diverged; 75 stopped on request or because the driver died, with a checkpoint;
1 failed, with the reason in heartbeat.json.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType

from gtr_bench.errors import GtrBenchError
from gtr_bench.worker.cohort import read_cohort

__all__ = ["main"]

STOPPED = 75  # EX_TEMPFAIL: try again later
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
    stop = _Stop()
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
    except Exception as error:
        traceback.print_exc()
        heartbeat.say("failed", failure={"reason": _reason(error), "message": _message(error), "startup": not started})
        return 1
    return 0 if done else STOPPED


def _reason(error: BaseException) -> str:
    """`oom` where memory ran out, on the host or on a device; `error` otherwise."""
    text = str(error).lower()
    out = isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text
    return "oom" if out or isinstance(error.__cause__, MemoryError) else "error"


def _message(error: BaseException) -> str:
    if isinstance(error, GtrBenchError):
        return error.sentence if error.hint is None else f"{error.sentence} ({error.hint})"
    return f"{type(error).__name__}: {error}".splitlines()[0]


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
