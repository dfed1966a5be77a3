"""Ends a worker that nobody waits for and that does not move: it would hold its jobs for ever."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

__all__ = ["GRACE_VARIABLE", "watch"]

GRACE_VARIABLE = "GTR_BENCH_ORPHAN_SECONDS"
GRACE_SECONDS = 300.0
"""A worker whose driver died stops at its next checkpoint; one that is silent for so long will not get there."""


def watch(orphaned: Callable[[], bool], silent_seconds: Callable[[], float], code: int) -> None:
    """Start a thread that ends the process with `code` once it is orphaned and silent for too long.

    Args:
        orphaned: whether the driver is gone.
        silent_seconds: seconds since the last sign of life.
        code: exit code.
    """
    grace = float(os.environ.get(GRACE_VARIABLE, GRACE_SECONDS))

    def look() -> None:
        while not (orphaned() and silent_seconds() > grace):
            time.sleep(min(1.0, grace / 4))
        print(f"the driver is gone and nothing has moved for {grace:g} s: stopped", file=sys.stderr, flush=True)
        # The main thread hangs in somebody's code, so nothing but a hard exit ends it.
        os._exit(code)

    threading.Thread(target=look, name="watchdog", daemon=True).start()
