"""Where executors are found; third parties register in the entry-point group `gtr_bench.executors`.

An entry is called with the run's settings and with a function that tells the user a sentence.
"""

from __future__ import annotations

from collections.abc import Callable

from gtr_bench.registry import Registry
from gtr_bench.schedule.executors.base import Executor
from gtr_bench.schedule.settings import Settings

__all__ = ["executors", "open_executor"]

executors = Registry("executor", "gtr_bench.executors", {"local": "gtr_bench.schedule.executors.local:open_local"})


def open_executor(settings: Settings, say: Callable[[str], None]) -> Executor:
    """The executor the settings name.

    Raises:
        UnknownNameError: there is none of that name. RequestError, MissingExtraError: it cannot work here.
    """
    opened: Executor = executors.get(settings.executor)(settings, say)
    return opened
