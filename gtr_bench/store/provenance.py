"""What produced a number: installed packages and the machine. Never imports torch."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any

from gtr_bench.processor import processor_fact, vector_level

__all__ = ["hardware", "packages", "peak_memory_bytes"]


def packages() -> dict[str, str]:
    """Versions of Python and of every installed distribution, by lower-case name.

    All of them, not a chosen few: which dependency changed a number is only known afterwards. About 100 entries.
    """
    found = {"python": platform.python_version()}
    for distribution in distributions():
        name = distribution.metadata["Name"]
        # A half-removed distribution on the path has a folder but no name.
        if name:
            found.setdefault(name.lower(), distribution.version)
    return dict(sorted(found.items()))


def hardware() -> dict[str, Any]:
    """Processor model, usable and present cores, memory in bytes, system and graphics cards.

    `gpus` is a list of names; empty without the extra `gpu` or without a driver.
    """
    import psutil

    return {
        "processor": processor_fact("model name"),
        "vector_level": vector_level(),
        "architecture": platform.machine(),
        "usable_cores": len(os.sched_getaffinity(0)),
        "cores": os.cpu_count(),
        "memory_bytes": int(psutil.virtual_memory().total),
        "system": platform.system(),
        "release": platform.release(),
        "byteorder": sys.byteorder,
        "gpus": _gpus(),
    }


def peak_memory_bytes() -> int:
    """The most memory this process has held.

    From the kernel's high-water mark where there is one: `ru_maxrss` starts at the size of the process that started it.
    """
    import resource

    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _gpus() -> list[str]:
    try:
        version("nvidia-ml-py")
    except PackageNotFoundError:
        return []
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        names = [
            pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(i)) for i in range(pynvml.nvmlDeviceGetCount())
        ]
        return [name.decode() if isinstance(name, bytes) else str(name) for name in names]
    finally:
        pynvml.nvmlShutdown()
