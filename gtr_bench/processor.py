"""What the processor is, as far as numbers and speed depend on it. Imports no torch."""

from __future__ import annotations

import platform
import sys
from functools import cache
from pathlib import Path

__all__ = ["has_fast_tanh", "processor_fact", "vector_level"]

_INTEL = "GenuineIntel"
_WIDEST = "AVX512"


@cache
def processor_fact(name: str) -> str:
    """What the kernel says of the first processor, such as `model name` or `vendor_id`; elsewhere what Python knows."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip().lower() == name:
            return value.strip()
    # `platform.processor()` is empty on most Linux systems
    return platform.processor()


def vector_level() -> str | None:
    """The vector instructions torch computes with, such as `AVX2`, None where torch is not loaded.

    Not what the processor has but what torch chose: `ATEN_CPU_CAPABILITY` lowers it. At AVX512 another maker than Intel
    is named too, because tanh is computed otherwise there.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    level = str(torch.backends.cpu.get_cpu_capability())
    if level == _WIDEST and not _is_intel():
        return f"{level} ({processor_fact('vendor_id') or 'other maker'})"
    return level


def has_fast_tanh() -> bool:
    """Whether torch.tanh takes no longer than 2 sigmoid(2 x) - 1; elsewhere it takes 3 to 5 times as long.

    It is the one of Intel's vector library, which uses AVX-512 on Intel's own processors alone.
    """
    return vector_level() == _WIDEST


def _is_intel() -> bool:
    return _INTEL in processor_fact("vendor_id")
