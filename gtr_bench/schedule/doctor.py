"""What is usable on this machine. Torch is asked in a process of its own, so that the driver's stays small."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gtr_bench import __version__
from gtr_bench.schedule.resources import available_memory_bytes, free_disk_bytes
from gtr_bench.schedule.slots import usable_cores

__all__ = ["Check", "Diagnosis", "diagnose"]

_TORCH_PROGRAM = """
import json, torch
cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
names = [torch.cuda.get_device_name(card) for card in range(cards)]
print(json.dumps({"version": torch.__version__, "built_for_cuda": torch.version.cuda, "cards": names}))
"""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that works (`detail` says how) or does not (`hint` is the command or step that makes it work)."""

    name: str
    usable: bool
    detail: str
    hint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The machine and the checks; sizes in bytes."""

    version: str
    python: str
    usable_cores: int
    cores: int
    memory_bytes: int
    available_memory_bytes: int
    free_disk_bytes: int
    checks: Sequence[Check]


def diagnose(results: Path) -> Diagnosis:
    """Look at everything; takes a few seconds because torch is imported once."""
    import psutil

    from gtr_bench.environments.registry import availability

    environments = [Check(row.name, row.usable, "", row.hint) for row in availability()]
    return Diagnosis(
        version=__version__,
        python=platform.python_version(),
        usable_cores=usable_cores(),
        cores=os.cpu_count() or 1,
        memory_bytes=int(psutil.virtual_memory().total),
        available_memory_bytes=available_memory_bytes(),
        free_disk_bytes=free_disk_bytes(results),
        checks=[*_devices(ask_torch()), *environments],
    )


def ask_torch() -> dict[str, Any] | str:
    """What torch says about itself, or the last line of why it does not start."""
    try:
        answer = subprocess.run(
            [sys.executable, "-c", _TORCH_PROGRAM], capture_output=True, text=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        return "importing it takes more than two minutes"
    if answer.returncode:
        return (answer.stderr.strip().splitlines() or ["it said nothing"])[-1]
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def _devices(torch: dict[str, Any] | str) -> list[Check]:
    if isinstance(torch, str):
        return [Check("cpu", False, "", f"pip install -c constraints.txt torch   ({torch})")]
    cpu = Check("cpu", True, f"torch {torch['version']}", None)
    if torch["cards"]:
        return [cpu, Check("cuda", True, ", ".join(torch["cards"]), None)]
    if torch["built_for_cuda"]:
        hint = "torch sees no NVIDIA card or driver here; `nvidia-smi` should list one"
    else:
        hint = "this torch is built without CUDA: pip install --force-reinstall torch, from an index with CUDA builds"
    return [cpu, Check("cuda", False, "", hint)]
