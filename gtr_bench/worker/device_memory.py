"""How much memory of its card a worker has taken."""

from __future__ import annotations

import sys

__all__ = ["peak_device_memory_bytes"]


def peak_device_memory_bytes() -> int | None:
    """The most memory this process's tensors have held on its card; None where it has used none.

    What CUDA itself and the allocator's spare blocks take comes on top.
    """
    # A learner without torch need not load it.
    torch = sys.modules.get("torch")
    return int(torch.cuda.max_memory_allocated()) or None if torch is not None else None
