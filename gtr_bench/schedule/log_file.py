"""A worker's log with a hard size limit: the head and the tail stay, the middle goes.

Runs as a process of its own between worker and file (`python log_file.py PATH LIMIT`, reading stdin), because the
limit must hold however fast a worker prints, and the worker must be able to print after its driver was killed. It
imports only `os` and `sys`, so that one costs about 10 MB and 20 ms. The file appears with the first byte.
"""

from __future__ import annotations

import os
import sys

__all__ = ["CappedLog", "pump"]


class CappedLog:
    """Appends to a file and keeps it at most `limit` bytes: the first half of the limit for ever, then the newest.

    Whenever the file is full its newest quarter is moved down behind the head, so every byte is rewritten at most
    about once and a reader finds the latest lines at the end at any time.
    """

    MARKER = b"\n... the middle of this log was left out here ...\n"

    def __init__(self, path: str, limit: int) -> None:
        """`limit` in bytes, at least 1,000."""
        if limit < 1_000:
            raise ValueError(f"a log limit of {limit} bytes leaves no room for a message")
        self._path = path
        self._limit = limit
        self._head = limit // 2
        self._tail = limit // 4

    def append(self, data: bytes) -> None:
        """Add bytes at the end; raises OSError if the disk refuses."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            # The marker is about 50 bytes; leaving 100 keeps the limit strict.
            room = self._limit - 100
            if size + len(data) > room:
                data, size = self._make_room(descriptor, size, data)
            while data:
                written = os.pwrite(descriptor, data, size)
                data, size = data[written:], size + written
        finally:
            os.close(descriptor)

    def _make_room(self, descriptor: int, size: int, data: bytes) -> tuple[bytes, int]:
        """Cut the file to its head; what comes after it and where."""
        head = min(size, self._head)
        fill = data[: self._head - head]
        rest = os.pread(descriptor, max(0, size - self._head), self._head) + data[len(fill) :]
        kept = rest[-self._tail :]
        os.ftruncate(descriptor, head)
        return fill + self.MARKER + kept, head


def pump(descriptor: int, log: CappedLog) -> None:
    """Copy everything from a descriptor to the log until its last writer has closed it."""
    while chunk := os.read(descriptor, 65536):
        try:
            log.append(chunk)
        except OSError:
            # A full disk must not stop the worker, which would block on its next print: go on reading.
            continue


if __name__ == "__main__":
    pump(0, CappedLog(sys.argv[1], int(sys.argv[2])))
