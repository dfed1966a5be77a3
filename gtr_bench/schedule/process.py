"""One worker process: start it, watch it, stop it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gtr_bench.files import write_json
from gtr_bench.schedule import log_file
from gtr_bench.schedule.assignments import Assignment
from gtr_bench.schedule.folders import ResultsFolder
from gtr_bench.schedule.heartbeat import Heartbeat, read_heartbeat
from gtr_bench.schedule.locks import Claim
from gtr_bench.schedule.settings import Settings
from gtr_bench.schedule.slots import Slot, worker_environment

__all__ = ["WORKER_COMMAND", "WorkerProcess", "cohort_document", "start_worker"]

WORKER_COMMAND = (sys.executable, "-m", "gtr_bench.worker")

_FORMAT = 1
_CHILDREN_EVERY_SECONDS = 5.0


def cohort_document(
    assignment: Assignment, slot: Slot, settings: Settings, provenance: Mapping[str, Any]
) -> dict[str, Any]:
    """The content of cohort.json (docs/design.md)."""
    return {
        "format": _FORMAT,
        "id": assignment.id,
        "jobs": list(assignment.records),
        "device": slot.device,
        "threads": settings.threads,
        "checkpoint_seconds": settings.checkpoint_seconds,
        "profile": settings.profile,
        "provenance": dict(provenance),
    }


class WorkerProcess:
    """A running worker and the claims on its jobs, which are kept until the driver has recorded how it ended."""

    def __init__(
        self,
        assignment: Assignment,
        slot: Slot,
        process: subprocess.Popen[bytes],
        pump: subprocess.Popen[bytes],
        claims: Sequence[Claim],
        folder: ResultsFolder,
    ) -> None:
        self.assignment = assignment
        self.slot = slot
        self.started = time.monotonic()
        self.heartbeat: Heartbeat | None = None
        self.first_step: int | None = None
        self.memory_bytes = 0
        self.peak_memory_bytes = 0
        self.timed_out: str | None = None
        self._process = process
        self._pump = pump
        self._claims = list(claims)
        self._path = folder.cohort(assignment.id)
        self._heartbeat_version: tuple[int, int] = (0, 0)
        self._last_sign = self.started
        self._terminated: float | None = None
        self._children_looked_at = self.started
        self._children_bytes = 0

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    @property
    def seconds_without_heartbeat(self) -> float:
        return time.monotonic() - self._last_sign

    @property
    def has_trained(self) -> bool:
        """Whether it is known to have taken a training step; an evaluation before the first one is none."""
        beat = self.heartbeat
        if beat is None:
            return False
        if beat.failure is not None:
            return not beat.failure.startup
        return beat.state == "done" or (self.first_step is not None and beat.step > self.first_step)

    @property
    def log(self) -> Path:
        return self._path / "log.txt"

    def look(self) -> None:
        """Read the heartbeat if it is a new one."""
        path = self._path / "heartbeat.json"
        try:
            status = path.stat()
        except FileNotFoundError:
            return
        version = (status.st_ino, status.st_mtime_ns)
        if version == self._heartbeat_version:
            return
        heartbeat = read_heartbeat(path)
        if heartbeat is not None:
            self._heartbeat_version = version
            self._last_sign = time.monotonic()
            self.heartbeat = heartbeat
            if self.first_step is None and heartbeat.state != "starting":
                self.first_step = heartbeat.step
            self._measure_memory()

    def _measure_memory(self) -> None:
        """Resident memory of the worker and, less often because finding them is slow, of its children."""
        import psutil

        try:
            process = psutil.Process(self.pid)
            if time.monotonic() - self._children_looked_at > _CHILDREN_EVERY_SECONDS:
                self._children_looked_at = time.monotonic()
                self._children_bytes = sum(child.memory_info().rss for child in process.children(recursive=True))
            self.memory_bytes = int(process.memory_info().rss + self._children_bytes)
        except psutil.Error:
            return
        self.peak_memory_bytes = max(self.peak_memory_bytes, self.memory_bytes)

    def ended(self) -> int | None:
        """The exit code once the worker is gone (negative: the signal that killed it), with what it left swept up."""
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        # Before the process is reaped its number cannot be another's, so killing its group hits only its children.
        self.kill()
        code = self._process.wait()
        try:
            self._pump.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            # A grandchild outside the group still holds the pipe; the log need not wait for it.
            self._pump.kill()
            self._pump.wait()
        self.look()
        return code

    def terminate(self) -> None:
        """Ask the worker to checkpoint and stop; once is enough."""
        if self._terminated is None:
            self._terminated = time.monotonic()
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to the worker and every process in its group."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return

    def enforce(self, timeout: float | None, stall_timeout: float, grace: float) -> None:
        """Stop a worker that takes too long or has gone silent; kill it if it ignores that for `grace` seconds."""
        if self.timed_out is None:
            if timeout is not None and self.seconds > timeout:
                self.timed_out = f"the cohort ran for more than {timeout:g} s (`--timeout`)"
            elif self.seconds_without_heartbeat > stall_timeout:
                self.timed_out = f"the worker hangs: no heartbeat for {stall_timeout:g} s (`--stall-timeout`)"
            if self.timed_out is not None:
                self.terminate()
        if self._terminated is not None and time.monotonic() - self._terminated > grace:
            self.kill()

    def release(self) -> None:
        """Give the claims back, after the end has been recorded."""
        for claim in self._claims:
            claim.release()

    def last_lines(self, count: int) -> list[str]:
        return last_lines(self.log, count)


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of a log, without reading more than 64 kB of it; empty if there is none."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 65536))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [line for line in text.splitlines() if line.strip()][-count:]


def start_worker(
    assignment: Assignment,
    slot: Slot,
    claims: Sequence[Claim],
    *,
    folder: ResultsFolder,
    settings: Settings,
    provenance: Mapping[str, Any],
    command: Sequence[str],
) -> WorkerProcess:
    """Write cohort.json and start a worker on it, in a session of its own so that Ctrl-C reaches only the driver.

    Raises OSError if the disk or the system refuses; the claims are then still the caller's.
    """
    path = folder.cohort(assignment.id)
    path.mkdir(parents=True, exist_ok=True)
    for claim in claims:
        claim.name_cohort(assignment.id)
        folder.failure(claim.job_id).unlink(missing_ok=True)
        # A writer killed in the middle leaves its file; under the claim no other can be writing here.
        for partial in folder.job(claim.job_id).glob(".*.partial"):
            partial.unlink(missing_ok=True)
    # An old heartbeat would be taken for this worker's.
    (path / "heartbeat.json").unlink(missing_ok=True)
    document = path / "cohort.json"
    write_json(document, cohort_document(assignment, slot, settings, provenance))
    pump = subprocess.Popen(
        [sys.executable, "-I", "-S", log_file.__file__, str(folder.log(assignment.id)), str(settings.log_limit)],
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
            env=worker_environment(slot, settings.threads),
            pass_fds=[claim.descriptor for claim in claims],
            start_new_session=True,
        )
    finally:
        # The worker's copy must be the last one, or the pump would outlive it.
        pump.stdin.close()
    return WorkerProcess(assignment, slot, process, pump, claims, folder)
