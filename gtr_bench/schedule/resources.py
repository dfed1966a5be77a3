"""What is free: memory and disk."""

from __future__ import annotations

import shutil
from pathlib import Path

__all__ = ["available_memory_bytes", "free_disk_bytes"]


def available_memory_bytes() -> int:
    """Memory that can be given to a new process without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)


def free_disk_bytes(path: Path) -> int:
    """Bytes an ordinary user may still write to the file system of `path` or of its nearest existing parent."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free
