"""A worker as a process of this machine: start it, watch what it takes, stop it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from gtr_bench.schedule import log_file
from gtr_bench.schedule.executors.base import Exit, Usage
from gtr_bench.schedule.heartbeat import HeartbeatFile
from gtr_bench.worker.inherited import CLAIMS_VARIABLE

__all__ = ["WORKER_COMMAND", "WorkerProcess", "start_process"]

WORKER_COMMAND = (sys.executable, "-P", "-m", "gtr_bench.worker")

_CHILDREN_EVERY_SECONDS = 5.0
_CHILDREN_EVERY_SECONDS_UNDER_A_LIMIT = 1.0


class WorkerProcess:
    """The handle of a worker process and of the process that keeps its log.

    Attributes:
        host_bytes: resident memory of the worker and its children now.
        device_bytes: the most card memory its tensors have taken so far, in its own words; 0 before it says any.
    """

    waiting = False

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        pump: subprocess.Popen[bytes],
        heartbeat: Path,
        memory_limit: int | None = None,
    ) -> None:
        """`memory_limit`: bytes it may hold, its children included; one that holds more is killed."""
        self._memory_limit = memory_limit
        self._over_limit = False
        self._children_every = _CHILDREN_EVERY_SECONDS
        if memory_limit is not None:
            self._children_every = _CHILDREN_EVERY_SECONDS_UNDER_A_LIMIT
        self._process = process
        self._pump = pump
        self._heartbeats = HeartbeatFile(heartbeat)
        self._exit: Exit | None = None
        self._peak_bytes = 0
        self._children_looked_at = time.monotonic()
        self._children_bytes = 0
        self.host_bytes = 0
        self.device_bytes = 0

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether `poll` has told its end."""
        return self._exit is not None

    def poll(self) -> Exit | None:
        """How it ended, with what it left swept up; None while it runs."""
        if self._exit is None:
            self._measure()
            if self._memory_limit is not None and self.host_bytes > self._memory_limit:
                self._over_limit = True
                self.kill()
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                self._exit = self._reap()
        return self._exit

    def _reap(self) -> Exit:
        # Before the process is reaped its number cannot be another's, so killing its group hits only its children.
        self.kill()
        code = self._process.wait()
        try:
            self._pump.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            # A grandchild outside the group still holds the pipe; the log need not wait for it.
            self._pump.kill()
            self._pump.wait()
        return Exit(code, self._over_limit and code == -signal.SIGKILL)

    def _measure(self) -> None:
        """Memory with every sign of life, at every look under a limit; of children less often: finding them is slow."""
        import psutil

        heartbeat = self._heartbeats.news()
        if heartbeat is not None:
            self.device_bytes = heartbeat.peak_device_memory_bytes or 0
        elif self._memory_limit is None:
            return
        try:
            process = psutil.Process(self.pid)
            if time.monotonic() - self._children_looked_at > self._children_every:
                self._children_looked_at = time.monotonic()
                self._children_bytes = sum(child.memory_info().rss for child in process.children(recursive=True))
            self.host_bytes = int(process.memory_info().rss + self._children_bytes)
        except psutil.Error:
            return
        self._peak_bytes = max(self._peak_bytes, self.host_bytes)

    def stop(self) -> None:
        if self._exit is None:
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to the worker and every process in its group."""
        if self._exit is not None:
            return
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return

    def usage(self) -> Usage:
        return Usage(self._peak_bytes or None, self.device_bytes or None)


def start_process(
    document: Path,
    *,
    command: Sequence[str],
    environment: Mapping[str, str],
    descriptors: Sequence[int],
    log_limit: int,
    memory_limit: int | None = None,
) -> WorkerProcess:
    """Start a worker in a session of its own, so that Ctrl-C reaches only the driver.

    Args:
        document: its cohort.json; `log.txt` and `heartbeat.json` lie beside it.
        command: the worker's program, without the document.
        environment: all its environment variables.
        descriptors: of the claims on its jobs, which it inherits and is told (`CLAIMS_VARIABLE`).
        log_limit: bytes its log may take.
        memory_limit: bytes of memory it and its children may hold; None is without limit.

    Raises:
        OSError: the system refuses.
    """
    pump = subprocess.Popen(
        [sys.executable, "-I", "-S", log_file.__file__, str(document.with_name("log.txt")), str(log_limit)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert pump.stdin is not None
    try:
        process = subprocess.Popen(
            [*command, str(document)],
            stdin=subprocess.DEVNULL,
            stdout=pump.stdin,
            stderr=subprocess.STDOUT,
            env={**environment, CLAIMS_VARIABLE: ",".join(map(str, descriptors))},
            pass_fds=descriptors,
            start_new_session=True,
        )
    finally:
        # The worker's copy must be the last one, or the pump would outlive it.
        pump.stdin.close()
    return WorkerProcess(process, pump, document.with_name("heartbeat.json"), memory_limit)
