"""A worker the driver watches, wherever it runs: its signs of life, its time, the claims on its jobs."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from gtr_bench.schedule.assignments import Assignment
from gtr_bench.schedule.claims import Claim
from gtr_bench.schedule.executors.base import Exit, Handle, Usage
from gtr_bench.schedule.heartbeat import SILENT_SECONDS, Heartbeat, HeartbeatFile

__all__ = ["Running"]


class Running:
    """A started worker and the claims on its jobs, which are kept until the driver has recorded how it ended.

    Attributes:
        heartbeat: its last; None before the first.
        timed_out: why the driver stopped it, if it did.
    """

    def __init__(self, assignment: Assignment, handle: Handle, claims: Sequence[Claim], cohort: Path) -> None:
        """`cohort`: the cohort's folder."""
        self.assignment = assignment
        self.log = cohort / "log.txt"
        self.heartbeat: Heartbeat | None = None
        self.timed_out: str | None = None
        self._handle = handle
        self._claims = list(claims)
        self._heartbeats = HeartbeatFile(cohort / "heartbeat.json")
        self._began = time.monotonic()
        self._last_sign = self._began
        self._asked_to_stop: float | None = None
        self._noted: str | None = None
        self._silence_told = False

    @property
    def pid(self) -> int | None:
        """Its process on this machine, if it is one."""
        return self._handle.pid

    @property
    def seconds(self) -> float:
        """Seconds since the start, or since this driver found it running."""
        return time.monotonic() - self._began

    @property
    def silent_seconds(self) -> float:
        """Seconds since its last sign of life, or since the start."""
        return time.monotonic() - self._last_sign

    @property
    def has_trained(self) -> bool:
        """Whether it is known to have taken a training step; an evaluation before the first one is none."""
        beat = self.heartbeat
        if beat is None:
            return False
        if beat.failure is not None:
            return not beat.failure.startup
        return beat.state == "done" or beat.moved

    @property
    def peaks(self) -> Usage:
        """The most memory it has held so far: what its executor saw or what it says itself, whichever is more."""
        seen, beat = self._handle.usage(), self.heartbeat
        said = (beat.peak_memory_bytes, beat.peak_device_memory_bytes) if beat is not None else (None, None)
        host, device = (
            max((number for number in pair if number is not None), default=None)
            for pair in zip((seen.host_bytes, seen.device_bytes), said, strict=True)
        )
        return Usage(host, device)

    def look(self) -> None:
        """Read the heartbeat if it is a new one."""
        heartbeat = self._heartbeats.news()
        if heartbeat is not None:
            self._last_sign = time.monotonic()
            self.heartbeat = heartbeat

    def news(self) -> list[str]:
        """What the user should be told of it, each once."""
        found = []
        note = self.heartbeat.note if self.heartbeat is not None else None
        if note is not None and note != self._noted:
            found.append(note)
            self._noted = note
        if self.silent_seconds >= SILENT_SECONDS and not self._silence_told:
            found.append(f"silent for {SILENT_SECONDS:g} s")
            self._silence_told = True
        return found

    def poll(self) -> Exit | None:
        """How it ended, with its last heartbeat read; None while it has not."""
        end = self._handle.poll()
        if end is not None:
            self.look()
        return end

    def stop(self) -> None:
        """Ask the worker to checkpoint and stop; once is enough."""
        if self._asked_to_stop is None:
            self._asked_to_stop = time.monotonic()
            self._handle.stop()

    def kill(self) -> None:
        """End it at once."""
        self._handle.kill()

    def enforce(self, timeout: float | None, stall_timeout: float, grace: float, hung: float) -> None:
        """Stop a worker that takes too long or has gone silent; kill it if it ignores that for `grace` seconds.

        One over its time that has been silent for `hung` seconds will not answer: it is killed without a grace.
        """
        now = time.monotonic()
        if self._handle.waiting:
            self._began = self._last_sign = now
        if self.timed_out is None:
            if timeout is not None and self.seconds > timeout:
                self.timed_out = f"the cohort ran for more than {timeout:g} s (`--timeout`)"
            elif now - self._last_sign > stall_timeout:
                self.timed_out = f"the worker hangs: no heartbeat for {stall_timeout:g} s (`--stall-timeout`)"
            if self.timed_out is not None:
                self.stop()
        ignores = self._asked_to_stop is not None and now - self._asked_to_stop > grace
        if ignores or (self.timed_out is not None and now - self._last_sign > hung):
            self.kill()

    def release(self) -> None:
        """Give the claims back, after the end has been recorded."""
        for claim in self._claims:
            claim.release()

    def last_lines(self, count: int) -> list[str]:
        """The last lines of its log, without reading more than 64 kB of it; empty if there is none."""
        try:
            with open(self.log, "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - 65536))
                text = file.read().decode("utf-8", errors="replace")
        except FileNotFoundError:
            return []
        return [line for line in text.splitlines() if line.strip()][-count:]
